"""A broker that is stopped or frozen: pages go on answering, and what they promised leaves when it is back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.celery import BROKER_TIMEOUT_SECONDS
from crm.models import Email, Lead
from tests.factories import LeadFactory, UserFactory
from tests.processes import WebServer, wait_until
from tests.reliability.browsing import Answer, Browser, at_once, percentile
from tests.reliability.conftest import Broker, Crew, MailServer
from tests.reliability.faults import open_rows

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

AT_ONCE = 8
ROUNDS = 12
MOST_IN_THE_FIRST_MOMENTS = 5.0
# Nobody waits for the broker (two seconds) once it is known to be away. How quick that is, only a quiet machine shows:
# ask with RELIABILITY_QUIET set.
MOST_AFTERWARDS = 0.3 if os.environ.get("RELIABILITY_QUIET") else BROKER_TIMEOUT_SECONDS


@pytest.fixture
def site(folder: Path, broker: Broker, transactional_db: None) -> Iterator[WebServer]:
    """The site, whose broker is the test's own."""
    server = WebServer(folder)
    server.environment["REDIS_URL"] = broker.url
    server.start()
    yield server
    server.kill()


def stop(broker: Broker) -> None:
    broker.kill()


def freeze(broker: Broker) -> None:
    assert broker.process is not None
    os.killpg(broker.process.pid, signal.SIGSTOP)


def thaw(broker: Broker) -> None:
    assert broker.process is not None
    os.killpg(broker.process.pid, signal.SIGCONT)


def start(broker: Broker) -> None:
    broker.start()


def write_letter(browser: Browser, lead: Lead) -> Answer:
    """Write to somebody, which wakes a worker by way of the broker."""
    said = {"to": f"lead-{lead.pk}", "language": "en", "subject_line": "Hello", "body": "<p>Hello</p>", "when": "now"}
    return browser.post(f"/emails/new/lead/{lead.pk}/", [*said.items(), ("do", "send")])


def visit(browser: Browser, lead: Lead) -> list[Answer]:
    """Look at two pages, then write a letter."""
    return [browser.get("/leads/"), browser.get(f"/leads/{lead.pk}/"), write_letter(browser, lead)]


@pytest.mark.parametrize(("go", "come_back"), [(stop, start), (freeze, thaw)], ids=["stopped", "frozen"])
def test_pages_answer_and_nothing_is_lost_while_the_broker_is_away(
    go: Callable[[Broker], None], come_back: Callable[[Broker], None],
    crew: Crew, broker: Broker, mail_server: MailServer, site: WebServer,
) -> None:  # fmt: skip
    person = UserFactory()
    browsers = [Browser.of(site.port, person) for _number in range(AT_ONCE)]
    leads = [LeadFactory(owner=person, email=f"customer{number}@example.test") for number in range(AT_ONCE)]
    pairs = list(zip(browsers, leads, strict=True))
    for browser, lead in pairs:
        visit(browser, lead)  # each process has loaded what it needs, and knows the broker
    before = [answer for _round in range(ROUNDS // 2) for pair in pairs[:3] for answer in visit(*pair)]

    go(broker)
    first = [answer for visits in at_once([lambda pair=pair: visit(*pair) for pair in pairs]) for answer in visits]
    after = [answer for _round in range(ROUNDS) for pair in pairs[:3] for answer in visit(*pair)]
    come_back(broker)
    assert wait_until(broker.answers, 30)

    written = Email.objects.count()
    assert {answer.status for answer in (*first, *after)} == {200, 302}
    assert written == 2 * AT_ONCE + (ROUNDS // 2 + ROUNDS) * 3
    slowest, usual = (
        percentile([answer.seconds for answer in first], 0.99),
        percentile([a.seconds for a in after], 0.99),
    )
    alone = percentile([answer.seconds for answer in before], 0.99)
    crew.worker()
    crew.beat()
    began = time.monotonic()
    assert wait_until(lambda: not open_rows(), 180), crew.log()
    print(
        f"\n{len(first)} answers in the first moments, p99 {slowest:.2f} s; {len(after)} afterwards, p99 {usual:.2f} s "
        f"(before: {alone:.2f} s); {written} letters written, {len(mail_server.message_ids())} left within "
        f"{time.monotonic() - began:.0f} s of its return"
    )
    assert set(mail_server.message_ids().values()) == {1}
    assert len(mail_server.message_ids()) == written
    assert slowest < MOST_IN_THE_FIRST_MOMENTS
    assert usual < max(MOST_AFTERWARDS, 3 * alone)  # a busy machine is slower with a broker too
