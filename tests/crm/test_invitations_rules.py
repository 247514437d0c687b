"""Meetings with guests: invited by mail, told of changes, called off; and what they answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import icalendar
import pytest
from django.core import mail
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.models import Activity, Attendee, Email, EmailAttachment, FollowUp, Lead, OutboxRow, Suppression, User
from crm.rules.delivering import deliver_due
from crm.rules.follow_ups import (
    Plan,
    complete_follow_up,
    delete_follow_up,
    edit_follow_up,
    plan_follow_up,
    plan_of,
    reassign_follow_up,
    reopen_follow_up,
)
from crm.rules.invitations import SUPERSEDED, Guest
from crm.rules.leads import delete_lead, restore_lead
from crm.rules.receiving.file_types import type_of
from crm.rules.rsvp import Rsvp, hear, note_rsvp, read_rsvp
from crm.rules.wall_clock import WallTime
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC)
IRINA, PAVEL = Guest("Irina@Example.com", "Irina Kim"), Guest("pavel@example.com")


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Romashka")


@pytest.fixture
def meeting(lead: Lead, rep: User) -> FollowUp:
    plan = Plan(
        "Demo", WallTime(dt.datetime(2126, 7, 3, 10), "Europe/Berlin"), rep, kind="meeting", location="Room 1",
        note="Ask for 10 %", guests=(IRINA, PAVEL),
    )  # fmt: skip
    rep.time_zone = "Europe/Berlin"
    rep.save()
    return plan_follow_up(lead, plan=plan, by=rep, now=NOW)


def sent() -> list[Any]:
    """What has left since the last time, to its recipients in order: method, sequence, and the event itself."""
    deliver_due(seconds=10)
    letters, mail.outbox[:] = list(mail.outbox), []
    found = []
    for letter in sorted((one for one in letters if "invite.ics" in one.message().as_string()), key=lambda one: one.to):
        message = message_from_bytes(letter.message().as_bytes())
        [part] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
        assert part.get_param("method") == str(calendar["METHOD"])
        [event] = calendar.walk("VEVENT")
        found.append((str(calendar["METHOD"]), int(event["SEQUENCE"]), event))
    return found


def test_guests_get_an_invitation_that_calendars_understand(meeting: FollowUp, rep: User) -> None:
    (method, sequence, event), _other = sent()
    assert (method, sequence) == ("REQUEST", 0)
    assert event.decoded("dtstart") == meeting.due_at
    assert str(event["dtstart"].params["TZID"]) == "Europe/Berlin"
    assert str(event["attendee"]) == "mailto:irina@example.com"
    assert event["attendee"].params["RSVP"] == "TRUE"
    assert str(event["organizer"]) == f"mailto:{rep.email}"
    assert (str(event["summary"]), str(event["location"])) == ("Demo", "Room 1")
    assert b"10 %" not in event.to_ical()  # the note is ours
    assert Activity.objects.filter(kind="email", direction="out").count() == 2


def test_nobody_is_told_twice(meeting: FollowUp, rep: User) -> None:
    assert len(sent()) == 2
    edit_follow_up(meeting, plan=replace(plan_of(meeting), note="Ask for 12 %"), by=rep, now=NOW)
    complete_follow_up(meeting, by=rep, now=NOW)
    reopen_follow_up(meeting, by=rep, now=NOW)
    assert sent() == []


def test_another_time_is_told_and_asks_anew(meeting: FollowUp, rep: User) -> None:
    [(_method, _sequence, first), _other] = sent()
    Attendee.objects.update(answer="accepted", answered_at=NOW)
    later = WallTime(dt.datetime(2126, 7, 4, 10), "Europe/Berlin")
    edit_follow_up(meeting, plan=replace(plan_of(meeting), due=later), by=rep, now=NOW)
    [(method, sequence, event), _other] = sent()
    assert (method, sequence, str(event["uid"])) == ("REQUEST", 1, str(first["uid"]))
    assert set(Attendee.objects.values_list("answer", flat=True)) == {"needs-action"}


def test_what_a_later_invitation_says_better_does_not_leave(meeting: FollowUp, rep: User) -> None:
    edit_follow_up(meeting, plan=replace(plan_of(meeting), title="Demo for all"), by=rep, now=NOW)
    assert [(method, sequence) for method, sequence, _event in sent()] == [("REQUEST", 1)] * 2
    assert OutboxRow.objects.filter(answer=SUPERSEDED).count() == 2


def test_called_off_and_on_again(meeting: FollowUp, rep: User) -> None:
    sent()
    delete_follow_up(meeting, by=rep, now=NOW)
    (method, sequence, event), _other = sent()
    assert (method, sequence, str(event["status"])) == ("CANCEL", 1, "CANCELLED")
    reopen_follow_up(meeting, by=rep, now=NOW)
    assert [(method, sequence) for method, sequence, _event in sent()] == [("REQUEST", 2)] * 2


def test_who_was_never_written_to_hears_nothing(meeting: FollowUp, rep: User) -> None:
    delete_follow_up(meeting, by=rep, now=NOW)
    assert sent() == []


def test_called_off_before_it_left_and_on_again_invites_after_all(meeting: FollowUp, rep: User) -> None:
    delete_follow_up(meeting, by=rep, now=NOW)
    reopen_follow_up(meeting, by=rep, now=NOW)
    assert [(method, sequence) for method, sequence, _event in sent()] == [("REQUEST", 1)] * 2


def test_guests_hear_when_the_record_goes_into_the_bin_and_comes_back(meeting: FollowUp, lead: Lead, rep: User) -> None:
    sent()
    lead.refresh_from_db()
    delete_lead(lead, seen_version=lead.version, by=rep, now=NOW)
    assert [(method, sequence) for method, sequence, _event in sent()] == [("CANCEL", 1)] * 2
    restore_lead(Lead.objects.get(pk=lead.pk), by=rep, now=NOW)
    assert [(method, sequence) for method, sequence, _event in sent()] == [("REQUEST", 2)] * 2


def test_an_invitation_to_a_substitutes_meeting_leaves_though_the_record_is_not_theirs(
    meeting: FollowUp, outsider: User
) -> None:
    sent()
    reassign_follow_up(meeting, to=outsider, by=None, now=NOW)
    [(_method, sequence, event), _other] = sent()
    assert (sequence, str(event["organizer"])) == (1, f"mailto:{outsider.email}")


def test_a_guest_taken_off_the_list_is_told_alone(meeting: FollowUp, rep: User) -> None:
    sent()
    edit_follow_up(meeting, plan=replace(plan_of(meeting), guests=(IRINA,)), by=rep, now=NOW)
    [(method, _sequence, event)] = sent()
    assert (method, str(event["attendee"])) == ("CANCEL", "mailto:pavel@example.com")


def test_who_wants_no_mail_gets_none(meeting: FollowUp) -> None:
    Suppression.objects.create(address="pavel@example.com", reason="unsubscribed")
    assert [str(event["attendee"]) for _method, _sequence, event in sent()] == ["mailto:irina@example.com"]


# --- Answers --------------------------------------------------------------------------------------------------------


def reply(meeting: FollowUp, answer: str = "ACCEPTED", **changes: object) -> bytes:
    said = {"uid": f"{meeting.uid}@voronka", "sequence": 0, "address": "IRINA@example.com", "at": "20260701T090000Z"}
    said |= changes
    return (
        "BEGIN:VCALENDAR\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\nVERSION:2.0\r\nMETHOD:REPLY\r\n"
        f"BEGIN:VEVENT\r\nDTSTART:21260703T080000Z\r\nDTSTAMP:{said['at']}\r\nUID:{said['uid']}\r\n"
        f'ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT={answer};CN="Kim, Irina":mailto:{said["address"]}\r\n'
        f"COMMENT:Gladly\\, with Pavel\r\nSEQUENCE:{said['sequence']}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def test_an_answer_is_read_from_a_message_or_its_part(meeting: FollowUp) -> None:
    part = reply(meeting)
    message = (
        b'From: irina@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nAccepted\r\n"
        b"--b\r\nContent-Type: text/calendar; charset=UTF-8; method=REPLY\r\n\r\n" + part + b"\r\n--b--\r\n"
    )
    for source in (part, b"\xef\xbb\xbf\r\n" + part, message, message_from_bytes(message)):
        assert read_rsvp(source) == Rsvp(
            uid=meeting.uid, address="irina@example.com", answer="accepted", comment="Gladly, with Pavel", sequence=0,
            at=dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC),
        )  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"BEGIN:VCALENDAR",
        b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:x\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.c\r\n"  # noqa: ISC004
        b"END:VEVENT\r\nEND:VCALENDAR",
        b"BEGIN:VCALENDAR\r\n" * 3_000,
        b"\x00\xff" * 1_000,
    ],
)
def test_what_is_no_answer_is_none(source: bytes) -> None:
    assert read_rsvp(source) is None


def test_a_calendar_is_known_by_its_first_words_wherever_they_stand() -> None:
    for beginning in (b"", b"\r\n", b"\xef\xbb\xbf"):
        kind = type_of(beginning + b"BEGIN:VCALENDAR\r\n", name="x", declared="application/octet-stream")
        assert kind == "text/calendar"


@settings(max_examples=80, deadline=None)
@given(at=st.integers(0, 400), junk=st.binary(max_size=8))
def test_a_broken_answer_never_raises(at: int, junk: bytes) -> None:
    part = reply(FollowUp(uid="b0b0b0b0-0000-4000-8000-000000000000"))
    read_rsvp(part[:at] + junk + part[at:])


def arrive(meeting: FollowUp, content: bytes, address: str = "irina@example.com") -> None:
    email = Email.objects.create(direction="in", from_address=address, at=NOW + dt.timedelta(hours=2))
    EmailAttachment.objects.create(
        email=email, name="invite.ics", content_type="text/calendar", content=content, size=len(content)
    )
    hear(email)


def test_an_answer_is_noted_and_the_organiser_told_once(meeting: FollowUp, rep: User) -> None:
    arrive(meeting, reply(meeting))
    arrive(meeting, reply(meeting))
    irina = Attendee.objects.get(address="irina@example.com")
    assert (irina.answer, irina.comment) == ("accepted", "Gladly, with Pavel")
    assert OutboxRow.objects.get(kind="rsvp").recipient == rep
    deliver_due(seconds=10)
    assert rep.notifications.get(kind="rsvp").text == "Irina Kim comes: Demo"


@pytest.mark.parametrize(
    "changes",
    [
        {b"DTSTAMP:20260701T090000Z": b"DTSTAMP:00010101T000000Z"},
        {b"REPLY": b"COUNTER", b"DTSTART:21260703T080000Z": b"DTSTART;TZID=Europe/Moscow:00010101T000000"},
        {b"REPLY": b"COUNTER", b"DTSTART:21260703T080000Z": b"DTSTART:99991231T235959"},
        {b"SEQUENCE:0": b"SEQUENCE:" + b"9" * 300},
    ],
)
def test_times_that_no_clock_shows_and_numbers_without_end_do_no_harm(
    meeting: FollowUp, rep: User, changes: dict[bytes, bytes]
) -> None:
    content = reply(meeting)
    for was, becomes in changes.items():
        assert was in content
        content = content.replace(was, becomes)
    arrive(meeting, content)
    irina = Attendee.objects.get(address="irina@example.com")
    assert irina.answer == "accepted"
    assert (irina.proposed_at, irina.answered_at.year) == (None, 2026)
    deliver_due(seconds=10)
    assert rep.notifications.get(kind="rsvp").text == "Irina Kim comes: Demo"


def test_nobody_answers_for_somebody_else_nor_for_a_time_long_changed(meeting: FollowUp) -> None:
    arrive(meeting, reply(meeting), address="mallory@example.com")
    arrive(meeting, reply(meeting, address="mallory@example.com"), address="mallory@example.com")
    FollowUp.objects.update(calendar_sequence=1)
    arrive(meeting, reply(meeting))
    assert set(Attendee.objects.values_list("answer", flat=True)) == {"needs-action"}


def test_the_later_answer_holds_whichever_is_read_first(meeting: FollowUp) -> None:
    arrive(meeting, reply(meeting, "DECLINED", at="20260701T093000Z"))
    arrive(meeting, reply(meeting, "ACCEPTED", at="20260701T090000Z"))
    assert Attendee.objects.get(address="irina@example.com").answer == "declined"
    found = read_rsvp(reply(meeting, "TENTATIVE", at="20260701T094500Z"))
    assert found is not None
    assert note_rsvp(found, now=NOW + dt.timedelta(hours=3)) is not None
