"""The daily digest: once a local date, at the person's hour, of what was kept for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from crm.models import Lead, Notification, NotificationChoice, OutboxRow, User
from crm.rules import daily_digests
from crm.rules.daily_digests import DAILY, Line, Section, plan_digests
from crm.rules.delivering import deliver_due
from crm.rules.user_settings import change_settings
from tests.factories import FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db

Mails = list[EmailMultiAlternatives]
MORNING = dt.datetime(2026, 6, 1, 6, 0, tzinfo=dt.UTC)


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep)


def rows() -> list[tuple[str, dt.datetime]]:
    return list(OutboxRow.objects.filter(kind=DAILY).order_by("due_at").values_list("dedupe_key", "due_at"))


def make_due() -> None:
    past = timezone.now() - dt.timedelta(minutes=1)
    OutboxRow.objects.filter(kind=DAILY).update(due_at=past, available_at=past)


def test_one_row_a_local_date_however_often_it_is_planned(rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(time_zone="Asia/Kathmandu", digest_at=dt.time(9))
    for hours in (0, 1, 2):
        plan_digests(now=MORNING + dt.timedelta(hours=hours))

    # 6:00 UTC is 11:45 there: nine o'clock has gone by.
    assert rows() == [(f"{DAILY}:{rep.pk}:2026-06-02", dt.datetime(2026, 6, 2, 3, 15, tzinfo=dt.UTC))]


def test_the_hour_chosen_anew_moves_the_digest_that_waits(rep: User) -> None:
    plan_digests(now=MORNING)
    change_settings(rep, fields={"digest_at": dt.time(19)}, by=rep, now=MORNING)
    plan_digests(now=MORNING + dt.timedelta(hours=1))
    assert rows() == [(f"{DAILY}:{rep.pk}:2026-06-01", dt.datetime(2026, 6, 1, 19, tzinfo=dt.UTC))]


def test_what_was_kept_comes_once(rep: User, lead: Lead, mailoutbox: Mails) -> None:
    NotificationChoice.objects.create(user=rep, kind="reminder", in_page=False, by_mail="daily")
    call = FollowUpFactory(subject=lead, assignee=rep, title="Call Daria")
    Notification.objects.create(
        user=rep, kind="reminder", subject=lead, follow_up=call, text="Call Daria", dedupe_key="a",
        is_in_page=False, awaits_digest=True,
    )  # fmt: skip
    plan_digests(now=timezone.now())
    make_due()

    deliver_due(seconds=5)

    assert "Call Daria" in mailoutbox[0].body
    assert lead.get_absolute_url() in mailoutbox[0].body
    assert not Notification.objects.filter(awaits_digest=True).exists()
    assert not Notification.objects.filter(user=rep).unread().exists()


def test_what_one_may_no_longer_see_is_not_told(
    rep: User, outsider: User, lead: Lead, mailoutbox: Mails, django_assert_max_num_queries: Any
) -> None:
    gone = LeadFactory(owner=outsider)
    kept = {"user": rep, "kind": "email_arrived", "is_in_page": False, "awaits_digest": True}
    for number in range(5):
        Notification.objects.create(**kept, subject=gone, text="Pavel wrote: the price?", dedupe_key=f"a{number}")
        Notification.objects.create(**kept, subject=lead, text="Daria wrote: yes", dedupe_key=f"b{number}")
    with django_assert_max_num_queries(5):
        section = daily_digests.kept_notices(rep, timezone.now())
    assert section is not None
    assert (section.more, {line.text for line in section.lines}) == (0, {"Answers of customers: Daria wrote: yes"})

    Notification.objects.filter(subject_id=lead.pk).delete()
    plan_digests(now=timezone.now())
    make_due()
    deliver_due(seconds=5)
    assert mailoutbox == []
    assert not Notification.objects.filter(awaits_digest=True).exists()


def test_a_day_without_news_sends_nothing(rep: User, mailoutbox: Mails) -> None:
    plan_digests(now=timezone.now())
    make_due()
    deliver_due(seconds=5)
    assert mailoutbox == []
    assert OutboxRow.objects.get(kind=DAILY).state == OutboxRow.State.CANCELLED


def test_sources_of_other_subjects_are_asked(rep: User, mailoutbox: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    section = Section("Deals", [Line("No <next> step", "/deals/7/")], more=3, then=lambda: done.append("once"))
    monkeypatch.setattr(daily_digests, "sources", [lambda _person, _now: section, lambda _person, _now: None])
    plan_digests(now=timezone.now())
    make_due()

    deliver_due(seconds=5)

    assert "No <next> step" in mailoutbox[0].body
    assert "No &lt;next&gt; step" in str(mailoutbox[0].alternatives[0].content)
    assert "3 more" in mailoutbox[0].body
    assert done == ["once"]
