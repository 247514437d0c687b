"""What a lead becomes: a deal, for a company and a contact that exist already or are named anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import AmountField, ChooserField, DayInput, OfferedChoices, currency_choices
from crm.forms.leads import SeenForm
from crm.models import Company, Contact, Lead, QualifyingAnswer, QualifyingQuestion, User
from crm.rules.duplicates import Suspect, suspects
from crm.rules.qualifying import asked_about, checklist_of
from pipeline.models import Pipeline, Stage
from pipeline.rules.converting import Conversion
from pipeline.rules.lead_checklists import asked_by
from pipeline.rules.refusals import StageRequires

QUESTIONS = "lead-convert-questions"
OFFERED = 5
"""So many that are probably meant are offered first."""


class LikelyChoices(OfferedChoices):
    """The empty choice, those probably meant with the reason why, and the chosen one; others are searched for."""

    field: LikelyField

    def __iter__(self) -> Any:
        yield ("", self.field.empty_label)
        names = Counter(str(likeness.record) for likeness in self.field.likely)
        for likeness in self.field.likely:
            apart = told_apart(likeness.record) if names[str(likeness.record)] > 1 else ""
            yield (likeness.record.pk, f"{likeness} · {apart}" if apart else str(likeness))
        chosen = self.field.chosen
        if chosen is not None and chosen not in [likeness.record for likeness in self.field.likely]:
            yield self.choice(chosen)


class LikelyField(ChooserField):
    """A chooser that begins with the records that are probably meant."""

    iterator = LikelyChoices
    likely: Sequence[Suspect] = ()

    def __init__(self, *args: Any, takes_namesakes: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.takes_namesakes = takes_namesakes

    def offer(self, rows: Any, likely: Sequence[Suspect]) -> None:
        """Let one of `rows` be chosen, and offer the `likely` ones."""
        self.likely = likely
        self.queryset = rows

    @property
    def same(self) -> Any:
        """The record that is surely meant, or None; a company of the same name is, whatever its domain."""
        return next((likeness.record for likeness in self.likely if self._is_meant(likeness)), None)

    def _is_meant(self, likeness: Suspect) -> bool:
        return likeness.is_same or (self.takes_namesakes and likeness.is_namesake)


class StageField(forms.ModelChoiceField):
    """A stage in which a deal can begin, with its pipeline's name where there are several."""

    is_alone = True

    def label_from_instance(self, stage: Any) -> str:
        """Name the stage as the person knows it."""
        return stage.label if self.is_alone else f"{stage.pipeline} · {stage}"


class LeadConvertForm(SeenForm):
    """One dialog for company, contact and deal."""

    company = LikelyField(
        Company.objects.none(),
        address="choose_companies",
        takes_namesakes=True,
        required=False,
        label=_("Company"),
        empty_label=_("A new one"),
    )
    company_name = forms.CharField(
        max_length=200, required=False, label=_("Name of the new company"), help_text=_("Empty: no company.")
    )
    contact = LikelyField(
        Contact.objects.none(),
        address="choose_contacts",
        required=False,
        label=_("Contact"),
        empty_label=_("A new one"),
    )
    contact_name = forms.CharField(
        max_length=200, required=False, label=_("Name of the new contact"), help_text=_("Empty: no contact.")
    )
    name = forms.CharField(max_length=200, label=_("Deal"))
    stage = StageField(Stage.objects.none(), label=_("Stage"), empty_label=None)
    amount = AmountField(required=False)
    currency = forms.ChoiceField(label=_("Currency"))
    expected_close_on = forms.DateField(required=False, label=_("Expected close"), widget=DayInput())

    def __init__(self, *args: Any, lead: Lead, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        company, contact, stage = fields["company"], fields["contact"], fields["stage"]
        company.offer(Company.objects.visible_to(user), _companies_like(lead, user))
        contact.offer(Contact.objects.visible_to(user), _contacts_like(lead, user))
        pipelines = Pipeline.objects.visible_to(user)
        stage.queryset = (
            Stage.objects.live()
            .filter(kind=Stage.Kind.OPEN, pipeline__in=pipelines)
            .select_related("pipeline")
            .order_by("pipeline__position", "pipeline", "position")
        )
        stage.is_alone = len(pipelines) < 2
        fields["currency"].choices = currency_choices()
        fields["name"].widget.attrs["autofocus"] = True
        self.initial = {
            "version": lead.version,
            "company": company.same or getattr(contact.same, "company", None),
            "company_name": lead.company_name,
            "contact": contact.same,
            "contact_name": lead.name,
            "name": lead.company_name or lead.name,
            **self.initial,
        }
        if not stage.is_alone:
            stage.widget.attrs |= _asks_anew(lead)
        self.questions: dict[str, QualifyingQuestion] = {}
        self.needed: set[str] = set()
        if (chosen := self._stage()) is not None:
            self._ask(lead, chosen)

    @property
    def asked(self) -> list[tuple[forms.BoundField, bool]]:
        """What the deal's pipeline wants to know about the lead, to be answered here; and whether it insists."""
        return [(self[name], name in self.needed) for name in self.questions]

    def conversion(self) -> Conversion:
        """What the rule is given."""
        said = self.cleaned_data
        return Conversion(
            stage=said["stage"],
            deal={name: said[name] for name in ("name", "amount", "currency", "expected_close_on")},
            company=said["company"],
            company_name=said["company_name"],
            contact=said["contact"],
            contact_name=said["contact_name"],
            answers={
                question: said[name]
                for name, question in self.questions.items()
                if said[name] and said[name] != self.fields[name].initial
            },
        )

    def show_missing(self, refusal: StageRequires) -> None:
        """Say beside each field that the stage asks for it."""
        for missing in refusal.missing:
            is_asked_here = missing.key in self.fields
            message = _("The stage asks for this.") if is_asked_here else refusal.message
            self.add_error(missing.key if is_asked_here else None, message)

    def _stage(self) -> Stage | None:
        """The stage that is chosen so far: the first one where none is."""
        field: Any = self.fields["stage"]
        said = self["stage"].value()
        if not str(said or "").isdecimal():
            return field.queryset.first()
        with suppress(ValidationError):
            return field.to_python(said)
        return None

    def _ask(self, lead: Lead, stage: Stage) -> None:
        """Ask what the lead needs to become a deal there, and what the lead's own page does not ask."""
        own = {question.pk for question in asked_about(lead)}
        for line in checklist_of(lead, asked_by=asked_by(stage.pipeline)):
            question = line.question
            is_new = not line.is_known and question.pk not in own
            if question.is_archived or not (line.is_missing or is_new):
                continue
            name = f"question_{question.pk}"
            self.questions[name] = question
            if line.is_missing:
                self.needed.add(name)
            self.fields[name] = forms.ChoiceField(
                choices=QualifyingAnswer.Answer.choices,
                required=False,  # the rule says what is missing, as it does for programs
                initial=line.value,
                label=str(question),
                help_text=question.guidance,
            )


def told_apart(record: Company | Contact) -> str:
    """What tells a record from another of its name: where it is found, and whose it is."""
    said = (record.domain, record.country) if isinstance(record, Company) else (record.email, str(record.company or ""))
    return ", ".join(text for text in (*said, str(record.owner or "")) if text)


def _asks_anew(lead: Lead) -> dict[str, str]:
    """Another stage may be one of another pipeline, which asks its own questions."""
    return {
        "hx-get": reverse("lead_convert", args=[lead.pk]),
        "hx-trigger": "change",
        "hx-select": f"#{QUESTIONS}",
        "hx-target": f"#{QUESTIONS}",
        "hx-swap": "outerHTML",
    }


def _contacts_like(lead: Lead, user: User) -> list[Suspect]:
    """Contacts the person may see who may be the lead, the surest first."""
    found = suspects(
        "contact", name=lead.name, email=lead.email, phone=lead.phone, company=lead.company_name, seen_by=user
    )
    return found[:OFFERED]


def _companies_like(lead: Lead, user: User) -> list[Suspect]:
    """Companies the person may see that may be the lead's: by name, or by the domain of its e-mail."""
    domain = lead.email.rpartition("@")[2]
    return suspects("company", name=lead.company_name, domain=domain, seen_by=user)[:OFFERED]
