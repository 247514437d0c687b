"""Looks for pairs of records that may be one, and remembers what people decided about them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crm.models import DuplicateCheck, DuplicateSuspicion, Lead, Merge, Reason, Strength, User
from crm.models.duplicates import MERGEABLE
from crm.rules.audit import acting
from crm.rules.candidates import Facts
from crm.rules.duplicates import MODELS, Suspect, suspects_of_each
from crm.rules.errors import NotAllowed

CHECKED_AT_ONCE = 500
MOST_PAIRS = 10
"""So many pairs are kept of one record, the surest; who has more shares a mailbox with a crowd."""
MOST_NAMED = 3
"""So many leads, and so many contacts, are named on a lead's page."""
MOST_NAMESAKES = 3
"""A pair of which only the name says so is worth a person's time where few bear it."""

State = DuplicateSuspicion.State


def check_queued(*, seconds: float, now: dt.datetime) -> int:
    """Compare the records in the queue with the others, for about so long; return how many were compared."""
    ends_at, checked = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at:
        step = sum(check_some(kind, now=now) for kind in MERGEABLE)
        checked += step
        if not step:
            break
    return checked


def check_some(kind: str, *, now: dt.datetime) -> int:
    """Compare the next records of `kind` in the queue: one transaction, so that what is killed is done again."""
    with transaction.atomic():
        queued = DuplicateCheck.objects.filter(kind=kind).order_by("pk").select_for_update(skip_locked=True)
        rows = list(queued[:CHECKED_AT_ONCE])
        if rows:
            compare(kind, sorted({row.record_id for row in rows}), now=now)
            DuplicateCheck.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def compare(kind: str, ids: Sequence[int], *, now: dt.datetime) -> None:
    """Write down the suspicions of the records `ids`, and drop open ones that no longer hold."""
    records = list(_present(kind, ids))
    found: dict[tuple[int, int], Suspect] = {}
    of_each = suspects_of_each(kind, [facts_of(record) for record in records], seen_by=None)
    for record, suspects in zip(records, of_each, strict=True):
        for suspect in _worth_a_look(suspects, record.pk):
            found[_pair(record.pk, suspect.record.pk)] = suspect
    _write(kind, found, now)
    _drop_stale(kind, ids, found)


def queue_all() -> None:
    """Have every record compared anew, in the steps of the queue: for names of companies that changed, and the like."""
    for kind in MERGEABLE:
        pks = MODELS[kind].objects.present().order_by("pk").values_list("pk", flat=True)
        batch = (DuplicateCheck(kind=kind, record_id=pk) for pk in pks.iterator(chunk_size=5_000))
        DuplicateCheck.objects.bulk_create(batch, batch_size=5_000)
    _forget_gone()


def call_different(suspicions: Iterable[DuplicateSuspicion], *, by: User, now: dt.datetime) -> int:
    """Remember that these pairs are not the same, for good; raises NotAllowed for who may not change the records."""
    ids = [suspicion.pk for suspicion in suspicions]
    with acting(by):
        rows = DuplicateSuspicion.objects.filter(pk__in=ids)
        if rows.editable_by(by).count() != len(ids):
            raise NotAllowed(_("You may look at this, but not change it."))
        return rows.open().update(state=State.DIFFERENT, decided_by=by, decided_at=now)


def call_open(suspicions: Iterable[DuplicateSuspicion], *, by: User) -> int:
    """Suspect pairs again that were called different; raises NotAllowed as `call_different`."""
    ids = [suspicion.pk for suspicion in suspicions]
    with acting(by):
        rows = DuplicateSuspicion.objects.filter(pk__in=ids)
        if rows.editable_by(by).count() != len(ids):
            raise NotAllowed(_("You may look at this, but not change it."))
        return rows.filter(state=State.DIFFERENT).update(state=State.OPEN, decided_by=None, decided_at=None)


def settle_pairs(merge: Merge, *, ids: Sequence[int], by: User, now: dt.datetime) -> None:
    """Close the pairs among the merged records, and bring over what was said of them and third ones."""
    pairs = DuplicateSuspicion.objects.filter(kind=merge.kind)
    among = pairs.filter(left_id__in=ids, right_id__in=ids)
    among.exclude(state=State.MERGED).update(state=State.MERGED, merge=merge, decided_by=by, decided_at=now)
    different = pairs.filter(Q(left_id__in=ids) | Q(right_id__in=ids), state=State.DIFFERENT)
    brought = [_brought_over(merge, pair, ids, by, now) for pair in different if merge.survivor_id not in _ids(pair)]
    for pair in brought:
        pairs.open().filter(left_id=pair.left_id, right_id=pair.right_id).delete()
    DuplicateSuspicion.objects.bulk_create(brought, ignore_conflicts=True)


def reopen_pairs(merge: Merge) -> None:
    """Undo `settle_pairs`: the pairs of the merge are open again, and what was brought over goes."""
    merge.suspicions.filter(state=State.DIFFERENT).delete()
    DuplicateCheck.objects.create(kind=merge.kind, record_id=merge.survivor_id)
    merge.suspicions.filter(state=State.MERGED).update(state=State.OPEN, merge=None, decided_by=None, decided_at=None)


def people_like(lead: Lead, *, seen_by: User) -> list[Suspect]:
    """Return the few leads and contacts that a lead may be, the surest first; none that somebody called different."""
    pairs = DuplicateSuspicion.objects.about("lead", lead.pk).filter(state=State.DIFFERENT)
    different = {pk for pair in pairs for pk in _ids(pair)}
    facts = [facts_of(lead)]
    [leads] = suspects_of_each("lead", facts, seen_by=seen_by, exclude={lead.pk, *different})
    [contacts] = suspects_of_each("contact", facts, seen_by=seen_by)
    found = _worth_a_look(leads, lead.pk)[:MOST_NAMED] + _worth_a_look(contacts, 0)[:MOST_NAMED]
    return sorted(found, key=lambda suspect: -suspect.strength)


def facts_of(record: Any) -> Facts:
    """Return what a lead, contact or company says of who it is."""
    company = getattr(record, "company_name", None) or getattr(record, "company", None) or ""
    return Facts(
        name=record.name,
        email=getattr(record, "email", ""),
        phone=getattr(record, "phone", ""),
        company=str(company),
        domain=getattr(record, "domain", ""),
    )


def _present(kind: str, ids: Sequence[int]) -> Any:
    rows = MODELS[kind].objects.present().filter(pk__in=ids)
    return rows.select_related("company") if kind == "contact" else rows


def _worth_a_look(suspects: Sequence[Suspect], own_id: int) -> list[Suspect]:
    others = [suspect for suspect in suspects if suspect.record.pk != own_id]
    by_name = [suspect for suspect in others if suspect.reasons == (Reason.NAME,)]
    if len(by_name) >= MOST_NAMESAKES:
        others = [suspect for suspect in others if suspect.strength > Strength.POSSIBLE]
    return others[:MOST_PAIRS]


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _ids(pair: DuplicateSuspicion) -> tuple[int, int]:
    return pair.left_id, pair.right_id


def _write(kind: str, found: dict[tuple[int, int], Suspect], now: dt.datetime) -> None:
    """Add the pairs that are new; of those that are known only what speaks for them is renewed, never the decision."""
    DuplicateSuspicion.objects.bulk_create(
        [
            DuplicateSuspicion(
                kind=kind,
                left_id=left,
                right_id=right,
                reasons=list(suspect.reasons),
                strength=suspect.strength,
                found_at=now,
            )
            for (left, right), suspect in sorted(found.items())
        ],
        update_conflicts=True,
        unique_fields=["kind", "left_id", "right_id"],
        update_fields=["reasons", "strength"],
    )


def _drop_stale(kind: str, ids: Sequence[int], found: dict[tuple[int, int], Suspect]) -> None:
    about = DuplicateSuspicion.objects.open().filter(Q(left_id__in=ids) | Q(right_id__in=ids), kind=kind)
    stale = [pk for pk, *pair in about.values_list("pk", "left_id", "right_id") if tuple(pair) not in found]
    DuplicateSuspicion.objects.filter(pk__in=stale).delete()


def _forget_gone() -> None:
    """Drop open pairs of which a record is in the bin or gone."""
    for kind in MERGEABLE:
        present = MODELS[kind].objects.present().order_by().values("pk")
        pairs = DuplicateSuspicion.objects.open().filter(kind=kind)
        pairs.exclude(left_id__in=present, right_id__in=present).delete()


def _brought_over(
    merge: Merge, pair: DuplicateSuspicion, ids: Sequence[int], by: User, now: dt.datetime
) -> DuplicateSuspicion:
    """The survivor is not the same either as whom one of its parts was said not to be."""
    third = pair.right_id if pair.left_id in ids else pair.left_id
    left, right = _pair(merge.survivor_id, third)
    return DuplicateSuspicion(
        kind=merge.kind,
        left_id=left,
        right_id=right,
        reasons=pair.reasons,
        strength=pair.strength,
        state=State.DIFFERENT,
        decided_by=pair.decided_by or by,
        decided_at=pair.decided_at or now,
        merge=merge,
    )
