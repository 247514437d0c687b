"""Carrying an import on: what its state wants is done for a while, by one worker at a time, wherever it stopped.

The worker holds an advisory lock, which dies with it: whoever comes next goes on at the first row that is not done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.models import ImportFile, ImportRun, User
from crm.rules.audit import acting, coming_through
from crm.rules.errors import RuleError
from crm.rules.importing.answers import context_of, options_of
from crm.rules.importing.checking import check_on
from crm.rules.importing.ending import end_import
from crm.rules.importing.opening import open_upload, table_of
from crm.rules.importing.refusals import KeptRefusals, refused_lines
from crm.rules.importing.slices import Slice
from crm.rules.importing.uploading import copied
from crm.rules.records.course import Course, Interrupted, Outcome
from crm.rules.records.registry import KINDS
from crm.rules.records.undoing import NothingToUndo, undo_import
from crm.rules.sweeping import alone

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 20
"""So often a worker may die over the same step before the import is stopped: the file may be what kills it."""
LOCKS_FROM = 7_003_000_000
"""Advisory locks of imports: this and the import's id."""
State = ImportRun.State


class RightsEnded(RuleError):
    """The person who imports may not any more."""

    code = "rights_ended"


def due_imports() -> list[int]:
    """Imports that a worker is to carry on with: uploaded ones, and any that is being taken back."""
    of_wizard = Q(file__isnull=False) & ~Q(state=State.UNDOING)
    under_way = ImportRun.objects.under_way().filter(of_wizard | Q(state=State.UNDOING))
    return list(under_way.order_by("pk").values_list("pk", flat=True)[:100])


def carry_on(pk: int, *, seconds: float) -> bool:
    """Do what an import wants for about so many seconds; whether it wants more. False while another works on it."""
    with alone(LOCKS_FROM + pk) as is_mine:
        if not is_mine:
            return False
        slice_ = Slice(seconds)
        while True:
            run = ImportRun.objects.select_related("file__owner_default", "by").filter(pk=pk).first()
            if run is None or not run.is_under_way:
                return False
            _carry_on(run, slice_)
            if slice_.is_over():
                run.refresh_from_db(fields=["state"])
                return run.is_under_way


def _carry_on(run: ImportRun, slice_: Slice) -> None:
    """One turn of an import in the language of whose it is; a refusal stops it with a sentence."""
    file = ImportFile.objects.filter(pk=run.pk).first()
    language = file.language if file and file.language else None
    with translation.override(language) if language else translation.override("en"), coming_through("import"):
        try:
            if file:
                _count_attempt(file)
            _TURNS[ImportRun.State(run.state)](run, slice_)
        except Interrupted:
            logger.info("Import %s goes on elsewhere, or was cancelled.", run.pk)
        except RuleError as refusal:
            _refused(run, refusal)
        except Exception:
            # A fault of ours or of a moment: the sweep tries again, and gives up in the end.
            logger.exception("Import %s broke off.", run.pk)
            slice_.give_up()


def _count_attempt(file: ImportFile) -> None:
    """Count the attempt before it is made, so that a file which kills its workers is given up."""
    if file.attempts >= MOST_ATTEMPTS:
        raise RightsEnded(
            _("This import broke off again and again at the same place. Tell whoever looks after Voronka.")
        )
    ImportFile.objects.filter(pk=file.pk).update(attempts=F("attempts") + 1)


def _refused(run: ImportRun, refusal: RuleError) -> None:
    """A check that meets an open question goes back to it; everything else is the import's end."""
    if run.state == State.CHECKING and not isinstance(refusal, RightsEnded):
        with acting(run.by):
            ImportRun.objects.filter(pk=run.pk, state=State.CHECKING).update(
                state=State.ASKING, stop_reason=refusal.message[:500]
            )
        return
    end_import(run, State.STOPPED, reason=refusal.message)


def importer_of(run: ImportRun) -> User:
    """The person whose import it is, with the rights they have now; raises RightsEnded where they have none."""
    person = User.objects.select_related("team").get(pk=run.by_id)
    if not person.is_active:
        raise RightsEnded(_("The account of %(person)s was closed, so the import was stopped.") % {"person": person})
    if not person.may_write:
        raise RightsEnded(_("%(person)s may no longer change records, so the import was stopped.") % {"person": person})
    return person


def _read(run: ImportRun, _slice: Slice) -> None:
    open_upload(run)


def _check(run: ImportRun, slice_: Slice) -> None:
    if check_on(run, importer_of(run), slice_):
        ImportRun.objects.filter(pk=run.pk, state=State.CHECKING).update(state=State.CHECKED)


def _import(run: ImportRun, slice_: Slice) -> None:
    """Bring some more rows in; rights are read again in the transaction of each step."""
    file, person = run.file, importer_of(run)
    context = context_of(file, options_of(file, person, is_dry_run=False))
    context.run = run
    context.warnings.update(file.warned)
    outcome = Outcome(run.created, run.updated, run.unchanged, run.failed, run.skipped, run=run)
    with copied(file) as path:
        course = Course(
            context,
            table_of(file, path),
            KeptRefusals(file, context),
            person,
            outcome,
            begin_after=run.last_line,
            begin_step=lambda: _refuse_other_rights(run, person),
        )
        course.look_back(refused_lines(run))
        for step in course.steps():
            course.carry_out(step)
            if slice_.is_over():
                return
    end_import(run, State.DONE, warnings=context.worded_warnings())


def _refuse_other_rights(run: ImportRun, person: User) -> None:
    """Raise RightsEnded where the person may not import any more; a changed role or team begins a new slice."""
    now = importer_of(run)
    if _rights(now) != _rights(person):
        raise Interrupted


def _rights(person: User) -> tuple[object, ...]:
    """What a person's reach follows from; `person` keeps for a whole slice what was read of it once."""
    return person.role, person.team_id, person.editable_owner_ids, person.led_team_ids


def _undo(run: ImportRun, slice_: Slice) -> None:
    """Take some more of an import back."""
    undoer = run.undone_by
    try:
        undone = undo_import(run, kinds=KINDS, by=undoer, now=timezone.now(), may_go_on=lambda: not slice_.is_over())
    except NothingToUndo:
        return
    with transaction.atomic():
        if file := ImportFile.objects.select_for_update().filter(pk=run.pk).first():
            before = file.findings.get("undone", {})
            file.findings["undone"] = {
                name: before.get(name, 0) + getattr(undone, name) for name in ("deleted", "put_back", "kept", "beyond")
            }
            file.attempts = 0
            file.save(update_fields=["findings", "attempts"])


_TURNS: dict[ImportRun.State, Callable[[ImportRun, Slice], None]] = {
    State.READING: _read,
    State.CHECKING: _check,
    State.RUNNING: _import,
    State.UNDOING: _undo,
}
