"""What a person said about a file, and what follows from it: a mapping, formats, and the questions still open."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as ReadOnlyDict
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import ImportFile, User
from crm.rules.importing.profiles import Profile, merged
from crm.rules.records.columns import Holds
from crm.rules.records.context import Ask, Context, Kind, Options
from crm.rules.records.engine import missing_columns
from crm.rules.records.errors import MappingRefused
from crm.rules.records.formats import Evidence, Formats
from crm.rules.records.mapping import Mapping, Places, listed
from crm.rules.records.reading import normal_name
from crm.rules.records.recognising import recognise
from crm.rules.records.references import name_key
from crm.rules.records.registry import KINDS
from crm.rules.records.targets import columns_of

LEAVE_EMPTY = "-"
"""The answer to a strange word: the row's cell counts as empty."""


@dataclass(frozen=True)
class Answers:
    """Everything a person says before the file is checked."""

    kind: str
    targets: tuple[str, ...]
    """One for each column of the file, "" for one that is left out."""
    values: ReadOnlyDict[str, ReadOnlyDict[str, str]] = field(default_factory=dict)
    """Our column → word of the file in lower case → ours."""
    date_format: str = ""
    decimal_mark: str = ""
    currency: str = ""
    assigns: bool = False
    """Whether new leads are given out by the assignment rules."""

    def plain(self) -> dict[str, Any]:
        """The answers as JSON."""
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Answers:
        """The answers that `plain` was."""
        return cls(**{**plain, "targets": tuple(plain["targets"])})


@dataclass(frozen=True)
class StrangeWord:
    """A word of a file that nobody here understands; `suggested` is what its program means by it."""

    ask: Ask
    word: str
    suggested: str


def first_answers(header: tuple[str, ...], kind: str = "") -> Answers:
    """What the wizard takes a file for before anybody said anything."""
    recognised = recognise(header, kind or None)
    values = {
        column: {word.casefold(): ours for word, ours in words.items()} for column, words in recognised.values.items()
    }
    return Answers(recognised.kind, recognised.targets, values)


def header_key(header: tuple[str, ...]) -> str:
    """By what a header is known again."""
    return hashlib.sha256("\n".join(map(normal_name, header)).encode("utf-8", "replace")).hexdigest()


def header_of(file: ImportFile) -> tuple[str, ...]:
    """The header of a file that was read."""
    return tuple(file.layout["header"])


def mapping_of(file: ImportFile, answers: Answers) -> Mapping:
    """The mapping that the answers amount to."""
    columns = columns_of(
        (name, target) for name, target in zip(header_of(file), answers.targets, strict=True) if target
    )
    values = {column: dict(words) for column, words in answers.values.items() if column in columns}
    zone = file.run.by.time_zone if file.run.by else None
    return Mapping(
        columns=columns,
        values=values,
        date_format=answers.date_format or None,
        decimal_mark=answers.decimal_mark or None,
        timezone=zone,
        currency=answers.currency or None,
        encoding=file.layout["encoding"],
    )


def evidence_of(file: ImportFile, kind: Kind, places: ReadOnlyDict[str, Places], holds: Holds) -> Evidence:
    """What the columns chosen for dates (or amounts) say of the file's formats."""
    chosen = {
        place
        for column in kind.columns
        if column.holds is holds
        for joined in places.get(column.name, ())
        for place in joined
    }
    return merged(Profile.of(file.profile[place]) for place in sorted(chosen))


def formats_of(file: ImportFile, mapping: Mapping, kind: Kind, places: ReadOnlyDict[str, Places]) -> Formats:
    """How the file writes dates and numbers; raises Question where that is not answered."""
    dates = evidence_of(file, kind, places, Holds.DATES)
    numbers = evidence_of(file, kind, places, Holds.AMOUNTS)
    both = Evidence(slashed=dates.slashed, marks=numbers.marks)
    return both.settle(zone=mapping.zone, date_format=mapping.date_format, decimal_mark=mapping.decimal_mark)


def strange_words(file: ImportFile, kind: Kind, answers: Answers, by: User) -> list[StrangeWord]:
    """The words of a file that stand for people, stages and the like, and that nobody here understands."""
    places = mapping_of(file, answers).match(header_of(file), kind.names)
    found = []
    for ask in kind.asks:
        words = _words_in(file, places.get(ask.column, ()))
        meanings = answers.values.get(ask.column, {})
        known = ask.known() if words else set()
        offered = {ours for ours, _label in ask.choices(by)} if words else set()
        for word in words:
            meaning = meanings.get(word.casefold(), meanings.get("*"))
            is_understood = name_key(word) in known or meaning in offered or meaning == ""
            if not is_understood or (word.casefold() in meanings and not _is_preset(file, ask.column, word)):
                found.append(StrangeWord(ask, word, LEAVE_EMPTY if meaning == "" else meaning or ""))
    return found


def _is_preset(file: ImportFile, column: str, word: str) -> bool:
    """Whether the program's vocabulary says what a word means, so that nobody is asked."""
    presets = recognise(header_of(file)).values.get(column, {})
    return word.casefold() in presets


def _words_in(file: ImportFile, places: Places) -> list[str]:
    words: dict[str, None] = {}
    for joined in places:
        for place in joined:
            words |= dict.fromkeys(Profile.of(file.profile[place]).words or [])
    return list(words)


def context_of(file: ImportFile, options: Options) -> Context:
    """Everything the engine needs; raises MappingRefused or Question where the answers do not suffice."""
    answers = Answers.of(file.answers)
    kind, header = KINDS[answers.kind], header_of(file)
    mapping = mapping_of(file, answers)
    places = _places_of(header, kind, mapping)
    formats = formats_of(file, mapping, kind, places)
    return Context(kind, mapping, formats, header, places, options, timezone.now())


def _places_of(header: tuple[str, ...], kind: Kind, mapping: Mapping) -> dict[str, Places]:
    """Where in the file our columns are; raises MappingRefused, in the words of the page, where one is missing."""
    places = mapping.match(header, kind.names)
    missing = [_(" or ").join(str(kind.labels[name]) for name in names) for names in missing_columns(kind, places)]
    if missing:
        raise MappingRefused(
            _("Say under “Columns” which of them holds: %(missing)s. Without it there is nothing to import.")
            % {"missing": listed(missing)}
        )
    return places


def options_of(file: ImportFile, person: User, *, is_dry_run: bool) -> Options:
    """The options of an import: bound to the rights of the person who imports."""
    return Options(
        owner_default=file.owner_default,
        assigns=Answers.of(file.answers).assigns,
        is_dry_run=is_dry_run,
        reach=person,
        duplicates=file.duplicates,
        decisions={int(line): answer for line, answer in file.decisions.items()},
    )
