"""A hundred letters to customers through a mail server that misbehaves: each has its own fate, none leaves twice."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.mail import get_connection
from django.utils import timezone

from crm.models import Activity, Email, OutboxRow, Suppression, User
from crm.rules.delivering import deliver_due
from crm.rules.emails import Letter, write_email
from tests.factories import LeadFactory
from tests.reliability.conftest import MailServer

pytestmark = pytest.mark.django_db(transaction=True)

LETTERS = int(os.environ.get("CUSTOMER_MAILS", "100"))
"""CUSTOMER_MAILS=10000 tries as many as the promise names."""
REFUSED, LATER, SPAM, DROPPED = 36, 41, 52, 63
"""Which of each hundred meets which fate: the 37th is refused, and so on."""
FATES = {REFUSED: "refused", LATER: "later", SPAM: "spam", DROPPED: "drop"}
SLOW = 74
"""One is answered by a byte a second: for half a minute, within our patience for each byte."""


@pytest.fixture
def mail_server(tmp_path: Path, settings: object) -> MailServer:
    """A mail server that the settings name, with three seconds of patience."""
    server = MailServer(tmp_path).start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port  # type: ignore[attr-defined]
    settings.EMAIL_TIMEOUT = 3  # type: ignore[attr-defined]
    settings.MAIL_PER_SENDER_A_DAY = settings.MAIL_PER_DOMAIN_A_DAY = 10 * LETTERS  # type: ignore[attr-defined]
    return server


def test_each_letter_has_its_own_fate(mail_server: MailServer, rep: User) -> None:
    assert get_connection().host == "127.0.0.1"
    for number in range(LETTERS):
        fate = "slow" if number == SLOW else FATES.get(number % 100, "fine")
        lead = LeadFactory(owner=rep, name=f"Person {number}", email=f"{fate}{number}@client.test")
        write_email(Letter("Offer", "<p>y</p>"), about=lead, to=lead, by=rep, now=timezone.now())
    try:
        became = deliver_due(seconds=60 + LETTERS / 2)
        _let_time_pass()
        became += deliver_due(seconds=60 + LETTERS / 2)
    finally:
        mail_server.kill()

    each = LETTERS // 100
    states = Counter(Email.objects.values_list("row__state", flat=True))
    accepted = mail_server.message_ids()
    print(f"\n{LETTERS} letters: {dict(states)}; verdicts {dict(became)}; accepted {accepted.total()}")
    # Refused for good: that one alone, and no such address gets no more mail; refused as spam: that one alone.
    assert states[OutboxRow.State.DEAD] == 2 * each
    assert set(Suppression.objects.values_list("address", flat=True)) == {
        f"refused{number}@client.test" for number in range(REFUSED, LETTERS, 100)
    }
    # Cut after DATA: unclear, and never repeated.
    assert states[OutboxRow.State.UNCLEAR] == each
    # Refused for now: tried again, and then it left. Everything else left, the slow one too.
    assert became["not now"] == each
    assert states[OutboxRow.State.SENT] == LETTERS - 3 * each
    assert max(accepted.values()) == 1
    assert Activity.objects.filter(kind="email").count() == LETTERS - 3 * each


def _let_time_pass() -> None:
    """Those that wait for their second try need not wait here."""
    OutboxRow.objects.filter(state=OutboxRow.State.WAITING).update(available_at=timezone.now())


def test_a_mail_server_that_is_away_keeps_everything_waiting(mail_server: MailServer, rep: User) -> None:
    mail_server.kill()
    for number in range(10):
        lead = LeadFactory(owner=rep, email=f"fine{number}@client.test")
        write_email(Letter("Offer", "<p>y</p>"), about=lead, to=lead, by=rep, now=timezone.now())
    assert deliver_due(seconds=5) == {"server away": 10}
    assert Counter(OutboxRow.objects.values_list("state", "attempts")) == {(OutboxRow.State.WAITING, 0): 10}
    assert configured.EMAIL_TIMEOUT == 3
