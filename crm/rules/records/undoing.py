"""Taking an import back: what it made is deleted, what it changed is put back, what people touched since is kept.

So is what whoever takes it back may not change any more: an import gives no right to what became of its records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, ProtectedError
from django.utils.translation import gettext as _

from crm.models import (
    AboutSubject,
    Bilingual,
    Campaign,
    ImportRow,
    ImportRun,
    OwnedQuerySet,
    Subject,
    User,
    subjects_editable_by,
)
from crm.rules.audit import acting, coming_through
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.records.context import Kind
from crm.rules.records.planning import NOTHING
from crm.rules.records.snapshots import current

STEP_ROWS = 500


class NothingToUndo(RuleError):
    """The import was taken back already."""

    code = "nothing_to_undo"


@dataclass
class Undone:
    """What became of the records an import had made or changed; `beyond` were not the person's to change any more."""

    deleted: int = 0
    put_back: int = 0
    kept: int = 0
    beyond: int = 0
    is_complete: bool = False


def undo_import(
    run: ImportRun,
    *,
    kinds: Mapping[str, Kind],
    by: User | None,
    now: dt.datetime,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Undone:
    """Take an import back, its last change first; records that people changed or built on since are kept.

    So are those that `by` (None: the system) may not change by the rights of the moment, read again at each step. Goes
    step by step while it `may_go_on`, each forgetting what it has put back: taken up again after a break it goes on
    where it stopped. Raises NothingToUndo where the import was taken back before, NotAllowed where `by` may change
    nothing any more.
    """
    undone = Undone()
    with coming_through("import"):
        is_under_way = True
        while is_under_way and may_go_on():
            with acting(by, note=f"undo import {run.pk}"):
                _claim(run)
                step = list(ImportRow.objects.filter(run=run).order_by("-pk")[:STEP_ROWS])
                _undo_step(step, Undoing(kinds[run.kind], _as_of_now(by), now), undone)
                ImportRow.objects.filter(pk__in=[row.pk for row in step]).delete()
                is_under_way = bool(step)
                if not is_under_way:
                    ImportRun.objects.filter(pk=run.pk).update(
                        state=ImportRun.State.UNDONE, undone_at=now, undone_by=by
                    )
                    undone.is_complete = True
    return undone


def _claim(run: ImportRun) -> None:
    """Keep others from taking the same import back at once; raises NothingToUndo once it is."""
    if not ImportRun.objects.standing().select_for_update().filter(pk=run.pk).exists():
        raise NothingToUndo(_("Import %(run)d was taken back already.") % {"run": run.pk})


@dataclass(frozen=True)
class Undoing:
    """Of which kind the import was, who takes it back (None: the system, which may change all), and when."""

    kind: Kind
    by: User | None
    now: dt.datetime

    def may_change(self, model: type[Any], records: Mapping[int, Any]) -> set[int]:
        """Return which of `records`, locked, the person may change: what they see of it and may, or have in their bin.

        What is about a record is as that record. Vocabulary (a source, say) is nobody's; all else is for admins.
        """
        if self.by is None or self.by.is_admin:
            return set(records)
        if issubclass(model, AboutSubject):
            return self._about_editable(records)
        rows = model._default_manager.filter(pk__in=records)
        if isinstance(rows, OwnedQuerySet):
            mine = rows.editable_by(self.by).values_list("pk", flat=True)
            return {*mine, *rows.in_bin_of(self.by, self.now).values_list("pk", flat=True)}
        return set(records) if issubclass(model, (Bilingual, Campaign)) else set()

    def _about_editable(self, records: Mapping[int, AboutSubject]) -> set[int]:
        assert self.by is not None
        editable = subjects_editable_by(self.by, records.values())
        return {pk for pk, row in records.items() if (row.subject_type_id, row.subject_id) in editable}


def _as_of_now(by: User | None) -> User | None:
    """The person with the rights they have now; raises NotAllowed where they may change nothing."""
    if by is None:
        return None
    person = User.objects.select_related("team").get(pk=by.pk)
    if not (person.is_active and person.may_write):
        raise NotAllowed(_("%(person)s may no longer change records, so the rest was left.") % {"person": person})
    return person


def _undo_step(step: list[ImportRow], undoing: Undoing, undone: Undone) -> None:
    """Undo some rows in their order, those of one model beside each other together."""
    while step:
        model = step[0].model
        count = next((place for place, row in enumerate(step) if row.model != model), len(step))
        _undo_rows(step[:count], apps.get_model(model), undoing, undone)
        step = step[count:]


def _undo_rows(rows: list[ImportRow], model: type[Model], undoing: Undoing, undone: Undone) -> None:
    rows = [row for row in rows if row.before != NOTHING]
    records = model._default_manager.select_for_update(of=("self",)).in_bulk([row.record_id for row in rows])
    rows = [row for row in rows if row.record_id in records]
    changeable = undoing.may_change(model, records)
    theirs = [row for row in rows if row.record_id in changeable]
    undone.beyond += len(rows) - len(theirs)
    untouched = [row for row in theirs if _is_as_left(records[row.record_id], row)]
    undone.kept += len(theirs) - len(untouched)
    made = [records[row.record_id] for row in untouched if row.before is None]
    _delete(model, made, undone)
    for row in untouched:
        if row.before is not None:
            undoing.kind.importer.put_back(records[row.record_id], row.before)
            undone.put_back += 1


def _is_as_left(record: Model, row: ImportRow) -> bool:
    return current(record, list(row.after)) == row.after


def _delete(model: type[Model], records: list[Any], undone: Undone) -> None:
    """Delete records that nobody has written anything about; those that others refer to are kept."""
    free = [record for record in records if not (isinstance(record, Subject) and _is_talked_about(record))]
    try:
        with transaction.atomic():
            model._default_manager.filter(pk__in=[record.pk for record in free]).delete()
        deleted = len(free)
    except ProtectedError:
        deleted = sum(_is_deleted(record) for record in free)
    undone.deleted += deleted
    undone.kept += len(records) - deleted


def _is_talked_about(record: Subject) -> bool:
    return record.activities.exists() or record.follow_ups.exists()


def _is_deleted(record: Model) -> bool:
    try:
        with transaction.atomic():
            record.delete()
    except ProtectedError:
        return False
    return True
