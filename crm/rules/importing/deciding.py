"""What a person decides about an import: what its columns are, that it begins, ends, or is taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict

from django.utils.translation import gettext as _

from crm.models import ImportFile, ImportMapping, ImportRun, User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.importing.answers import Answers, context_of, header_key, header_of, mapping_of, options_of
from crm.rules.importing.ending import end_import

State = ImportRun.State
ANSWERABLE = (State.ASKING, State.CHECKED, State.CHECKING)


class TooLate(RuleError):
    """The import is no longer at this point."""

    code = "too_late"


def answer_questions(run: ImportRun, answers: Answers, *, owner: User | None, by: User) -> ImportRun:
    """Take a person's answers down and have every row checked by them.

    Raises MappingRefused or Question where they do not suffice, NotAllowed where `owner` is not theirs to give to.
    """
    _refuse_foreign_owner(owner, by)
    if answers.assigns and not may_give_out(by):
        raise NotAllowed(_("You can import records for yourself only."))
    with acting(by):
        file = _file(run, ANSWERABLE)
        file.answers, file.owner_default = answers.plain(), owner
        context_of(file, options_of(file, by, is_dry_run=True))
        file.findings, file.decisions, file.warned, file.attempts = {}, {}, {}, 0
        file.save()
        run = file.run
        run.kind, run.mapping = answers.kind, asdict(mapping_of(file, answers))
        run.state, run.stop_reason = State.CHECKING, ""
        run.save(update_fields=["kind", "mapping", "state", "stop_reason"])
    return run


def may_give_out(by: User) -> bool:
    """Whether the leads that somebody imports may go to others: a rep's stay with the rep."""
    return by.may_write and by.role != User.Role.REP


def start_import(
    run: ImportRun, *, duplicates: str, decisions: Mapping[int, str], by: User, now: dt.datetime
) -> ImportRun:
    """Let a checked import begin; `duplicates` and, by line, `decisions` say what becomes of records that are there."""
    with acting(by):
        file = _file(run, (State.CHECKED,))
        file.duplicates = ImportFile.Duplicates(duplicates)
        file.decisions = {str(line): str(ImportFile.Duplicates(answer)) for line, answer in decisions.items()}
        file.save(update_fields=["duplicates", "decisions"])
        run = file.run
        run.state, run.started_at = State.RUNNING, now
        run.save(update_fields=["state", "started_at"])
    return run


def cancel_import(run: ImportRun, *, by: User) -> None:
    """Stop an import where it is; what it wrote stays until it is taken back. Raises TooLate where it has ended."""
    with acting(by):
        present = ImportRun.objects.select_for_update().get(pk=run.pk)
        is_stoppable = present.state in (State.READING, *ANSWERABLE, State.RUNNING)
        if not is_stoppable or not end_import(present, State.CANCELLED, reason=_("You cancelled it.")):
            raise TooLate(_("This import has ended already."))


def begin_undo(run: ImportRun, *, by: User) -> None:
    """Have what an import wrote taken back, as far as `by` may change it by then.

    Raises TooLate where it was, or where it is still writing, NotAllowed where the import is not theirs to take back.
    """
    with acting(by):
        if not ImportRun.objects.editable_by(by).filter(pk=run.pk).exists():
            raise NotAllowed(_("This import is not yours to take back."))
        takeable = ImportRun.objects.filter(pk=run.pk, state__in=(State.DONE, State.STOPPED, State.CANCELLED))
        if not takeable.update(state=State.UNDOING, undone_by=by):
            raise TooLate(_("There is nothing to take back: the import is under way, or was taken back already."))


def save_mapping(run: ImportRun, *, name: str, by: User, now: dt.datetime) -> ImportMapping:
    """Keep an import's answers under a name, to be offered for files with the same columns."""
    file = run.file
    with acting(by):
        mapping, _is_new = ImportMapping.objects.update_or_create(
            owner=by,
            header_key=header_key(header_of(file)),
            name=name,
            defaults={"kind": run.kind, "answers": file.answers, "saved_at": now},
        )
    return mapping


def _refuse_foreign_owner(owner: User | None, by: User) -> None:
    ids = by.editable_owner_ids
    if owner is not None and ids is not None and owner.pk not in ids:
        raise NotAllowed(_("You can import records for yourself only; this one belongs to somebody else."))


def _file(run: ImportRun, states: tuple[State, ...]) -> ImportFile:
    """The import's file, kept from others; raises TooLate where the import is at another point."""
    present = ImportRun.objects.select_for_update().get(pk=run.pk)
    file = ImportFile.objects.select_for_update().filter(pk=run.pk).first()
    if present.state not in states or file is None:
        raise TooLate(_("This import has gone on meanwhile; see how it stands."))
    file.run = present
    return file
