"""A provider takes our mail and reports on it: told apart what left, what may have, what never will; who is let in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.test import Client
from django.utils import timezone

from crm.models import Email, Lead, Notification, OutboxRow, SoftBounce, Suppression, User
from crm.rules.bounces import MOST_SOFT_BOUNCES
from crm.rules.delivering import deliver_due
from crm.rules.emails import Letter, write_email
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

SECRET = "events:long-and-random"
SIGNING_KEY = "signing"


class Provider(BaseHTTPRequestHandler):
    """Answers as Mailgun does, or as `answer` says: a status, "drop" (no answer), "slow" (none in time)."""

    answer: Any = 200
    taken: list[bytes] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).taken.append(body)
        if self.answer == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.answer == "slow":
            time.sleep(3)
        status = self.answer if isinstance(self.answer, int) else 200
        said = json.dumps({"id": "<provider-1@mg.test>", "message": "Queued. Thank you."}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def provider(settings: Any) -> Iterator[type[Provider]]:
    """A provider on this machine, which the settings name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Provider.answer, Provider.taken = 200, []
    settings.EMAIL_PROVIDER = "mailgun"
    settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
    settings.MAIL_EVENTS_SECRET = SECRET
    settings.ANYMAIL = {
        "MAILGUN_API_KEY": "key",
        "MAILGUN_API_URL": f"http://127.0.0.1:{server.server_port}/v3",
        "MAILGUN_SENDER_DOMAIN": "mg.test",
        "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY,
        "WEBHOOK_SECRET": SECRET,
        "REQUESTS_TIMEOUT": (1, 1),
    }
    yield Provider
    server.shutdown()
    server.server_close()


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria", email="daria@client.test")


def written(lead: Lead, by: User) -> Email:
    return write_email(Letter("Offer", "<p>y</p>"), about=lead, to=lead, by=by, now=timezone.now())


# --- What the provider answers ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("provider")
def test_what_the_provider_takes_is_sent_under_its_name(lead: Lead, rep: User) -> None:
    email = written(lead, rep)
    deliver_due(seconds=5)
    email.refresh_from_db()
    assert OutboxRow.objects.get(pk=email.row_id).state == OutboxRow.State.SENT
    assert (email.provider_id, email.at is not None) == ("<provider-1@mg.test>", True)
    (body,) = Provider.taken
    assert quote_plus(email.message_id).encode() in body


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (400, OutboxRow.State.DEAD),
        (413, OutboxRow.State.DEAD),
        (401, OutboxRow.State.WAITING),
        (429, OutboxRow.State.WAITING),
        (503, OutboxRow.State.WAITING),
        (500, OutboxRow.State.UNCLEAR),
        (504, OutboxRow.State.UNCLEAR),
        ("drop", OutboxRow.State.UNCLEAR),
        ("slow", OutboxRow.State.UNCLEAR),
    ],
)
def test_each_answer_of_the_provider_has_its_verdict(
    provider: type[Provider], lead: Lead, rep: User, answer: Any, state: str
) -> None:
    provider.answer = answer
    email = written(lead, rep)
    deliver_due(seconds=1)
    assert OutboxRow.objects.get(pk=email.row_id).state == state
    assert len([body for body in provider.taken if b"to=Daria" in body]) == 1
    assert Email.objects.get(pk=email.pk).at is None


def test_a_provider_that_is_not_there_keeps_the_mail_waiting(lead: Lead, rep: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v3"
        settings.ANYMAIL = {"MAILGUN_API_KEY": "k", "MAILGUN_API_URL": url, "MAILGUN_SENDER_DOMAIN": "mg.test"}
        email = written(lead, rep)
        assert deliver_due(seconds=5) == {"server away": 1}
    assert OutboxRow.objects.get(pk=email.row_id).state == OutboxRow.State.WAITING


# --- What it reports --------------------------------------------------------------------------------------------------


def report(email: Email, event: str, *, key: str = SIGNING_KEY, number: int = 1, **more: Any) -> dict[str, Any]:
    stamp, token = "1780000000", f"token{number}"
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    data = {
        "event": event,
        "id": f"event-{number}",
        "timestamp": 1780000000.0,
        "recipient": email.to_address,
        "message": {"headers": {"message-id": "provider-1@mg.test"}},
        "user-variables": {"email": str(email.pk)},
    }
    return {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": data | more}


def tell(data: Any, secret: str = SECRET) -> int:
    headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    answer = client.post("/mail/events/", json.dumps(data), content_type="application/json", headers=headers)
    return answer.status_code


HARD = {"severity": "permanent", "delivery-status": {"code": 550, "message": "5.1.1 no such user"}, "reason": "bounce"}
FULL = {"severity": "permanent", "delivery-status": {"code": 552, "message": "5.2.2 mailbox full"}, "reason": "bounce"}


@pytest.mark.usefixtures("provider")
def test_a_hard_bounce_ends_mail_to_the_address_and_its_author_hears_of_it(lead: Lead, rep: User) -> None:
    email = written(lead, rep)
    deliver_due(seconds=5)

    assert [tell(report(email, "failed", **HARD)) for _again in range(2)] == [200, 200]

    email.refresh_from_db()
    assert email.bounced_at is not None
    assert "no such user" in email.bounce_detail
    assert Suppression.objects.get().reason == Suppression.Reason.BOUNCED
    deliver_due(seconds=5)
    assert Notification.objects.filter(user=rep, kind="email_trouble").count() == 1
    page = Client()
    page.force_login(rep)
    assert "came back" in page.get(lead.get_absolute_url()).content.decode()


@pytest.mark.usefixtures("provider")
def test_soft_bounces_count_in_a_row_and_each_report_once(lead: Lead, rep: User) -> None:
    email = written(lead, rep)
    for number in range(1, MOST_SOFT_BOUNCES):
        tell(report(email, "failed", number=number, **FULL))
        tell(report(email, "failed", number=number, **FULL))
    assert SoftBounce.objects.count() == MOST_SOFT_BOUNCES - 1
    tell(report(email, "delivered", number=50))
    assert not SoftBounce.objects.exists()
    for number in range(60, 60 + MOST_SOFT_BOUNCES):
        assert not Suppression.objects.exists()
        tell(report(email, "failed", number=number, **FULL))
    assert Suppression.objects.get().address == lead.email


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(("event", "reason"), [("complained", "complained"), ("unsubscribed", "unsubscribed")])
def test_complaints_and_unsubscribings_end_mail(lead: Lead, rep: User, event: str, reason: str) -> None:
    assert tell(report(written(lead, rep), event)) == 200
    assert Suppression.objects.get().reason == reason


@pytest.mark.usefixtures("provider")
def test_nobody_else_is_believed(lead: Lead, rep: User) -> None:
    email = written(lead, rep)
    assert tell(report(email, "complained"), secret="events:wrong") == 400
    assert tell(report(email, "complained", key="guessed")) == 400
    assert tell({"event-data": {}}) == 400
    assert tell([1, "x"]) == 400
    assert not Suppression.objects.exists()


@pytest.mark.usefixtures("provider")
def test_a_report_of_somebody_elses_letter_marks_no_letter(lead: Lead, rep: User) -> None:
    email = written(lead, rep)
    other = report(email, "failed", **HARD)
    other["event-data"]["recipient"] = "other@client.test"
    assert tell(other) == 200
    email.refresh_from_db()
    assert email.bounced_at is None
    assert Suppression.objects.get().address == "other@client.test"


@pytest.mark.usefixtures("provider")
def test_without_a_secret_the_door_is_shut(settings: Any) -> None:
    settings.MAIL_EVENTS_SECRET = ""
    assert tell({}) == 404
