"""Makes one record of two or more of a kind, and takes it apart again for 30 days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Min
from django.utils.translation import gettext as _

from crm.models import AuditEntry, FollowUp, Lead, Merge, MergedRecord, User
from crm.rules.audit import acting
from crm.rules.duplicates import MODELS
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.forwarding import survivor_id_of
from crm.rules.merged_values import fingerprint, merged_values, survivor_among
from crm.rules.pointing import point_back, point_elsewhere
from crm.rules.records.snapshots import current, put_back
from crm.rules.suspecting import reopen_pairs, settle_pairs

MOST_AT_ONCE = 10
"""More columns than that nobody compares."""


class MergeConflict(RuleError):
    """Somebody changed or merged one of the records since they were shown (409)."""

    code = "conflict"


class NothingToMerge(RuleError):
    """Fewer than two records, or too many (422)."""

    code = "nothing_to_merge"


class TwoDeals(RuleError):
    """More than one of the leads has become a deal: a deal comes from one lead (422)."""

    code = "two_deals"


class CannotUndo(RuleError):
    """The merge was undone, is older than 30 days, or was merged further (409)."""

    code = "cannot_undo"


@dataclass(frozen=True)
class Undone:
    """What came of undoing: the records that are back, and what was left because it had changed since."""

    survivor: Any
    back: Sequence[Any]
    kept_fields: Sequence[str]
    astray: int


def merge_records(
    *, kind: str, seen: Mapping[int, str], chosen: Mapping[str, int | str], by: User, now: dt.datetime
) -> Merge:
    """Make one record of those in `seen` (id → fingerprint as shown); each field as `chosen` (an id, or "all").

    All that points at them points at the survivor afterwards. Raises NotAllowed unless `by` may change every one,
    MergeConflict when one was changed or merged since, NothingToMerge or TwoDeals; then nothing has changed.
    """
    with acting(by, note="merge"):
        records = _locked(kind, sorted(seen), by)
        _refuse_changed(kind, records, seen)
        survivor = survivor_among(records)
        others = [record for record in records if record.pk != survivor.pk]
        values = merged_values(records, chosen)
        merge = Merge.objects.create(kind=kind, survivor_id=survivor.pk, by=by, at=now)
        point_elsewhere(merge, record_type=MODELS[kind], from_ids=[record.pk for record in others])
        _put_away(merge, others, values, now=now)
        _rewrite(merge, survivor, values)
        settle_pairs(merge, ids=[record.pk for record in records], by=by, now=now)
    return merge


def undo_merge(merge: Merge, *, by: User, now: dt.datetime) -> Undone:
    """Take the merge apart: every row goes back, and every field of the survivor nobody has changed since.

    Raises NotAllowed for who may not change the records, CannotUndo where it is too late.
    """
    model = MODELS[merge.kind]
    with acting(by, note="undo merge"):
        fresh = Merge.objects.select_for_update().get(pk=merge.pk)
        gone = list(fresh.records.order_by("pk"))
        survivor, back = _locked_to_undo(fresh, [record.record_id for record in gone], by=by, now=now)
        kept = _put_back_fields(fresh, survivor)
        external_ids = {record.record_id: record.external_id for record in gone}
        for record in back:
            record.deleted_at = record.merged_into = None
            record.external_id = external_ids[record.pk] or record.external_id
            _save(record, ["deleted_at", "merged_into", "external_id"])
        astray = point_back(fresh, record_type=model)
        for record in (survivor, *back):
            _follow_next_step(record)
        fresh.undone_at, fresh.undone_by = now, by
        fresh.save(update_fields=["undone_at", "undone_by"])
        reopen_pairs(fresh)
    return Undone(survivor, back, kept, astray)


def undoable_merges(record: Any, *, by: User, now: dt.datetime) -> list[Merge]:
    """Return the merges into `record` that `by` may undo, the latest first."""
    kind = record._meta.model_name
    if not type(record).objects.editable_by(by).filter(pk=record.pk).exists():
        return []
    return list(Merge.objects.into(kind, record.pk).undoable(now).select_related("by").prefetch_related("records"))


# --- Merging --------------------------------------------------------------------------------------------------------


def _locked(kind: str, ids: Sequence[int], by: User) -> list[Any]:
    """The records in the order of their ids, kept from everybody else until the end."""
    if not 2 <= len(ids) <= MOST_AT_ONCE:
        raise NothingToMerge(_("Choose from two to %(most)d records.") % {"most": MOST_AT_ONCE})
    model = MODELS[kind]
    locked = model.objects.filter(pk__in=ids).order_by("pk")
    # Not its key, here and wherever a record is held: who names it, with a row of their own in hand, does not wait.
    rows = {row.pk: row for row in locked.select_for_update(of=("self",), no_key=True)}
    editable = set(model.objects.editable_by(by).filter(pk__in=ids).values_list("pk", flat=True))
    for pk in ids:
        if pk in rows and rows[pk].merged_into_id is not None:
            raise MergeConflict(_merged_by_somebody(kind, rows[pk]))
        if pk not in editable:
            raise NotAllowed(_("You may merge only what you may change."))
    records = [rows[pk] for pk in ids]
    if kind == "lead" and sum(record.status == Lead.Status.CONVERTED for record in records) > 1:
        raise TwoDeals(_("More than one of these leads has become a deal. Merge their contacts or companies instead."))
    return records


def _refuse_changed(kind: str, records: Sequence[Any], seen: Mapping[int, str]) -> None:
    for record in records:
        if fingerprint(record) != seen[record.pk]:
            raise MergeConflict(_changed_by_somebody(kind, record))


def _put_away(merge: Merge, others: Sequence[Any], values: Mapping[str, Any], *, now: dt.datetime) -> None:
    """Take the others out of sight; one gives up the external id that the survivor takes over."""
    for record in others:
        given_up = record.external_id if record.external_id == values["external_id"] else None
        MergedRecord.objects.create(
            merge=merge, kind=merge.kind, record_id=record.pk, name=str(record), external_id=given_up
        )
        if given_up:
            record.external_id = None
        record.deleted_at, record.merged_into_id = now, merge.survivor_id
        _save(record, ["deleted_at", "merged_into", "external_id"])


def _rewrite(merge: Merge, survivor: Any, values: Mapping[str, Any]) -> None:
    before = current(survivor, list(values))
    for name, value in values.items():
        setattr(survivor, name, value)
    after = current(survivor, list(values))
    changed = [name for name in values if before[name] != after[name]]
    _save(survivor, changed)
    _follow_next_step(survivor)
    merge.before = {name: before[name] for name in changed}
    merge.after = {name: after[name] for name in changed}
    merge.save(update_fields=["before", "after"])


def _save(record: Any, names: Sequence[str]) -> None:
    """Save the fields, so that whoever has the record before them in its former state is told."""
    if hasattr(record, "version"):
        record.version += 1
        names = [*names, "version"]
    record.save(update_fields=[*names])


def _follow_next_step(record: Any) -> None:
    """Make the record's next step that of the follow-ups it has now."""
    record.next_step_at = FollowUp.objects.open().about(record).aggregate(first=Min("due_at"))["first"]
    type(record).objects.filter(pk=record.pk).update(next_step_at=record.next_step_at)


def _merged_by_somebody(kind: str, record: Any) -> str:
    merged = MergedRecord.objects.filter(kind=kind, record_id=record.pk, merge__undone_at__isnull=True)
    by = merged.order_by("-pk").values_list("merge__by__name", flat=True).first()
    return _("%(name)s has merged “%(record)s” in the meantime; nothing was changed.") % {"name": by, "record": record}


def _changed_by_somebody(kind: str, record: Any) -> str:
    last = AuditEntry.objects.about(kind, record.pk).select_related("actor").first()
    if last is not None and last.actor is not None:
        return _("%(name)s changed “%(record)s” in the meantime; look again before you merge.") % {
            "name": last.actor,
            "record": record,
        }
    return _("“%(record)s” was changed in the meantime; look again before you merge.") % {"record": record}


# --- Undoing --------------------------------------------------------------------------------------------------------


def _locked_to_undo(merge: Merge, ids: Sequence[int], *, by: User, now: dt.datetime) -> tuple[Any, list[Any]]:
    model = MODELS[merge.kind]
    if merge.undone_at is not None:
        raise CannotUndo(_("This merge has been undone already."))
    locked = model.objects.filter(pk__in=[merge.survivor_id, *ids]).order_by("pk")
    rows = {row.pk: row for row in locked.select_for_update(of=("self",), no_key=True)}
    survivor = rows.get(merge.survivor_id)
    if survivor is None or survivor.merged_into_id is not None or survivor_id_of(merge.kind, merge.survivor_id):
        raise CannotUndo(_("This record was merged further; undo that merge first."))
    if survivor.deleted_at is not None:
        raise CannotUndo(_("This record is in the bin; take it out first."))
    back = model.objects.merged_away_from(by, now).filter(pk__in=ids)
    if not model.objects.editable_by(by).filter(pk=survivor.pk).exists():
        raise NotAllowed(_("You may look at this, but not change it."))
    if back.count() != len(ids):
        is_late = not Merge.objects.undoable(now).filter(pk=merge.pk).exists()
        if is_late:
            raise CannotUndo(_("A merge can be undone for 30 days."))
        raise NotAllowed(_("You may look at this, but not change it."))
    return survivor, [rows[pk] for pk in ids]


def _put_back_fields(merge: Merge, survivor: Any) -> list[str]:
    """Give each field its value from before the merge, unless somebody has changed it since; return those kept."""
    now_said = current(survivor, list(merge.after))
    untouched = {name: value for name, value in merge.before.items() if now_said[name] == merge.after[name]}
    put_back(survivor, untouched)
    _save(survivor, list(untouched))
    return [str(survivor._meta.get_field(name).verbose_name) for name in merge.after if name not in untouched]
