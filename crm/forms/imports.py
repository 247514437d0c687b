"""The forms of the import wizard: the upload, the questions about its columns, what to do with duplicates."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import currency_choices
from crm.models import ImportFile, ImportRun, User
from crm.rules.errors import RuleError
from crm.rules.importing.answers import (
    LEAVE_EMPTY,
    Answers,
    StrangeWord,
    evidence_of,
    header_of,
    mapping_of,
    strange_words,
)
from crm.rules.importing.deciding import may_give_out
from crm.rules.importing.uploading import refuse_too_large
from crm.rules.records.columns import Holds
from crm.rules.records.registry import KINDS, offered
from crm.rules.records.targets import targets_of

REFUSED = "?"
"""The answer to a strange word that leaves its rows to the error file."""
ACCEPTED = ".csv,.tsv,.txt,.xlsx,.xls,.ods,.vcf"


def kind_choices() -> list[tuple[str, str]]:
    """The kinds of record that the wizard offers."""
    return [(kind.key, str(kind.label)) for kind in offered()]


class ImportUploadForm(forms.Form):
    """A file, and what it holds if one does not leave that to us."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV from any spreadsheet or CRM, Excel (.xlsx, .xls), OpenDocument (.ods) or vCard (.vcf)."),
        widget=forms.FileInput(attrs={"accept": ACCEPTED, "data-import-file": True}),
    )
    kind = forms.ChoiceField(label=_("It holds"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [("", gettext("See for yourself")), *kind_choices()]  # type: ignore[attr-defined]
        self.fields["file"].widget.attrs |= {
            "data-most-bytes": settings.IMPORT_MAX_BYTES,
            "data-too-large": gettext("The file is larger than %(limit)d MB. Divide it into several.")
            % {"limit": settings.IMPORT_MAX_BYTES >> 20},
        }

    def clean_file(self) -> Any:
        """Refuse what is larger than we take; the middleware has refused most of it before."""
        file = self.cleaned_data["file"]
        try:
            refuse_too_large(file.size)
        except RuleError as refusal:
            raise ValidationError(refusal.message) from refusal
        return file


class ImportColumnsForm(forms.Form):
    """What each column of a file is, how it writes dates and numbers, and what its strange words mean.

    It is built from the answers so far: with another kind or other columns come other questions.
    """

    kind = forms.ChoiceField(label=_("The file holds"))
    owner = forms.ModelChoiceField(User.objects.none(), label=_("Owner of rows that name none"), required=False)
    assigns = forms.BooleanField(
        label=_("Give new leads out by the assignment rules"),
        required=False,
        help_text=_("Those that name no owner. Where no rule finds anybody, the owner chosen here gets them."),
    )
    date_format = forms.ChoiceField(label=_("Dates"), required=False)
    decimal_mark = forms.ChoiceField(label=_("Numbers"), required=False)
    currency = forms.ChoiceField(label=_("Currency of rows that name none"), required=False)

    def __init__(self, *args: Any, file: ImportFile, by: User, answers: Answers, **options: Any) -> None:
        super().__init__(*args, **options)
        self.file, self.by = file, by
        self.answers = self._present(answers)
        self.of_kind = KINDS[self.answers.kind]
        self._add_kind_and_owner()
        self._add_targets()
        self._add_formats()
        self.strange: list[StrangeWord] = strange_words(file, self.of_kind, self.answers, by)
        self._add_words()

    def _present(self, answers: Answers) -> Answers:
        """The answers as they are posted; a bound form asks what follows from them."""
        if not self.is_bound:
            return answers
        kind = self.data.get("kind") if self.data.get("kind") in dict(kind_choices()) else answers.kind
        known = set(targets_of(KINDS[str(kind)]))
        posted = [self.data.get(f"target_{place}", "") for place in range(len(answers.targets))]
        return Answers(
            str(kind),
            tuple(target if target in known else "" for target in posted),
            answers.values,
            self.data.get("date_format", "") if self.data.get("date_format") in ("dmy", "mdy") else "",
            self.data.get("decimal_mark", "") if self.data.get("decimal_mark") in (".", ",") else "",
        )

    def _add_kind_and_owner(self) -> None:
        self.fields["kind"].choices = kind_choices()  # type: ignore[attr-defined]
        self.initial.setdefault("kind", self.answers.kind)
        people = User.objects.assignable_by(self.by)
        if self.by.editable_owner_ids is not None:
            people = people.filter(pk__in=self.by.editable_owner_ids)
        chosen = Q(pk=self.file.owner_default_id) if self.file.owner_default_id else Q()
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]
        self.fields["owner"].required = self.answers.kind == "deals"
        self.initial.setdefault("owner", people.filter(chosen).first() if chosen else None)
        if self.answers.kind == "leads" and may_give_out(self.by):
            self.initial.setdefault("assigns", self.answers.assigns)
        else:
            del self.fields["assigns"]
        if "currency" in self.of_kind.names:
            choices = [("", gettext("The organisation’s: %(code)s") % {"code": settings.BASE_CURRENCY})]
            self.fields["currency"].choices = [*choices, *currency_choices()[1:]]  # type: ignore[attr-defined]
            self.initial.setdefault("currency", self.answers.currency)
        else:
            del self.fields["currency"]

    def _add_targets(self) -> None:
        choices = [
            ("", gettext("— left out —")),
            *((key, str(label)) for key, label in targets_of(self.of_kind).items()),
        ]
        for place, name in enumerate(header_of(self.file)):
            field = forms.ChoiceField(label=name or gettext("(no name)"), choices=choices, required=False)
            field.widget.attrs["class"] = "form-select"
            self.fields[f"target_{place}"] = field
            self.initial.setdefault(f"target_{place}", self.answers.targets[place])

    def _add_formats(self) -> None:
        """Ask for formats only where the file as a whole leaves them open."""
        places = mapping_of(self.file, self.answers).match(header_of(self.file), self.of_kind.names)
        dates = evidence_of(self.file, self.of_kind, places, Holds.DATES)
        numbers = evidence_of(self.file, self.of_kind, places, Holds.AMOUNTS)
        self.asks_dates, self.asks_numbers = dates.leaves_dates_open, numbers.leaves_numbers_open
        if self.asks_dates:
            example = _example(dates.slashed)
            options = [("dmy", gettext("The day comes first: D/M/YYYY")), ("mdy", gettext("The month: M/D/YYYY"))]
            self._ask("date_format", options, gettext("%(example)s could be read in two ways.") % {"example": example})
        else:
            del self.fields["date_format"]
        if self.asks_numbers:
            example = _example(numbers.marks)
            options = [
                (".", gettext("The point is the decimal mark: 1,054.50")),
                (",", gettext("The comma is the decimal mark: 1.054,50")),
            ]
            self._ask("decimal_mark", options, gettext("%(example)s could be read in two ways.") % {"example": example})
        else:
            del self.fields["decimal_mark"]

    def _ask(self, name: str, options: list[tuple[str, str]], why: str) -> None:
        self.fields[name] = forms.ChoiceField(
            label=self.fields[name].label,
            choices=options,
            widget=forms.RadioSelect,
            help_text=why,
            initial=getattr(self.answers, name) or None,
        )

    def _add_words(self) -> None:
        for strange in self.strange:
            choices = [
                (REFUSED, gettext("I do not know: its rows go into the error file")),
                (LEAVE_EMPTY, gettext("Leave it empty")),
                *strange.ask.choices(self.by),
            ]
            label = self.of_kind.labels.get(strange.ask.column, strange.ask.column)
            self.fields[_word_name(strange)] = forms.ChoiceField(
                label=f"{label}: “{strange.word}”",
                choices=choices,
                initial=strange.suggested or REFUSED,
            )

    @property
    def columns(self) -> Iterator[tuple[Any, list[str]]]:
        """Each column's field with some of its texts."""
        for place in range(len(self.answers.targets)):
            texts = (row["cells"][place] for row in self.file.sample if place < len(row["cells"]))
            yield self[f"target_{place}"], list(dict.fromkeys(text for text in texts if text))[:3]

    @property
    def words(self) -> list[Any]:
        """The fields that ask for strange words."""
        return [self[_word_name(strange)] for strange in self.strange]

    def clean(self) -> dict[str, Any]:
        """Refuse answers that leave a question unseen: other columns bring other strange words."""
        cleaned = super().clean() or {}
        if any(_word_name(strange) not in self.data for strange in self.strange):
            raise ValidationError(gettext("These columns bring new questions: answer them below, and send again."))
        return cleaned

    def said(self) -> Answers:
        """The answers of a valid form."""
        values = {column: dict(words) for column, words in self.answers.values.items()}
        for strange in self.strange:
            answer = self.cleaned_data[_word_name(strange)]
            meanings = values.setdefault(strange.ask.column, {})
            meanings.pop(strange.word.casefold(), None)
            if answer not in ("", REFUSED):
                meanings[strange.word.casefold()] = "" if answer == LEAVE_EMPTY else answer
        return Answers(
            self.cleaned_data["kind"],
            self.answers.targets,
            {column: words for column, words in values.items() if words},
            self.cleaned_data.get("date_format", ""),
            self.cleaned_data.get("decimal_mark", ""),
            self.cleaned_data.get("currency", ""),
            self.cleaned_data.get("assigns", False),
        )


class ImportStartForm(forms.Form):
    """What becomes of rows whose record is there: of all, and of each that was shown."""

    duplicates = forms.ChoiceField(
        label=_("Rows whose record is there already"),
        choices=ImportFile.Duplicates.choices,
        widget=forms.RadioSelect,
        initial=ImportFile.Duplicates.UPDATE,
    )

    def __init__(self, *args: Any, run: ImportRun, reader: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.reader = reader
        self.found = run.file.findings.get("duplicates", [])
        for row in self.found:
            self.fields[f"line_{row['line']}"] = forms.ChoiceField(
                label=gettext("Line %(line)d") % {"line": row["line"]},
                choices=[("", gettext("As all") if row["is_certain"] else gettext("Create, it is somebody else")),
                         *ImportFile.Duplicates.choices],
                required=False,
            )  # fmt: skip
            self.fields[f"line_{row['line']}"].widget.attrs["class"] = "form-select"

    @property
    def rows(self) -> list[tuple[dict[str, Any], Any, Any]]:
        """Each duplicate shown, with its record, None where the reader does not see it, and its field."""
        named: dict[str, list[int]] = defaultdict(list)
        for row in self.found:
            named[row.get("model", "")].append(row.get("id", 0))
        seen = {
            (label, pk): record
            for label, pks in named.items()
            if label
            for pk, record in apps.get_model(label)._default_manager.visible_to(self.reader).in_bulk(pks).items()
        }
        return [(row, seen.get((row.get("model"), row.get("id"))), self[f"line_{row['line']}"]) for row in self.found]

    def decisions(self) -> dict[int, str]:
        """By line, what a person decided of that row."""
        said = {row["line"]: self.cleaned_data[f"line_{row['line']}"] for row in self.found}
        return {line: answer for line, answer in said.items() if answer}


class ImportMappingForm(forms.Form):
    """A name under which the answers are kept."""

    name = forms.CharField(label=_("Name"), max_length=100)


def _word_name(strange: StrangeWord) -> str:
    """The name of the field that asks for a word; the same whatever else is asked."""
    return "word_" + hashlib.sha256(f"{strange.ask.column}\n{strange.word}".encode()).hexdigest()[:16]


def _example(found: dict[str, list[tuple[int, str]]]) -> str:
    examples = found["either"] or [example for own in found.values() for example in own]
    return ", ".join(f"“{text}”" for _line, text in examples[:3])
