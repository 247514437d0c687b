"""A meeting's invitation out by a real SMTP server, and what its guests answer back by a real IMAP server."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import icalendar
import pytest
from django.test import Client
from django.utils import timezone

from crm.models import Attendee, Email, FollowUp, Lead, Mailbox, User
from crm.rules.delivering import deliver_due
from crm.rules.follow_ups import Plan, delete_follow_up, edit_follow_up, plan_follow_up, plan_of
from crm.rules.invitations import Guest
from crm.rules.receiving.reading import read_mailbox
from crm.rules.wall_clock import WallTime
from tests.factories import LeadFactory, UserFactory
from tests.factories.mail import MailboxFactory
from tests.imap_server import ImapServer
from tests.reliability.conftest import MailServer

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

ANNA, BERT, CLEO = "guest.anna@client.test", "guest.bert@client.test", "guest.cleo@elsewhere.test"
AT = dt.datetime(2126, 7, 3, 10)
LATER = dt.datetime(2126, 7, 4, 15, 30)


@pytest.fixture
def mail_server(tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    """A mail server that the settings name."""
    server = MailServer(tmp_path).start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    server.kill()


@pytest.fixture
def imap_server(settings: Any) -> Iterator[ImapServer]:
    """A dovecot of this test's own."""
    settings.MAILBOX_HOSTS_INSIDE = frozenset({"127.0.0.1"})
    with tempfile.TemporaryDirectory(prefix="vr-") as path:
        server = ImapServer(Path(path)).start()
        yield server
        server.stop()


@pytest.fixture
def organiser(transactional_db: None) -> User:
    return UserFactory(name="Rita Rep", email="rita@example.test", time_zone="Europe/Berlin")


@pytest.fixture
def lead(organiser: User) -> Lead:
    return LeadFactory(owner=organiser, name="Anna Client", email=ANNA)


@pytest.fixture
def mailbox(imap_server: ImapServer, organiser: User) -> Mailbox:
    mailbox: Mailbox = MailboxFactory(
        owner=organiser,
        port=imap_server.port,
        address=organiser.email,
        username=imap_server.user,
        password=imap_server.password,
    )
    return mailbox


@pytest.fixture
def meeting(lead: Lead, organiser: User) -> FollowUp:
    guests = (Guest(ANNA, "Anna Client"), Guest(BERT), Guest(CLEO))
    plan = Plan("Demo", WallTime(AT, "Europe/Berlin"), organiser, kind="meeting", location="Room 1", guests=guests)
    return plan_follow_up(lead, plan=plan, by=organiser, now=timezone.now())


class Post:
    """What has left since the last time, as each guest's program finds it: the calendar part, by address."""

    def __init__(self, server: MailServer) -> None:
        self.server, self.seen = server, 0

    def fetch(self) -> dict[str, tuple[Message, icalendar.Calendar]]:
        deliver_due(seconds=20)
        new = [entry for entry in self.server.accepted() if "content" in entry][self.seen :]
        self.seen += len(new)
        found = {}
        for entry in new:
            message = message_from_bytes(entry["content"].encode("latin-1"))
            [part] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
            calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
            assert part.get_param("method") == str(calendar["METHOD"])
            found[entry["to"]] = (message, calendar)
        return found


def told(post: dict[str, tuple[Message, icalendar.Calendar]]) -> dict[str, tuple[str, int]]:
    """Method and sequence that each guest got."""
    return {
        address: (str(calendar["METHOD"]), int(calendar.walk("VEVENT")[0]["SEQUENCE"]))
        for address, (_message, calendar) in post.items()
    }


def answer(
    invitation: tuple[Message, icalendar.Calendar], by: str, said: str, *, proposes: dt.datetime | None = None
) -> bytes:
    """The message by which a calendar program answers an invitation: the event as it came, one guest, a method."""
    message, calendar = invitation
    [event] = calendar.walk("VEVENT")
    reply, answered = icalendar.Calendar(), icalendar.Event()
    for name, value in (("prodid", "-//Guest//EN"), ("version", "2.0"), ("method", "COUNTER" if proposes else "REPLY")):
        reply.add(name, value)
    for name in ("uid", "sequence", "dtstart", "organizer", "summary"):
        answered[name] = event[name]
    if proposes:
        del answered["dtstart"]
        answered.add("dtstart", proposes)
        # A proposal may name everybody; only its sender answers.
        answered.add("attendee", icalendar.vCalAddress(f"mailto:{CLEO}"), parameters={"PARTSTAT": "DECLINED"})
    answered.add("dtstamp", timezone.now())
    answered.add("attendee", icalendar.vCalAddress(f"MAILTO:{by}"), parameters={"PARTSTAT": said})
    reply.add_component(answered)

    mail = EmailMessage()
    mail["From"], mail["To"] = by, str(message["Reply-To"])
    mail["Subject"], mail["Message-ID"] = f"{said.title()}: Demo", f"<{said}.{by}>".lower()
    mail.set_content(f"{by} has answered.")
    mail.add_alternative(reply.to_ical().decode(), subtype="calendar", params={"method": str(reply["METHOD"])})
    mail.add_attachment(reply.to_ical(), maintype="application", subtype="ics", filename="invite.ics")
    return bytes(mail)


def test_invited_answered_moved_and_called_off(
    mail_server: MailServer,
    imap_server: ImapServer,
    mailbox: Mailbox,
    meeting: FollowUp,
    organiser: User,
    lead: Lead,
    client: Client,
) -> None:
    post = Post(mail_server)
    invited = post.fetch()
    assert told(invited) == dict.fromkeys((ANNA, BERT, CLEO), ("REQUEST", 0))

    # One comes, one would rather come later, one does not; of two nobody here has heard but for the meeting.
    imap_server.put(answer(invited[ANNA], ANNA, "ACCEPTED"))
    imap_server.put(answer(invited[BERT], BERT, "TENTATIVE", proposes=LATER))
    imap_server.put(answer(invited[CLEO], CLEO, "DECLINED"))
    assert read_mailbox(mailbox.pk, seconds=30, now=timezone.now()) == {"kept": 3}

    said = {guest.address: (guest.answer, guest.proposed_at) for guest in Attendee.objects.all()}
    proposed = WallTime(LATER, "Europe/Berlin").utc
    assert said == {ANNA: ("accepted", None), BERT: ("tentative", proposed), CLEO: ("declined", None)}
    assert {email.subject for email in Email.objects.inbound()} == {lead}, "each is on the meeting's record"
    deliver_due(seconds=20)
    assert set(organiser.notifications.filter(kind="rsvp").values_list("text", flat=True)) == {
        "Anna Client comes: Demo",
        f"{BERT} proposes another time for “Demo”: Thursday, 4 July 2126 at 15:30 (Europe/Berlin)",
        f"{CLEO} does not come: Demo",
    }
    client.force_login(organiser)
    page = client.get(f"/follow-ups/{meeting.pk}/edit/").content.decode()
    for words in ("comes", "does not come", "proposes Thursday, 4 July 2126, 15:30"):
        assert words in page

    # The organiser takes the proposal: everybody is asked anew, under the next number.
    plan = replace(plan_of(meeting), due=WallTime(LATER, "Europe/Berlin"))
    edit_follow_up(meeting, plan=plan, by=organiser, now=timezone.now())
    moved = post.fetch()
    assert told(moved) == dict.fromkeys((ANNA, BERT, CLEO), ("REQUEST", 1))
    assert set(Attendee.objects.values_list("answer", "proposed_at")) == {("needs-action", None)}

    # A late answer to the first invitation is about another time; one to the second counts.
    imap_server.put(answer(invited[CLEO], CLEO, "TENTATIVE"))
    imap_server.put(answer(moved[BERT], BERT, "ACCEPTED"))
    assert read_mailbox(mailbox.pk, seconds=30, now=timezone.now()) == {"kept": 2}
    assert dict(Attendee.objects.values_list("address", "answer")) == {
        ANNA: "needs-action", BERT: "accepted", CLEO: "needs-action",
    }  # fmt: skip

    delete_follow_up(FollowUp.objects.get(pk=meeting.pk), by=organiser, now=timezone.now())
    called_off = post.fetch()
    assert told(called_off) == dict.fromkeys((ANNA, BERT, CLEO), ("CANCEL", 2))
    uids = {str(calendar.walk("VEVENT")[0]["UID"]) for _mail, calendar in [*invited.values(), *called_off.values()]}
    assert len(uids) == 1
    print(f"\n{mail_server.count()} accepted by SMTP, {Email.objects.inbound().count()} answers read by IMAP")
