"""The calendar that other programs subscribe to: two of them read the same in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import icalendar
import pytest
import vobject
from django.test import Client
from django.urls import reverse

from crm.models import FollowUp, Lead, Token, User
from crm.rules.calendar_feed import feed_of, issue_feed, revoke_feed
from crm.rules.calendars import clock_changes, uid_of
from crm.rules.follow_ups import Plan, complete_follow_up, edit_follow_up, plan_follow_up, plan_of
from crm.rules.recurring import Repeat
from crm.rules.wall_clock import WallTime, zone_of
from tests.factories import LeadFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 20, 8, tzinfo=dt.UTC)
HOSTILE = "Call; ask, \\ and\nBEGIN:VEVENT\r\nпозвонить «Ромашке» " + "очень длинное " * 9 + "\x0b\x1f" + "🙂" * 30


def planned(person: User, local: dt.datetime, title: str = "Call", **fields: object) -> FollowUp:
    plan = Plan(title[:200], WallTime(local, person.time_zone), person, kind="call", **fields)  # type: ignore[arg-type]
    return plan_follow_up(LeadFactory(owner=person, name="Irina"), plan=plan, by=person, now=NOW)


def read_by_icalendar(body: bytes) -> dict[str, tuple[object, ...]]:
    calendar = icalendar.Calendar.from_ical(body)
    return {
        str(event["uid"]): (
            event.decoded("dtstart").astimezone(dt.UTC),
            event.decoded("duration"),
            str(event["summary"]),
            str(event.get("description", "")),
            str(event.get("location", "")),
            int(event["sequence"]),
        )
        for event in calendar.walk("VEVENT")
    }


def read_by_vobject(body: bytes) -> dict[str, tuple[object, ...]]:
    calendar = vobject.readOne(body.decode())
    return {
        event.uid.value: (
            event.dtstart.value.astimezone(dt.UTC),
            event.duration.value,
            event.summary.value,
            event.description.value if hasattr(event, "description") else "",
            event.location.value if hasattr(event, "location") else "",
            int(event.sequence.value),
        )
        for event in getattr(calendar, "vevent_list", ())
    }


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("Europe/Berlin", [dt.datetime(2026, 3, 29, 1), dt.datetime(2026, 10, 25, 1)]),
        ("America/New_York", [dt.datetime(2026, 3, 8, 7), dt.datetime(2026, 11, 1, 6)]),
        ("Australia/Lord_Howe", [dt.datetime(2026, 4, 4, 15), dt.datetime(2026, 10, 3, 15, 30)]),
        ("Pacific/Apia", []),
        ("Asia/Kathmandu", []),
    ],
)
def test_two_programs_read_the_same_times_as_we_mean(zone: str, changes: list[dt.datetime]) -> None:
    person = UserFactory(time_zone=zone)
    around = [at + dt.timedelta(minutes=minutes) for at in changes for minutes in (-61, -1, 0, 1, 61)]
    instants = [*around, dt.datetime(2026, 7, 1, 12), dt.datetime(2027, 1, 1, 12)]
    rows = [planned(person, WallTime.of(at.replace(tzinfo=dt.UTC), zone).local, f"{at}") for at in instants]

    body = feed_of(person, now=NOW).body

    meant = {uid_of(row): row.due_at for row in FollowUp.objects.filter(pk__in=[row.pk for row in rows])}
    assert {uid: event[0] for uid, event in read_by_icalendar(body).items()} == meant
    # vobject reads the zone from the definitions in the feed itself, not from this machine.
    assert {uid: event[0] for uid, event in read_by_vobject(body).items()} == meant
    assert read_by_icalendar(body) == read_by_vobject(body)


def test_hostile_words_stay_words(rep: User) -> None:
    planned(rep, dt.datetime(2026, 3, 29, 2, 30), HOSTILE, note=HOSTILE, location="Room 1; left, \\ up")
    body = feed_of(rep, now=NOW).body
    [(_uid, event)] = read_by_icalendar(body).items()
    assert read_by_icalendar(body) == read_by_vobject(body)
    assert event[2] == HOSTILE[:200].replace("\r\n", "\n").replace("\x0b\x1f", "")
    assert body.count(b"BEGIN:VEVENT\r\n") == 1
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"")


def test_clock_changes_are_found_to_the_second() -> None:
    zone = zone_of("Pacific/Apia")
    [*_before, (before, after)] = clock_changes(
        zone, dt.datetime(2011, 12, 1, tzinfo=dt.UTC), dt.datetime(2012, 1, 20, tzinfo=dt.UTC)
    )
    assert (before, after) == (
        dt.datetime(2011, 12, 30, 9, 59, 59, tzinfo=dt.UTC), dt.datetime(2011, 12, 30, 10, tzinfo=dt.UTC),
    )  # fmt: skip


def test_an_occurrence_keeps_its_name_when_it_is_planned(rep: User) -> None:
    first = planned(rep, dt.datetime(2026, 3, 23, 9), repeat=Repeat("FREQ=WEEKLY"))
    ahead = read_by_icalendar(feed_of(rep, now=NOW).body)
    assert len(ahead) == 13
    following = complete_follow_up(first, by=rep, now=NOW)
    assert following is not None
    assert uid_of(FollowUp.objects.get(pk=following.pk)) in ahead
    after = read_by_icalendar(feed_of(rep, now=NOW).body)
    assert after.keys() == ahead.keys()
    assert after[uid_of(FollowUp.objects.get(pk=first.pk))][2] == "✓ Call"


def test_names_stay_and_sequences_rise(rep: User) -> None:
    row = planned(rep, dt.datetime(2026, 3, 23, 9))
    [(uid, before)] = read_by_icalendar(feed_of(rep, now=NOW).body).items()
    due = WallTime(dt.datetime(2026, 3, 24, 9), rep.time_zone)
    edit_follow_up(row, plan=replace(plan_of(row), due=due), by=rep, now=NOW)
    [(again, after)] = read_by_icalendar(feed_of(rep, now=NOW).body).items()
    assert uid == again
    assert (before[-1], after[-1]) == (0, 1)


# --- The address ----------------------------------------------------------------------------------------------------


def test_only_its_holder_reads_it_until_it_ends(rep: User, client: Client) -> None:
    planned(rep, dt.datetime(2026, 3, 23, 9))
    secret = issue_feed(rep, by=rep, now=NOW)
    url = reverse("calendar_feed", args=[secret])
    response = client.get(url)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Referrer-Policy"] == "no-referrer"
    assert secret not in str(Token.objects.values_list())

    again = issue_feed(rep, by=rep, now=NOW)
    assert client.get(url).status_code == 404
    assert client.get(reverse("calendar_feed", args=[again])).status_code == 200
    revoke_feed(rep, by=rep, now=NOW)
    assert client.get(reverse("calendar_feed", args=[again])).status_code == 404


def test_it_dies_with_the_account(rep: User, client: Client) -> None:
    secret = issue_feed(rep, by=rep, now=NOW)
    rep.is_active = False
    rep.save()
    assert client.get(reverse("calendar_feed", args=[secret])).status_code == 404


def test_programs_find_what_they_ask_of_a_feed(rep: User, client: Client) -> None:
    for zone, hour in (("Europe/Berlin", 9), ("America/New_York", 10)):
        rep.time_zone = zone
        planned(rep, dt.datetime(2026, 11, 23, hour))
    rep.save()
    url = reverse("calendar_feed", args=[issue_feed(rep, by=rep, now=NOW)])

    response = client.get(url)

    calendar = icalendar.Calendar.from_ical(response.content)
    assert calendar["X-WR-CALNAME"] == calendar["NAME"] == f"Voronka: {rep}"
    assert calendar.decoded("REFRESH-INTERVAL") == dt.timedelta(hours=1)
    events = calendar.walk("VEVENT")
    named = {str(event["DTSTART"].params["TZID"]) for event in events}
    assert (
        [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")]
        == sorted(named)
        == ["America/New_York", "Europe/Berlin"]
    )
    for event in events:
        for stamp in ("DTSTAMP", "LAST-MODIFIED"):
            assert event[stamp].to_ical().endswith(b"Z")
    # Kept and asked after: an answer nobody may keep has no use for a mark.
    assert response["Cache-Control"] == "private, no-cache"
    head = client.head(url)
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", response["ETag"])
    # A proxy that packs the answer weakens its mark.
    assert client.get(url, headers={"If-None-Match": f"W/{response['ETag']}"}).status_code == 304
    assert client.get(url).content == response.content


def test_nothing_new_is_said_so(rep: User, client: Client) -> None:
    row = planned(rep, dt.datetime(2026, 3, 23, 9))
    url = reverse("calendar_feed", args=[issue_feed(rep, by=rep, now=NOW)])
    first = client.get(url)
    assert client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.get(url, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 304
    FollowUp.objects.filter(pk=row.pk).update(title="Write")
    assert client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_record_one_no_longer_sees_has_no_name_in_it(rep: User, outsider: User) -> None:
    lead: Lead = LeadFactory(owner=outsider, name="Secret Ltd")
    plan = Plan("Help", WallTime(dt.datetime(2026, 3, 23, 9), "UTC"), rep)
    plan_follow_up(lead, plan=plan, by=None, now=NOW)
    assert b"Secret" not in feed_of(rep, now=NOW).body


def test_settings_make_it_and_end_it(rep: User, client: Client) -> None:
    client.force_login(rep)
    response = client.post(reverse("calendar_feed_issue"))
    assert "/calendar/feed/" in response.text
    assert response["Cache-Control"] == "no-store"
    assert reverse("calendar_feed_revoke") in client.get(reverse("user_settings")).text
    client.post(reverse("calendar_feed_revoke"))
    assert reverse("calendar_feed_revoke") not in client.get(reverse("user_settings")).text
