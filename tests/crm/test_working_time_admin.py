"""An admin says when people work."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Team, User, WorkingCalendar
from crm.rules.leads import create_lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def settings_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def calendar_form(**changes: object) -> dict[str, object]:
    managements = {f"{prefix}-{key}_FORMS": 0 for prefix in ("spans", "exceptions") for key in ("TOTAL", "INITIAL")}
    return {"name": "Office", "time_zone": "Europe/Berlin", "country": "DE", "region": "BY", **managements, **changes}


def test_calendar_with_hours_is_made(settings_client: Client) -> None:
    hours = {"spans-TOTAL_FORMS": 1, "spans-0-weekday": 0, "spans-0-starts": "09:00", "spans-0-ends": "18:00"}
    added = settings_client.post(reverse("admin:crm_workingcalendar_add"), calendar_form(**hours))
    assert added.status_code == 302, added.context["adminform"].form.errors
    calendar = WorkingCalendar.objects.get(name="Office")
    assert [str(span) for span in calendar.spans.all()] == ["Monday 09:00–18:00"]

    page = settings_client.get(reverse("admin:crm_workingcalendar_change", args=[calendar.pk])).content.decode()
    assert "Corpus Christi" in page  # a holiday of Bavaria


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"region": "XX"}, "Holidays are known for these regions"),
        ({"country": "", "region": "BY"}, "A region belongs to a country"),
        ({"country": "ZZ"}, "Select a valid choice"),
        (
            {"spans-TOTAL_FORMS": 1, "spans-0-weekday": 0, "spans-0-starts": "18:00", "spans-0-ends": "09:00"},
            "end after",
        ),
    ],
)
def test_calendar_that_cannot_be_kept_is_refused(
    settings_client: Client, changes: dict[str, object], said: str
) -> None:
    answer = settings_client.post(reverse("admin:crm_workingcalendar_add"), calendar_form(**changes))
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_only_one_calendar_is_the_organisations(settings_client: Client) -> None:
    WorkingCalendar.objects.update(is_default=False)
    WorkingCalendar.objects.create(name="First", is_default=True)
    answer = settings_client.post(reverse("admin:crm_workingcalendar_add"), calendar_form(is_default="on"))
    assert "Another calendar is the organisation" in answer.content.decode()


def test_absence_is_added(settings_client: Client, rep: User, colleague: User) -> None:
    absence = {"user": rep.pk, "starts_on": "2026-06-08", "ends_on": "2026-06-12", "substitute": colleague.pk}
    assert settings_client.post(reverse("admin:crm_absence_add"), absence).status_code == 302
    assert rep.absences.get().substitute == colleague


def test_running_clocks_follow_changed_hours(settings_client: Client, north: Team) -> None:
    north.working_calendar = WorkingCalendar.objects.create(name="Always")
    north.save()
    friday_evening = dt.datetime(2026, 6, 12, 17, 30, tzinfo=dt.UTC)
    lead = create_lead(fields={"name": "Daria Fomina", "team": north}, by=None, now=friday_evening)
    hours = {"spans-TOTAL_FORMS": 1, "spans-0-weekday": 0, "spans-0-starts": "09:00", "spans-0-ends": "18:00"}
    form = calendar_form(name="Always", country="", region="", time_zone="UTC", **hours)
    address = reverse("admin:crm_workingcalendar_change", args=[north.working_calendar.pk])
    assert settings_client.post(address, form).status_code == 302
    lead.refresh_from_db()
    assert lead.answer_by == dt.datetime(2026, 6, 15, 10, tzinfo=dt.UTC)
