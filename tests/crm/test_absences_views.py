"""Saying that one will be away, and being back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm.models import Absence, AuditEntry, FollowUp, User
from crm.rules.hand_overs import follow_absences
from tests.factories import FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db

NEW = "/settings/absences/new/"
DAY = dt.timedelta(days=1)


@pytest.fixture
def client(rep: User) -> Client:
    browser = Client()
    browser.force_login(rep)
    return browser


def leave(**changes: Any) -> dict[str, Any]:
    today = timezone.localdate()
    return {"starts_on": (today - DAY).isoformat(), "ends_on": (today + 7 * DAY).isoformat(), **changes}


def test_away_with_a_substitute_and_back_early(client: Client, rep: User, colleague: User) -> None:
    call: FollowUp = FollowUpFactory(
        subject=LeadFactory(owner=rep), assignee=rep, due_at=timezone.now() + 3 * DAY, title="Call Irina"
    )

    response = client.post(NEW, leave(substitute=colleague.pk, note="Sea"), follow=True)

    assert response.redirect_chain == [("/settings/#absences", 302)]
    for words in ("Carl Colleague stands in", "Sea", "I am back"):
        assert words in response.text
    assert follow_absences(now=timezone.now()) == (1, 0)
    call.refresh_from_db()
    assert call.assignee == colleague
    assert AuditEntry.objects.filter(kind="absence", actor=rep).exists()

    absence = Absence.objects.get()
    response = client.post(f"/settings/absences/{absence.pk}/end/", follow=True)

    assert "Carl Colleague stands in" not in response.text
    assert follow_absences(now=timezone.now()) == (0, 1)
    call.refresh_from_db()
    assert call.assignee == rep


def test_in_a_dialog_the_settings_hear_of_it(client: Client) -> None:
    page = client.get(NEW, headers={"HX-Request": "true"}).text
    assert 'id="id_absence_starts_on"' in page
    response = client.post(NEW, leave(), headers={"HX-Request": "true"})
    assert {"absences-changed", "dialog-close"} <= set(response["HX-Trigger"].replace('"', " ").split())
    assert "nobody stands in" in client.get("/settings/").text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ends_on": "2020-01-01"}, "The last day is not before the first."),
        ({"starts_on": "2020-01-01", "ends_on": "2020-01-02"}, "This day is past."),
        ({"ends_on": "2999-01-01"}, "Choose at most a year."),
        ({"starts_on": "soon"}, "Enter a valid date."),
        ({"substitute": "0"}, "Select a valid choice."),
    ],
)
def test_wrong_days_are_said_beside_them(client: Client, changes: dict[str, str], words: str) -> None:
    response = client.post(NEW, leave(**changes))
    assert response.status_code == 422
    assert words in response.text
    assert not Absence.objects.exists()


def test_one_stands_in_for_others_whom_they_see(client: Client, rep: User, outsider: User, viewer: User) -> None:
    for other in (rep, outsider, viewer):
        assert client.post(NEW, leave(substitute=other.pk)).status_code == 422


def test_what_is_over_or_anothers_cannot_be_called_off(client: Client, rep: User, colleague: User) -> None:
    today = timezone.localdate()
    for person, last in ((rep, today - 2 * DAY), (colleague, today + DAY)):
        absence = Absence.objects.create(user=person, starts_on=today - 3 * DAY, ends_on=last)
        assert client.post(f"/settings/absences/{absence.pk}/end/").status_code == 404
    assert Absence.objects.count() == 2
