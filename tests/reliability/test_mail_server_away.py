"""The mail server is down for a while: only what needs it waits, and all of that leaves soon after it is back."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections import Counter

import pytest
from django.utils import timezone

from crm.models import ImportRun, Notification, NotificationChoice, User
from crm.rules.emails import Letter, write_email
from crm.rules.follow_ups import Plan, plan_follow_up
from crm.rules.importing.answers import Answers
from crm.rules.importing.carrying import carry_on
from crm.rules.importing.deciding import answer_questions, start_import
from crm.rules.importing.uploading import store_upload
from crm.rules.wall_clock import WallTime
from pipeline.jobs import fire_on_staying
from pipeline.models import RuleFiring, StageVisit
from tests.factories import DealFactory, LeadFactory, UserFactory, sales_pipeline
from tests.factories.stage_rules import rule_for
from tests.processes import wait_until
from tests.reliability.conftest import Crew, MailServer
from tests.reliability.faults import open_rows, rows

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

# Short enough for every change; the promise by hand: RELIABILITY_SMTP_DOWN_SECONDS=600 RELIABILITY_SMTP_DOWN_EACH=1000.
DOWN_SECONDS = float(os.environ.get("RELIABILITY_SMTP_DOWN_SECONDS", "10"))
EACH = int(os.environ.get("RELIABILITY_SMTP_DOWN_EACH", "40"))
PEOPLE, STALE_EACH = 10, 3
LONG_AGO = dt.timedelta(minutes=45)
"""Older than half an hour: then several to one person leave as one mail."""


def remind(person: User, count: int, *, of: str) -> None:
    now, lead = timezone.now(), LeadFactory(owner=person)
    for number in range(count):
        plan = Plan(f"{of} {number}", WallTime.of(now, "UTC"), person, remind_before=(0,))
        plan_follow_up(lead, plan=plan, by=None, now=now - dt.timedelta(days=1))


def staying_deals(owner: User, count: int) -> None:
    """Deals for which a stage rule comes true."""
    stage = sales_pipeline().stages.get(slug="prospecting")
    rule_for(stage, ("add_tag", {"tag": "silent"}), trigger="staying", days=2)
    at = timezone.now() - dt.timedelta(days=2, minutes=1)
    for _number in range(count):
        DealFactory(owner=owner, created_at=at)
    StageVisit.objects.update(recorded_at=at)


def import_of(count: int, by: User) -> ImportRun:
    """An import that may begin; the sweep finds it."""
    lines = [b"Name,E-mail\n", *(f"Imported {number},i{number}@example.test\n".encode() for number in range(count))]
    run = store_upload(name="leads.csv", pieces=iter(lines), kind="leads", by=by, now=timezone.now())
    carry_on(run.pk, seconds=60)
    run.refresh_from_db()
    run = answer_questions(run, Answers.of(run.file.answers), owner=by, by=by)
    while carry_on(run.pk, seconds=15):
        pass
    return start_import(ImportRun.objects.get(pk=run.pk), duplicates="update", decisions={}, by=by, now=timezone.now())


@pytest.fixture
def away(mail_server: MailServer, crew: Crew) -> MailServer:
    """The mail server, refusing connections, and a crew that knows it."""
    mail_server.kill()
    crew.environment |= {"MAIL_PER_SENDER_A_DAY": "1000000", "MAIL_PER_DOMAIN_A_DAY": "1000000"}
    if DOWN_SECONDS >= 60:
        crew.environment["SWEEP_SECONDS"] = "15"  # as in production
    return mail_server


def test_only_what_needs_it_waits_and_leaves_soon_after_its_return(crew: Crew, away: MailServer) -> None:
    people, reader, owner = UserFactory.create_batch(PEOPLE), UserFactory(), UserFactory()
    NotificationChoice.objects.create(user=reader, kind="reminder", in_page=True, by_mail="never")
    for person in people:
        remind(person, STALE_EACH, of="Write")
    to_be_stale = list(rows().values_list("pk", flat=True))
    for person in people:
        remind(person, EACH // PEOPLE, of="Call")
    reminders = rows().count()
    for number in range(EACH):
        lead = LeadFactory(owner=owner, email=f"customer{number}@client{number % 50}.test")
        write_email(Letter("Offer", "<p>Hello</p>"), about=lead, to=lead, by=owner, now=timezone.now())
    # What needs no mail stands behind all of it in the queue.
    remind(reader, EACH, of="Read")
    staying_deals(owner, EACH)
    run = import_of(EACH, owner)

    began = time.monotonic()
    crew.beat()
    crew.worker()
    crew.worker()
    fire_on_staying()

    def the_rest_is_done() -> bool:
        run.refresh_from_db()
        is_read = Notification.objects.filter(user=reader).count() == EACH
        in_pages = Notification.objects.filter(user__in=people).count() == reminders
        is_fired = RuleFiring.objects.filter(state="done").count() == EACH
        return is_read and in_pages and is_fired and run.state == "done"

    assert wait_until(the_rest_is_done, 60 + EACH / 5), f"{states()}\n{crew.log()}"
    meanwhile = time.monotonic() - began
    time.sleep(max(0.0, DOWN_SECONDS - meanwhile))
    rows().filter(pk__in=to_be_stale).update(due_at=timezone.now() - LONG_AGO)  # as if it had been an hour
    held = rows().filter(kind__in=("reminder", "email"), state="waiting")
    assert wait_until(lambda: held.count() == EACH + reminders, 60), states()  # one may be asking just now
    assert away.accepted() == []
    assert set(held.values_list("attempts", flat=True)) == {0}

    back_at = time.time()
    away.start(port=away.port)
    assert wait_until(lambda: not open_rows(), 60 + EACH / 5), f"{states()}\n{crew.log()}"
    late = sorted(entry["at"] - back_at for entry in away.accepted())
    digests = rows().filter(kind="reminder_digest")
    merged = rows().filter(state="merged").count()
    print(
        f"\nmail server away for {max(DOWN_SECONDS, meanwhile):.0f} s; within {meanwhile:.0f} s of it were done: "
        f"{EACH} notices for the page alone, {reminders} for the page and by mail, {EACH} stage rules, an import of "
        f"{EACH} rows; {len(late)} mails left {late[0]:.1f} to {late[-1]:.1f} s after its return, {digests.count()} of "
        f"them digests of {merged} stale reminders"
    )
    assert set(states()) <= {"sent", "merged", "cancelled"}
    assert max(away.message_ids().values()) == 1
    assert digests.count() == PEOPLE
    assert merged >= STALE_EACH * PEOPLE - 1  # but for the one that asked whether it is back
    left = rows().filter(kind__in=("reminder", "email"), state="sent")
    assert set(left.values_list("attempts", flat=True)) == {1}


def states() -> Counter[str]:
    return Counter(rows().values_list("state", flat=True))
