"""A person's own settings."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import AuditEntry, FollowUp, User
from crm.rules.notice_kinds import Channels, all_kinds, channels_of
from tests.factories import FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db

URL = "/settings/"


@pytest.fixture
def client(rep: User) -> Client:
    client = Client()
    client.force_login(rep)
    return client


def said(**changes: str) -> dict[str, str]:
    kept = {"name": "Rita Rep", "language": "en", "time_zone": "UTC", "theme": "auto"}
    quiet = {"digest_at": "08:00", "quiet_from": "", "quiet_until": ""}
    return (
        kept
        | quiet
        | {f"{key}-page": "on" for key in all_kinds()}
        | {f"{key}-mail": "daily" if kind.is_daily else "at_once" for key, kind in all_kinds().items()}
        | changes
    )


def test_settings_are_kept_and_spoken_at_once(client: Client, rep: User) -> None:
    assert client.get(URL).status_code == 200

    data = said(language="ru", theme="dark", quiet_from="22:00", quiet_until="07:00")
    data |= {"reminder-mail": "daily", "digest_at": "17:30"}
    del data["rotting-page"]
    response = client.post(URL, data, follow=True)

    rep.refresh_from_db()
    assert (rep.language, rep.theme, rep.digest_at) == ("ru", "dark", dt.time(17, 30))
    assert (channels_of(rep, "reminder"), channels_of(rep, "rotting")) == (
        Channels(in_page=True, by_mail="daily"),
        Channels(in_page=False, by_mail="at_once"),
    )
    assert (rep.quiet_from, rep.quiet_until) == (dt.time(22), dt.time(7))
    assert '<html lang="ru" data-bs-theme="dark"' in response.text
    assert AuditEntry.objects.about("user", rep.pk)[0].actor == rep


def test_new_zone_keeps_the_figures_of_what_is_planned(client: Client, rep: User) -> None:
    nine = dt.datetime(2030, 7, 2, 9, tzinfo=dt.UTC)
    call = FollowUpFactory(subject=LeadFactory(owner=rep), assignee=rep, due_at=nine, due_local=nine, time_zone="UTC")

    client.post(URL, said(time_zone="Asia/Kathmandu"))

    assert FollowUp.objects.get(pk=call.pk).due_at == dt.datetime(2030, 7, 2, 3, 15, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"language": "tlh"},
        {"time_zone": "Mars/Olympus"},
        {"theme": "neon"},
        {"quiet_from": "22:00"},
        {"quiet_from": "22:00", "quiet_until": "22:00"},
        {"quiet_from": "25:00", "quiet_until": "07:00"},
        {"name": "a\x00b"},
        {"digest_at": "25:00"},
        {"reminder-mail": "by pigeon"},
    ],
)
def test_wrong_values_are_said_beside_their_field(client: Client, rep: User, wrong: dict[str, str]) -> None:
    response = client.post(URL, said(**wrong))

    assert response.status_code == 422
    assert "field-error" in response.text
    rep.refresh_from_db()
    assert (rep.name, rep.language, rep.time_zone) == ("Rita Rep", "en", "UTC")


def test_role_team_and_address_are_not_ones_own(client: Client, rep: User, outsider: User) -> None:
    client.post(URL, said(role="admin", email="boss@example.test", team=str(outsider.team_id), is_active=""))

    before = (rep.role, rep.email, rep.team_id, rep.is_active)
    rep.refresh_from_db()
    assert (rep.role, rep.email, rep.team_id, rep.is_active) == before


def test_strangers_are_sent_to_the_login() -> None:
    assert Client().get(URL).status_code == 302
    assert reverse("user_settings") == URL
