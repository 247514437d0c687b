"""Suspected pairs: found by whatever wrote the records, decided once."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from crm.models import Contact, DuplicateCheck, DuplicateSuspicion, Lead, Strength, User
from crm.rules import suspecting
from crm.rules.errors import NotAllowed
from crm.rules.merged_values import fingerprint
from crm.rules.merging import merge_records, undo_merge
from tests.factories import CompanyFactory, ContactFactory, LeadFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
State = DuplicateSuspicion.State


def check() -> list[DuplicateSuspicion]:
    """Work the queue off, and return what is suspected."""
    suspecting.check_queued(seconds=30, now=NOW)
    return list(DuplicateSuspicion.objects.open())


@pytest.fixture
def pair(rep: User) -> tuple[Lead, Lead]:
    """Two leads with one address."""
    first, second = (LeadFactory(name="Ann Lee", email=email, owner=rep) for email in ("a@x.test", "A@X.test"))
    return first, second


def test_a_pair_is_found_once_with_its_reasons(pair: tuple[Lead, Lead]) -> None:
    [suspicion] = check()
    assert (suspicion.left_id, suspicion.right_id) == tuple(lead.pk for lead in pair)
    assert suspicion.strength == Strength.CERTAIN
    assert suspicion.why == "same e-mail, same name"
    assert not DuplicateCheck.objects.exists()
    suspecting.queue_all()
    assert check() == [suspicion]


def test_bulk_and_raw_writes_are_compared(rep: User) -> None:
    Contact.objects.bulk_create([Contact(name="Ann Lee", phone="+79161234567"), Contact(name="Ann L.")])
    assert check() == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_contact SET phone = '8 916 123-45-67' WHERE name = 'Ann L.'")
    assert [suspicion.kind for suspicion in check()] == ["contact"]


def test_what_no_longer_holds_goes(pair: tuple[Lead, Lead]) -> None:
    check()
    Lead.objects.filter(pk=pair[1].pk).update(email="other@x.test", name="Somebody Else")
    assert check() == []


def test_a_decision_stays(rep: User, pair: tuple[Lead, Lead]) -> None:
    assert suspecting.call_different(check(), by=rep, now=NOW) == 1
    suspecting.queue_all()
    assert check() == []
    assert suspecting.call_open(DuplicateSuspicion.objects.all(), by=rep) == 1
    assert len(check()) == 1


def test_seen_only_where_both_are(rep: User, colleague: User, outsider: User, admin: User) -> None:
    LeadFactory(email="a@x.test", owner=rep)
    LeadFactory(email="a@x.test", owner=outsider)
    suspicions = check()
    for person, count in ((rep, 0), (outsider, 0), (colleague, 0), (admin, 1)):
        assert DuplicateSuspicion.objects.visible_to(person).count() == count
    with pytest.raises(NotAllowed):
        suspecting.call_different(suspicions, by=rep, now=NOW)


def test_a_team_sees_what_it_may_not_decide(colleague: User, pair: tuple[Lead, Lead]) -> None:
    check()
    assert DuplicateSuspicion.objects.visible_to(colleague).count() == 1
    assert DuplicateSuspicion.objects.editable_by(colleague).count() == 0


def test_merging_settles_and_undoing_suspects_again(rep: User, pair: tuple[Lead, Lead]) -> None:
    third = LeadFactory(name="Ann Lee", email="a@x.test", owner=rep)
    other = [row for row in check() if row.right_id == third.pk and row.left_id == pair[1].pk]
    suspecting.call_different(other, by=rep, now=NOW)
    seen = {lead.pk: fingerprint(Lead.objects.get(pk=lead.pk)) for lead in pair}

    made = merge_records(kind="lead", seen=seen, chosen={}, by=rep, now=NOW)

    suspecting.queue_all()
    assert check() == []  # that the second is not the third holds for what it was merged into

    undo_merge(made, by=rep, now=NOW)
    suspecting.queue_all()
    open_pairs = {(row.left_id, row.right_id) for row in check()}
    assert open_pairs == {(pair[0].pk, pair[1].pk), (pair[0].pk, third.pk)}


def test_a_killed_check_is_done_again(pair: tuple[Lead, Lead], monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(suspecting, "compare", die)
        check()
    assert DuplicateCheck.objects.count() == 2
    assert len(check()) == 1


def test_companies_and_namesakes(rep: User) -> None:
    CompanyFactory(name="ООО «Ромашка»", owner=rep)
    CompanyFactory(name="Romashka LLC", owner=rep)
    for _number in range(suspecting.MOST_NAMESAKES + 1):
        ContactFactory(name="Ivan Smirnov", email="", phone="", owner=rep)
    assert [suspicion.kind for suspicion in check()] == ["company"]
