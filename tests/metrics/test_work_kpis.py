"""Follow-ups: done in time, or left lying."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.models import FollowUp
from tests.factories import FollowUpFactory, LeadFactory, UserFactory
from tests.metrics.lives import JULY, at, figures

pytestmark = pytest.mark.django_db


def due(due_at: dt.datetime, done_at: dt.datetime | None = None, **more: object) -> FollowUp:
    more.setdefault("assignee", UserFactory())
    follow_up = FollowUpFactory(subject=LeadFactory(created_at=at(1, 1)), due_at=due_at, done_at=done_at, **more)
    FollowUp.objects.filter(pk=follow_up.pk).update(created_at=at(1, 1))
    return follow_up


def test_done_by_their_time_of_those_that_fell_due():
    due(at(6, 10), at(6, 10))
    due(at(6, 10), at(6, 11))
    due(at(6, 10))
    due(at(6, 10), deleted_at=at(6, 9))
    due(at(7, 1), at(6, 1))
    rate = figures()["on_time_follow_ups"]
    assert (rate.numerator, rate.denominator) == (1, 3)


def test_what_is_not_due_yet_is_not_judged():
    due(at(6, 10))
    due(at(6, 20))
    assert figures(now=at(6, 15))["on_time_follow_ups"].denominator == 1


def test_overdue_now_or_when_the_period_ended():
    due(at(6, 10))
    due(at(6, 10), at(7, 5))
    due(at(6, 10), at(6, 20))
    assert figures(now=at(6, 15))["overdue_follow_ups"].value == 3
    assert figures()["overdue_follow_ups"].value == 2
    assert figures(JULY)["overdue_follow_ups"].value == 1


def test_they_are_their_assignees():
    person = UserFactory()
    due(at(6, 10), assignee=person)
    due(at(6, 10))
    assert figures(owner=person)["on_time_follow_ups"].denominator == 1
