"""The dry run: every row is planned and none written; what was found is kept for the person to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from crm.models import ImportFile, ImportRun, User
from crm.rules.importing.answers import context_of, options_of
from crm.rules.importing.opening import table_of
from crm.rules.importing.profiles import printable
from crm.rules.importing.slices import Slice
from crm.rules.importing.uploading import copied
from crm.rules.records.context import Kind
from crm.rules.records.course import Course, Outcome
from crm.rules.records.entries import Entry, Problem
from crm.rules.records.planning import Plan
from crm.rules.records.report import joined

SHOWN_PROBLEMS = 50
SHOWN_DUPLICATES = 100
MOST_REFUSED_LINES = 50_000


@dataclass
class Findings:
    """How far a check has come, and what it found; lives as JSON in `ImportFile.findings`."""

    last_line: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)
    """The first refused rows: line, column, value, reason."""
    duplicates: list[dict[str, Any]] = field(default_factory=list)
    """The first rows whose record is there, or may be: line, name, the record, why, whether that is certain."""
    duplicates_found: int = 0
    warned: dict[str, int] = field(default_factory=dict)
    parts: int = 0
    """In how many slices the rows were checked."""
    refused: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, file: ImportFile) -> Findings:
        """The findings of a file so far."""
        known = {name: value for name, value in file.findings.items() if name in cls.__dataclass_fields__}
        return cls(**known)

    def foretold(self, kind: Kind) -> list[str]:
        """What the import will say beside its counts, in sentences.

        What it makes on the way (`…_made`) is known only to the slice that would make it: several count it again.
        """
        is_known = self.parts < 2
        return kind.worded({code: n for code, n in self.warned.items() if is_known or not code.endswith("_made")})

    def add(self, entry: Entry, problems: list[Problem]) -> None:
        """Take down a refused row, as a report does."""
        if len(self.refused) < MOST_REFUSED_LINES:
            self.refused.append(entry.line)
        if len(self.problems) < SHOWN_PROBLEMS:
            column, value, reason = (printable(text)[:500] for text in joined(problems))
            self.problems.append({"line": entry.line, "column": column, "value": value, "reason": reason})

    def end_step(self) -> None:
        """Nothing to write: the slice keeps the whole."""

    def note(self, plan: Plan[Any]) -> None:
        """Take down a row whose record is there, or may be."""
        record: Any = plan.known or (plan.suspect.record if plan.suspect else None)
        if record is None or record.pk is None:
            return
        self.duplicates_found += 1
        if len(self.duplicates) < SHOWN_DUPLICATES:
            said = plan.entry["name"] or plan.entry["email"]
            self.duplicates.append(
                {
                    "line": plan.entry.line,
                    "said": printable(str(said)),
                    # Its name is read when it is shown: by then it may be somebody else's.
                    "model": record._meta.label_lower,
                    "id": record.pk,
                    "why": plan.suspect.why if plan.suspect else "",
                    "is_certain": plan.known is not None,
                    "changes": sorted(plan.after) if plan.before is not None else [],
                }
            )


def check_on(run: ImportRun, person: User, slice_: Slice) -> bool:
    """Check some more rows; whether all are checked. Raises MappingRefused or Question."""
    file = run.file
    context = context_of(file, options_of(file, person, is_dry_run=True))
    findings = Findings.of(file)
    context.warnings.update(findings.warned)
    counts = findings.counts
    outcome = Outcome(*(counts.get(name, 0) for name in ("created", "updated", "unchanged", "failed", "skipped")))  # type: ignore[arg-type]  # five counts
    with copied(file) as path:
        course = Course(context, table_of(file, path), findings, person, outcome, begin_after=findings.last_line)
        course.look_back(frozenset(findings.refused))
        is_complete = True
        for step in course.steps():
            for plan in course.carry_out(step):
                findings.note(plan)
            findings.last_line = step[-1].line
            if slice_.is_over():
                is_complete = False
                break
    findings.counts = outcome.counts() | {"skipped": outcome.skipped}
    findings.warned = dict(context.warnings)
    findings.parts += 1
    file.findings = file.findings | asdict(findings)
    file.attempts = 0
    file.save(update_fields=["findings", "attempts"])
    return is_complete
