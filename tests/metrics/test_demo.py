"""The invented company: the same for the same seed, believable, and loaded once."""

from __future__ import annotations

import datetime as dt
import random
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Max, Q

from crm.models import (
    Absence,
    Activity,
    AssignmentRule,
    AuditEntry,
    CalendarException,
    Campaign,
    DuplicateSuspicion,
    EmailTemplate,
    FollowUp,
    Lead,
    LeadForm,
    QualifyingAnswer,
    Segment,
    Sequence,
    Submission,
    User,
    WorkingCalendar,
)
from crm.rules.merge_fields import check_text
from crm.rules.segments import people_in
from crm.rules.suspecting import check_queued
from metrics.demo.customers import _organisation
from pipeline.models import Contract, Deal, RuleFiring, StageRule, StageVisit
from tests.factories.qualifying import default_questions

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 7, 2, 12, tzinfo=dt.UTC)


def load(**options: object) -> str:
    said = StringIO()
    call_command("load_demo", "--deals=120", "--as-of=2026-07-02", stdout=said, **options)
    return said.getvalue()


def fingerprint() -> list[tuple[object, ...]]:
    deals = Deal.objects.order_by("pk").values_list("name", "amount", "currency", "created_at", "won_at", "stage__slug")
    leads = Lead.objects.order_by("pk").values_list("name", "phone", "created_at", "answer_by", "campaign__name")
    visits = Submission.objects.order_by("pk").values_list("fields", "state", "reason", "at")
    return [*deals, *leads, *((str(said), *rest) for said, *rest in visits)]


def loaded_and_forgotten(seed: int) -> list[tuple[object, ...]]:
    with transaction.atomic():
        load(seed=seed)
        found = fingerprint()
        transaction.set_rollback(True)
    return found


def test_a_seed_and_a_day_repeat_the_company() -> None:
    first = loaded_and_forgotten(seed=3)
    assert len(first) > 120
    assert loaded_and_forgotten(seed=3) == first
    assert loaded_and_forgotten(seed=4) != first


def test_the_company_is_believable() -> None:
    before = AuditEntry.objects.aggregate(last=Max("pk"))["last"] or 0
    load()
    outcomes = set(Deal.objects.values_list("outcome", flat=True))
    assert outcomes == {"open", "won", "lost"}
    assert StageVisit.objects.filter(direction="back").exists()
    assert not Deal.objects.filter(outcome="lost", loss_reason=None).exists()
    assert StageRule.objects.in_force().exists()
    assert not RuleFiring.objects.exists()  # what is invented sets off no rule
    names = " ".join(Deal.objects.values_list("name", flat=True))
    assert re.search("[а-я]", names)
    assert re.search("[a-z]", names)
    day = dt.datetime(2026, 7, 2, tzinfo=dt.UTC)
    near = dt.timedelta(days=14)  # of so few deals hardly any is due on the very day
    assert FollowUp.objects.open().filter(due_at__range=(day - near, day + near)).exists()
    assert Lead.objects.waiting().exists()
    assert Contract.objects.exists()
    assert {person.email for person in User.objects.filter(email__endswith="@demo.test")} >= {
        "rep@demo.test", "manager@demo.test", "admin@demo.test", "viewer@demo.test",
    }  # fmt: skip
    written = AuditEntry.objects.filter(pk__gt=before).exclude(kind="stage")
    assert set(written.values_list("through", flat=True)) == {"demo"}


def test_it_shows_what_there_is_for_leads() -> None:
    default_questions()
    load()
    assert WorkingCalendar.objects.get(is_default=True).country == "DE"
    assert CalendarException.objects.exists()
    assert Absence.objects.get().substitute is not None
    for rule in AssignmentRule.objects.in_force():
        assert rule.candidates()
    form = LeadForm.objects.get()
    assert form.submissions.filter(state="taken", lead__isnull=False).exists()
    assert form.submissions.kept_out().values("reason").distinct().count() > 1
    for segment in Segment.objects.select_related("owner"):
        assert people_in(segment, seen_by=segment.owner, now=NOW).exists(), segment
    assert QualifyingAnswer.objects.filter(answer="no").exists()
    for campaign in Campaign.objects.all():
        campaign.full_clean()
        assert campaign.spend.exists(), campaign
    assert Campaign.objects.filter(leads__isnull=False).exists()
    for template in EmailTemplate.objects.all():
        check_text(f"{template.subject} {template.subject_ru} {template.body} {template.body_ru}")
    sequence = Sequence.objects.running().get()
    assert [step.kind for step in sequence.steps.present()] == ["email", "wait", "follow_up", "wait", "email"]


def test_only_the_doubles_are_suspected() -> None:
    """Or the list of duplicates would be full of chance."""
    load()
    check_queued(seconds=30, now=NOW)
    assert 6 <= DuplicateSuspicion.objects.count() <= 30
    assert not DuplicateSuspicion.objects.filter(kind="company").exists()


def test_no_two_of_many_customers_have_one_name() -> None:
    rng = random.Random(1)
    names = [_organisation(rng, number, is_russian=number % 4 == 0)[0] for number in range(2_000)]
    assert len(set(names)) == len(names)


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


def test_the_last_sign_of_interest_is_that_of_the_touches() -> None:
    """It is written with the lead, past the trigger that follows touches."""
    load()
    theirs = Q(direction="in") | Q(response="positive")
    signs = Activity.objects.filter(theirs, subject_type__model="lead").exclude(kind="note")
    latest = dict(signs.values_list("subject_id").annotate(latest=Max("at")))
    assert latest
    assert dict(Lead.objects.exclude(last_sign_at=None).values_list("pk", "last_sign_at")) == latest
