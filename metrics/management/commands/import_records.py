"""`manage.py import_records`: bring history in from a CSV file, or take an import back."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.models import ImportRun, User
from crm.rules.errors import RuleError
from crm.rules.records.context import Kind, Options
from crm.rules.records.course import Outcome
from crm.rules.records.engine import import_records
from crm.rules.records.mapping import Mapping, read_mapping
from crm.rules.records.undoing import undo_import
from metrics.rules.records import KINDS

SOME_ROWS_FAILED, NOT_READ = 1, 2


class Command(BaseCommand):
    """Exit status: 0 the import is complete, 1 rows failed, 2 the file could not be read at all."""

    help = "Bring companies, contacts, leads, deals and what belongs to them in from a CSV file (docs/importing.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?", choices=list(KINDS), help="what each row is")
        parser.add_argument("file", nargs="?", type=Path, help="a CSV file")
        parser.add_argument(
            "--mapping", type=Path, metavar="FILE.toml", help="which of its columns and words are which of ours"
        )
        parser.add_argument("--owner-default", metavar="EMAIL", help="who owns records that name no owner")
        parser.add_argument(
            "--create-owners", action="store_true", help="make an inactive user for an owner nobody knows"
        )
        parser.add_argument(
            "--assign", action="store_true", help="give new leads that name no owner out by the assignment rules"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument(
            "--report",
            type=Path,
            metavar="FILE.csv",
            help="where to write the rows that failed, to correct and send again",
        )
        parser.add_argument("--json", action="store_true", help="print the counts and warnings as JSON")
        parser.add_argument("--as", dest="as_user", metavar="EMAIL", help="who does this, for the audit log")
        parser.add_argument("--undo", type=int, metavar="RUN", help="take the import of this number back instead")

    def handle(self, *_args: Any, **options: Any) -> None:
        by = _person(options["as_user"])
        try:
            if options["undo"] is not None:
                self._undo(options["undo"], by)
                return
            if not options["kind"] or not options["file"]:
                raise CommandError("Name a kind and a file: import_records deals deals.csv", returncode=NOT_READ)
            if options["assign"] and options["kind"] != "leads":
                raise CommandError("Assignment rules give out leads alone.", returncode=NOT_READ)
            kind = KINDS[options["kind"]]
            outcome = _import(kind, options, by)
        except RuleError as refusal:
            raise CommandError(refusal.message, returncode=NOT_READ) from refusal
        self._tell(outcome, options)
        if outcome.failed:
            sys.exit(SOME_ROWS_FAILED)

    def _undo(self, number: int, by: User | None) -> None:
        run = ImportRun.objects.filter(pk=number).first()
        if run is None:
            raise CommandError(f"There is no import {number}.", returncode=NOT_READ)
        undone = undo_import(run, kinds=KINDS, by=by, now=timezone.now())
        self.stdout.write(
            f"Import {number} taken back: {undone.deleted} deleted, {undone.put_back} put back, "
            f"{undone.kept} kept because people changed or built on them since, "
            f"{undone.beyond} left because they are no longer this person's to change."
        )

    def _tell(self, outcome: Outcome, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({**outcome.counts(), "warnings": outcome.warnings}, ensure_ascii=False))
        else:
            self.stdout.write(", ".join(f"{count} {word}" for word, count in outcome.counts().items()))
            for warning in outcome.warnings:
                self.stdout.write(warning)
        for line, problem in outcome.examples:
            place = f"line {line}, {problem.column} “{problem.value}”" if problem.column else f"line {line}"
            self.stderr.write(f"{place}: {problem.reason}")
        if outcome.failed > len(outcome.examples):
            self.stderr.write(
                f"… and {outcome.failed - len(outcome.examples)} more; --report FILE.csv writes them all."
            )
        if outcome.run:
            self.stderr.write(
                self.style.NOTICE(f"Import {outcome.run.pk}; import_records --undo {outcome.run.pk} takes it back.")
            )


def _import(kind: Kind, options: dict[str, Any], by: User | None) -> Outcome:
    return import_records(
        path=options["file"],
        kind=kind,
        mapping=read_mapping(options["mapping"]) if options["mapping"] else Mapping(),
        by=by,
        now=timezone.now(),
        options=Options(
            owner_default=_person(options["owner_default"]),
            creates_owners=options["create_owners"],
            is_dry_run=options["dry_run"],
            assigns=options["assign"],
        ),
        report=options["report"],
    )


def _person(email: str | None) -> User | None:
    """The person with an e-mail; None where none is given."""
    if not email:
        return None
    person = User.objects.filter(email__iexact=email).first()
    if person is None:
        raise CommandError(f"Nobody here has the e-mail {email}.", returncode=NOT_READ)
    return person
