"""The bell and what it rings for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Lead, Notification, User
from pipeline.models import Deal
from tests.factories import DealFactory, FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def notice(user: User, subject: Lead | Deal, text: str = "Call Daria", **fields: Any) -> Notification:
    key = f"test:{Notification.objects.count()}"
    fields = {"kind": "reminder", **fields}
    return Notification.objects.create(user=user, subject=subject, text=text, dedupe_key=key, **fields)


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep)


@pytest.fixture
def deal(rep: User) -> Deal:
    return DealFactory(owner=rep)


@pytest.fixture
def client(rep: User) -> Client:
    client = Client()
    client.force_login(rep)
    return client


def test_list_shows_ones_own(client: Client, rep: User, colleague: User, lead: Lead) -> None:
    notice(rep, lead, "Mine <b>bold</b>")
    notice(colleague, lead, "Not mine")

    page = client.get(reverse("notification_list")).text

    assert "Mine &lt;b&gt;bold&lt;/b&gt;" in page
    assert "Not mine" not in page


def test_opening_reads_it_and_leads_to_its_record(client: Client, rep: User, lead: Lead) -> None:
    found = notice(rep, lead)

    response = client.post(reverse("notification_open", args=[found.pk]))

    assert response["Location"] == lead.get_absolute_url()
    found.refresh_from_db()
    assert found.read_at is not None


def test_record_one_no_longer_sees_leads_back_to_the_list(
    client: Client, rep: User, outsider: User, lead: Lead
) -> None:
    found = notice(rep, lead)
    Lead.objects.update(owner=outsider)

    assert client.post(reverse("notification_open", args=[found.pk]))["Location"] == reverse("notification_list")


def test_what_it_says_of_a_record_goes_with_the_right_to_see_it(
    client: Client, rep: User, outsider: User, lead: Lead, deal: Deal
) -> None:
    mine = FollowUpFactory(subject=lead, assignee=rep)
    first = notice(rep, deal, "Deal of ours")
    notice(rep, lead, "Mailbox away", kind="mailbox_trouble")
    notice(rep, lead, "My next step", follow_up=mine)
    notice(rep, lead, "Daria wrote: the price?")
    Lead.objects.update(owner=outsider)

    for page in ("notification_list", "my_day"):
        text = client.get(reverse(page)).text
        assert [words in text for words in ("Daria wrote", "can no longer see")] == [False, True], page
        assert all(words in text for words in ("Deal of ours", "Mailbox away", "My next step")), page
    rung = client.get(reverse("notification_bell"), {"seen": f"1-{first.pk}"}, headers=HTMX)
    assert "Daria" not in rung["HX-Trigger"]
    assert "Reminders of next steps" in rung["HX-Trigger"]


def test_the_list_asks_once_a_kind_of_record(
    client: Client, rep: User, deal: Deal, django_assert_max_num_queries: Any
) -> None:
    for lead in LeadFactory.create_batch(10, owner=rep):
        notice(rep, lead, follow_up=FollowUpFactory(subject=lead, assignee=rep))
        notice(rep, deal)
    client.get(reverse("notification_list"))
    with django_assert_max_num_queries(14):
        assert client.get(reverse("notification_list")).status_code == 200


def test_foreign_notice_is_404_and_a_get_reads_nothing(client: Client, rep: User, colleague: User, lead: Lead) -> None:
    foreign, own = notice(colleague, lead), notice(rep, lead)

    assert client.post(reverse("notification_open", args=[foreign.pk])).status_code == 404
    assert client.get(reverse("notification_open", args=[own.pk])).status_code == 405
    assert client.get(reverse("notification_read_all")).status_code == 405
    assert Notification.objects.unread().count() == 2


def test_read_all_is_ones_own_all(client: Client, rep: User, colleague: User, lead: Lead) -> None:
    notice(rep, lead)
    foreign = notice(colleague, lead)

    client.post(reverse("notification_read_all"))

    assert list(Notification.objects.unread()) == [foreign]


def test_bell_is_silent_while_nothing_changes_and_says_what_came(client: Client, rep: User, lead: Lead) -> None:
    url = reverse("notification_bell")
    first = notice(rep, lead)
    seen = f"1-{first.pk}"
    assert client.get(url, {"seen": seen}, headers=HTMX).status_code == 204

    second = notice(rep, lead, "Call Pavel")
    response = client.get(url, {"seen": seen}, headers=HTMX)

    assert "Call Pavel" in response["HX-Trigger"]
    assert f"seen=2-{second.pk}" in response.text


@pytest.mark.parametrize("seen", ["", "nonsense", "1-" + "9" * 40, "0-0"])
def test_bell_takes_any_nonsense(client: Client, rep: User, lead: Lead, seen: str) -> None:
    notice(rep, lead)

    assert client.get(reverse("notification_bell"), {"seen": seen}, headers=HTMX).status_code == 200


def test_bell_leads_nobody_away_when_the_session_has_ended() -> None:
    response = Client().get(reverse("notification_bell"), {"seen": "1-1"}, headers=HTMX)

    assert (response.status_code, response.content) == (204, b"")
    assert "HX-Redirect" not in response


def test_read_elsewhere_the_bell_tells_nothing_new(client: Client, rep: User, lead: Lead) -> None:
    older, newer = notice(rep, lead), notice(rep, lead)
    client.post(reverse("notification_open", args=[newer.pk]))

    response = client.get(reverse("notification_bell"), {"seen": f"2-{newer.pk}"}, headers=HTMX)

    assert "HX-Trigger" not in response
    assert f"seen=1-{older.pk}" in response.text


def test_admins_are_told_when_nothing_sweeps(client: Client, admin: User, rep: User) -> None:
    from django.utils import timezone

    from crm.models import Heartbeat

    admins = Client()
    admins.force_login(admin)
    url = reverse("notification_list")

    assert "Reminders do not leave." in admins.get(url).text
    assert "Reminders do not leave." not in client.get(url).text
    Heartbeat.objects.create(name="sweeper", at=timezone.now())
    assert "Reminders do not leave." not in admins.get(url).text
