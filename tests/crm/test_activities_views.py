"""The composer of a record's page and the correcting of what was logged."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import Activity, Company, User
from tests.factories import ActivityFactory, CompanyFactory

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}


@pytest.fixture
def company(rep: User) -> Company:
    return CompanyFactory(owner=rep)


def log_url(company: Company) -> str:
    return reverse("activity_create", args=["company", company.pk])


def test_note_is_added_and_the_timeline_told(client: Client, company: Company, rep: User) -> None:
    client.force_login(rep)

    answer = client.post(log_url(company), {"kind": "note", "body": "Likes <b>tea</b>"}, headers=HX)

    assert answer.status_code == 200
    assert "timeline-changed" in answer["HX-Trigger"]
    assert company.activities.get().body == "Likes <b>tea</b>"
    assert "Likes" not in answer.content.decode()  # the composer comes back empty


def test_page_without_a_composer_logs_in_a_dialog(client: Client, company: Company, rep: User) -> None:
    client.force_login(rep)
    in_dialog = {**HX, "HX-Target": "dialog"}

    asked = client.get(f"{log_url(company)}?kind=call", headers=in_dialog)
    assert "dialog-title" in asked.text
    refused = client.post(f"{log_url(company)}?kind=call", {"direction": "sideways"}, headers=in_dialog)
    assert refused.status_code == 422
    assert "dialog-title" in refused.text
    said = {"direction": "out", "response": "positive", "body": "She buys"}
    answer = client.post(f"{log_url(company)}?kind=call", said, headers=in_dialog)

    assert answer.status_code == 200
    assert {"dialog-close", "timeline-changed", "follow-ups-changed"} <= set(json.loads(answer["HX-Trigger"]))
    assert company.activities.get().kind == "call"


def test_without_script_one_is_led_back_to_the_record(client: Client, company: Company, rep: User) -> None:
    client.force_login(rep)

    answer = client.post(log_url(company), {"kind": "call", "direction": "in", "response": "positive", "body": "ja"})

    assert (answer.status_code, answer["Location"]) == (302, company.get_absolute_url())
    call = company.activities.get()
    assert (call.kind, call.direction, call.response) == ("call", "in", "positive")
    assert timezone.now() - call.at < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"kind": "note", "body": ""}, "This field is required."),
        ({"kind": "note", "body": "x" * 10_001}, "at most 10000 characters"),
        ({"kind": "note", "body": "a\x00b"}, "Null characters are not allowed."),
        ({"kind": "call", "body": "kept words", "direction": "up"}, "Select a valid choice"),
        ({"kind": "call", "body": "kept words", "direction": "out", "duration_minutes": "-1"}, "greater than or equal"),
        ({"kind": "call", "body": "kept words", "direction": "out", "at": "2999-01-01T10:00"}, "plan a follow-up"),
        ({"kind": "call", "body": "kept words", "direction": "out", "at": "soon"}, "valid date/time"),
    ],
)
@pytest.mark.parametrize("headers", [HX, {}])
def test_wrong_value_is_named_and_the_rest_kept(
    client: Client, company: Company, rep: User, sent: dict[str, str], complaint: str, headers: dict[str, str]
) -> None:
    client.force_login(rep)

    answer = client.post(log_url(company), {"response": "none"} | sent, headers=headers)

    text = answer.content.decode()
    assert answer.status_code == 422
    assert complaint in text
    assert "kept words" in text or "kept words" not in sent["body"]
    assert not company.activities.exists()


def test_unknown_kind_of_record_or_activity_is_not_found(client: Client, company: Company, rep: User) -> None:
    client.force_login(rep)

    assert client.get(reverse("activity_create", args=["user", rep.pk])).status_code == 404
    assert client.get(log_url(company), {"kind": "smoke-signal"}, headers=HX).status_code == 404


def test_each_kind_asks_for_what_belongs_to_it(client: Client, company: Company, rep: User) -> None:
    client.force_login(rep)

    for kind, field in [("call", "duration_minutes"), ("email", "title"), ("meeting", "response")]:
        assert f'name="{field}"' in client.get(log_url(company), {"kind": kind}, headers=HX).content.decode()


def test_outsider_finds_nothing_reader_is_refused(
    client: Client, company: Company, rep: User, outsider: User, colleague: User, viewer: User
) -> None:
    note = ActivityFactory(subject=company, author=rep)
    urls = [log_url(company), *(reverse(f"activity_{verb}", args=[note.pk]) for verb in ("edit", "delete"))]
    for person, status in ((outsider, 404), (colleague, 403), (viewer, 403)):
        client.force_login(person)
        assert [client.post(url, {"kind": "note", "body": "x"}).status_code for url in urls] == [status] * 3
    note.refresh_from_db()
    assert note.deleted_at is None
    assert company.activities.count() == 1


def test_only_posting_deletes(client: Client, company: Company, rep: User) -> None:
    note = ActivityFactory(subject=company, author=rep)
    client.force_login(rep)

    for verb in ("delete", "restore"):
        assert client.get(reverse(f"activity_{verb}", args=[note.pk])).status_code == 405


def test_correcting_keeps_what_was_not_changed(client: Client, company: Company, rep: User) -> None:
    at = timezone.now().replace(second=33, microsecond=7) - dt.timedelta(days=2)
    call = ActivityFactory(subject=company, author=rep, at=at, body="before")
    client.force_login(rep)
    page = client.get(reverse("activity_edit", args=[call.pk]), headers=HX)
    shown = f"{at:%Y-%m-%dT%H:%M}"
    assert shown in page.content.decode()

    answer = client.post(
        reverse("activity_edit", args=[call.pk]),
        {"body": "after", "direction": "out", "response": "negative", "at": shown},
        headers=HX,
    )

    assert "dialog-close" in answer["HX-Trigger"]
    call.refresh_from_db()
    assert (call.body, call.response, call.at) == ("after", "negative", at)


def test_deleted_activity_comes_back_by_undo(client: Client, company: Company, rep: User, colleague: User) -> None:
    call = ActivityFactory(subject=company, author=rep, body="before")
    client.force_login(rep)

    answer = client.post(reverse("activity_delete", args=[call.pk]), headers=HX)

    restore = reverse("activity_restore", args=[call.pk])
    assert f'hx-post="{restore}"' in answer.content.decode()
    assert not Activity.objects.present().exists()
    client.force_login(colleague)
    assert client.post(restore).status_code == 404
    client.force_login(rep)
    assert client.post(restore, headers=HX).status_code == 200
    assert Activity.objects.present().get() == call
    assert client.post(restore, headers=HX).status_code == 404


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00", "0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59", "1899-12-31T10:00"]
)
def test_a_moment_that_no_clock_shows_is_refused(client: Client, company: Company, rep: User, at: str) -> None:
    client.force_login(rep)
    said = {"kind": "call", "direction": "out", "response": "positive", "at": at}
    assert client.post(log_url(company), said, headers=HX).status_code == 422
    assert not company.activities.exists()


def test_an_offset_that_postgresql_does_not_know_is_a_moment_all_the_same(
    client: Client, company: Company, rep: User
) -> None:
    client.force_login(rep)
    said = {"kind": "call", "direction": "out", "response": "positive", "at": "2026-01-02T00:00+23:59"}
    assert client.post(log_url(company), said, headers=HX).status_code == 200
    assert company.activities.get().at == dt.datetime(2026, 1, 1, 0, 1, tzinfo=dt.UTC)
