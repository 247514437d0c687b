"""Follow-ups as a list and as a calendar: who sees what, many at once, and few queries however many rows."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crm.models import FollowUp, User
from crm.rules.delivering import deliver_due
from tests.factories import FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db


def steps(person: User, count: int = 3) -> list[FollowUp]:
    due = timezone.now() + dt.timedelta(hours=2)
    lead = LeadFactory(owner=person)
    return [
        FollowUpFactory(subject=lead, assignee=person, title=f"Step {number}", due_at=due, due_local=due)
        for number in range(count)
    ]


def test_people_see_those_of_whom_they_see(client: Client, rep: User, outsider: User, manager: User) -> None:
    steps(rep)
    for person, is_seen in ((rep, True), (manager, True), (outsider, False)):
        client.force_login(person)
        assert ("Step 1" in client.get(reverse("follow_up_list")).text) is is_seen
        today = f"{timezone.localdate():%Y-%m-%d}"
        tomorrow = f"{timezone.localdate() + dt.timedelta(days=2):%Y-%m-%d}"
        url = f"{reverse('calendar_events')}?of=team&start={today}&end={tomorrow}"
        assert (len(client.get(url).json()) == 3) is is_seen


@pytest.mark.parametrize("query", ["state=no", "sort=no", "assignee=999999", "kind=no"])
def test_an_unknown_word_is_404(client: Client, rep: User, query: str) -> None:
    client.force_login(rep)
    assert client.get(f"{reverse('follow_up_list')}?{query}").status_code == 404


@pytest.mark.parametrize("query", ["view=year", "on=tomorrow", "on=0001-01-01", "of=999999", "of=x"])
def test_no_such_calendar_is_404(client: Client, rep: User, query: str) -> None:
    client.force_login(rep)
    assert client.get(f"{reverse('calendar')}?{query}").status_code == 404


def test_many_are_handed_over_and_what_is_not_ones_own_stays(
    client: Client, rep: User, colleague: User, manager: User
) -> None:
    mine, theirs = steps(rep), steps(colleague, 1)
    client.force_login(rep)
    chosen = [row.pk for row in [*mine, *theirs]]
    response = client.post(
        reverse("follow_up_bulk"), {"act": "done", "chosen": chosen, "back": "/follow-ups/"}, follow=True
    )
    assert "3 changed." in response.text
    assert "1 was left" in response.text
    assert FollowUp.objects.open().get() == theirs[0]

    client.force_login(manager)
    client.post(reverse("follow_up_bulk"), {"act": "hand_over", "chosen": chosen, "to": rep.pk})
    assert FollowUp.objects.open().get().assignee == rep


def test_who_gets_many_at_once_is_told_once(client: Client, rep: User, manager: User) -> None:
    given = steps(manager)
    client.force_login(manager)
    client.post(reverse("follow_up_bulk"), {"act": "hand_over", "chosen": [row.pk for row in given], "to": rep.pk})
    FollowUp.objects.filter(pk=given[0].pk).update(done_at=timezone.now())

    deliver_due(seconds=5)

    notice = rep.notifications.get(kind="follow_up_given")
    assert notice.text == "Mara Manager gave you 2 next steps"
    [message] = [each for each in mail.outbox if each.to == [rep.email]]
    assert "Step 0" not in str(message.body)
    assert "Step 2" in str(message.body)


def test_many_are_not_moved_into_the_past(client: Client, rep: User) -> None:
    chosen = steps(rep, 2)
    client.force_login(rep)
    data = {"act": "move", "day": "2020-02-02", "chosen": [row.pk for row in chosen], "back": "/follow-ups/"}
    assert "This day is past." in client.post(reverse("follow_up_bulk"), data, follow=True).text
    assert FollowUp.objects.filter(due_at__year=2020).count() == 0


def test_nothing_is_done_without_saying_what_to(client: Client, rep: User) -> None:
    [step] = steps(rep, 1)
    client.force_login(rep)
    for said in ({"act": "move", "chosen": [step.pk]}, {"act": "hand_over", "chosen": [step.pk]}, {"act": "done"}):
        client.post(reverse("follow_up_bulk"), said)
    step.refresh_from_db()
    assert step.version == 1


def test_more_rows_ask_no_more(
    client: Client, rep: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    steps(rep, 30)
    client.force_login(rep)
    client.get(reverse("follow_up_list"))
    with django_assert_max_num_queries(16):
        assert client.get(reverse("follow_up_list")).status_code == 200
    with django_assert_max_num_queries(16):
        assert client.get(reverse("calendar")).status_code == 200


def test_a_drag_takes_the_newest_version_alone(client: Client, rep: User, colleague: User) -> None:
    [step] = steps(rep, 1)
    first = FollowUp.objects.get(pk=step.pk)
    client.force_login(rep)
    url = reverse("follow_up_move", args=[step.pk])
    said = client.post(url, {"due": "2030-07-03T10:00", "version": 1, "duration_minutes": 45}).json()
    assert (said["version"], said["title"], said["to_label"]) == (2, step.title, "Wed 3 July, 10:00–10:45")
    assert client.post(url, {"due": "2030-07-04T10:00", "version": 1}).status_code == 409
    assert client.post(url, {"due": "soon", "version": 2}).status_code == 422
    step.refresh_from_db()
    assert (f"{step.due_local:%m-%d}", step.duration_minutes) == ("07-03", 45)
    assert client.post(url, {**said["was"], "version": 2}).status_code == 200, "what it was before takes it back"
    due_at, minutes = step.due_at, step.duration_minutes
    step.refresh_from_db()
    assert (step.due_at, step.duration_minutes) != (due_at, minutes)
    assert (step.due_at, step.duration_minutes) == (first.due_at, first.duration_minutes)
    client.force_login(colleague)
    assert client.post(url, {"due": "2030-07-04T10:00", "version": 3}).status_code == 403
