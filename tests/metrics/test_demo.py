"""The invented company: the same for the same seed, believable, and loaded once."""

from __future__ import annotations

import datetime as dt
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from crm.models import AuditEntry, FollowUp, Lead, User
from pipeline.models import Contract, Deal, StageVisit

pytestmark = pytest.mark.django_db


def load(**options: object) -> str:
    said = StringIO()
    call_command("load_demo", "--deals=120", "--as-of=2026-07-02", stdout=said, **options)
    return said.getvalue()


def fingerprint() -> list[tuple[object, ...]]:
    deals = Deal.objects.order_by("pk").values_list("name", "amount", "currency", "created_at", "won_at", "stage__slug")
    return list(deals)


def loaded_and_forgotten(seed: int) -> list[tuple[object, ...]]:
    with transaction.atomic():
        load(seed=seed)
        found = fingerprint()
        transaction.set_rollback(True)
    return found


def test_a_seed_and_a_day_repeat_the_company() -> None:
    first = loaded_and_forgotten(seed=3)
    assert len(first) == 120
    assert loaded_and_forgotten(seed=3) == first
    assert loaded_and_forgotten(seed=4) != first


def test_the_company_is_believable() -> None:
    load()
    outcomes = set(Deal.objects.values_list("outcome", flat=True))
    assert outcomes == {"open", "won", "lost"}
    assert StageVisit.objects.filter(direction="back").exists()
    assert not Deal.objects.filter(outcome="lost", loss_reason=None).exists()
    names = " ".join(Deal.objects.values_list("name", flat=True))
    assert re.search("[а-я]", names)
    assert re.search("[a-z]", names)
    day = dt.datetime(2026, 7, 2, tzinfo=dt.UTC)
    assert FollowUp.objects.due_between(day, day + dt.timedelta(days=1)).exists()
    assert Lead.objects.waiting().exists()
    assert Contract.objects.exists()
    assert {person.email for person in User.objects.filter(email__endswith="@demo.test")} >= {
        "rep@demo.test", "manager@demo.test", "admin@demo.test", "viewer@demo.test",
    }  # fmt: skip
    assert set(AuditEntry.objects.exclude(kind="stage").values_list("through", flat=True)) == {"demo"}


def test_next_steps_on_deals_are_those_of_their_follow_ups() -> None:
    load()
    for deal in Deal.objects.open():
        first = (
            FollowUp.objects.open().filter(subject_id=deal.pk, subject_type__model="deal").order_by("due_at").first()
        )
        assert deal.next_step_at == (first.due_at if first else None)


def test_it_is_loaded_once() -> None:
    load()
    with pytest.raises(CommandError, match="already here"):
        load()
    with pytest.raises(CommandError, match="at least 1"):
        call_command("load_demo", "--deals=0")
