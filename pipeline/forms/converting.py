"""What a lead becomes: a deal, for a company and a contact that exist already or are named anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import AmountField, ChooserField, DayInput, OfferedChoices, currency_choices
from crm.forms.leads import SeenForm
from crm.models import Company, Contact, Lead, User
from crm.rules.duplicates import Suspect, suspects
from pipeline.models import Pipeline, Stage
from pipeline.rules.converting import Conversion
from pipeline.rules.refusals import StageRequires

OFFERED = 5
"""So many that are probably meant are offered first."""


class LikelyChoices(OfferedChoices):
    """The empty choice, those probably meant with the reason why, and the chosen one; others are searched for."""

    field: LikelyField

    def __iter__(self) -> Any:
        yield ("", self.field.empty_label)
        for likeness in self.field.likely:
            yield (likeness.record.pk, str(likeness))
        chosen = self.field.chosen
        if chosen is not None and chosen not in [likeness.record for likeness in self.field.likely]:
            yield self.choice(chosen)


class LikelyField(ChooserField):
    """A chooser that begins with the records that are probably meant."""

    iterator = LikelyChoices
    likely: Sequence[Suspect] = ()

    def offer(self, rows: Any, likely: Sequence[Suspect]) -> None:
        """Let one of `rows` be chosen, and offer the `likely` ones."""
        self.likely = likely
        self.queryset = rows

    @property
    def same(self) -> Any:
        """The record that is surely meant, or None."""
        return next((likeness.record for likeness in self.likely if likeness.is_same), None)


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
        )

    def show_missing(self, refusal: StageRequires) -> None:
        """Say beside each field that the stage asks for it."""
        for missing in refusal.missing:
            is_asked_here = missing.key in self.fields
            message = _("The stage asks for this.") if is_asked_here else refusal.message
            self.add_error(missing.key if is_asked_here else None, message)


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
