"""What is changed in several records at once: what stays empty is left as each of them has it, unless it is cleared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import ChooserField, DayInput
from crm.models import Campaign, Company, Contact, DisqualifyReason, Lead, LeadSource, User
from pipeline.forms.together import ChosenRecords
from pipeline.models import Deal, Pipeline, Stage
from pipeline.rules.changing_together import Added, KeptWithin

KEEP = _("leave as it is")


class ChosenForm(forms.Form):
    """The records that were chosen, each as it was seen."""

    chosen = ChosenRecords()


@dataclass(frozen=True)
class Asked:
    """A field, in words what clearing it does ("" where it cannot be), and whether that was chosen."""

    field: forms.BoundField
    clears: str
    is_cleared: bool


class ChangeForm(forms.Form):
    """What every kind of record has: somebody who owns it.

    `cleared` names the fields, of those `clearable`, that are emptied in each record.
    """

    model: ClassVar[type[Any]]
    clearable: ClassVar[tuple[str, ...]] = ()

    owner = forms.ModelChoiceField(User.objects.none(), label=_("Owner"), required=False, empty_label=KEEP)
    cleared = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["cleared"].choices = [(name, name) for name in self.clearable]  # type: ignore[attr-defined]
        self._let_choose("owner", User.objects.assignable_by(by))

    def _let_choose(self, name: str, rows: Any) -> None:
        self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def asked(self) -> list[Asked]:
        """The fields that hold what is written, each with how it is cleared."""
        cleared = self["cleared"].value() or ()
        return [Asked(field, self._clears(field), field.name in cleared) for field in self if field.name != "cleared"]

    def _clears(self, field: forms.BoundField) -> str:
        if field.name not in self.clearable:
            return ""
        return (
            gettext("Remove all tags") if field.name == "tags" else gettext("Clear %(label)s") % {"label": field.label}
        )

    def clean(self) -> dict[str, Any]:
        """Something is to be changed, and nothing both filled and cleared."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in cleaned.get("cleared", ()):
            if cleaned.get(name) not in {None, ""}:
                self.add_error(name, forms.ValidationError(_("Either say what it becomes, or clear it."), code="both"))
        if not self.errors and not self.said():
            raise forms.ValidationError(_("Say what is to be changed."), code="nothing")
        return cleaned

    def said(self) -> dict[str, Any]:
        """What the rule writes into each."""
        filled = {name: value for name, value in self.cleaned_data.items() if name != "cleared"}
        said = {name: value for name, value in filled.items() if value not in {None, ""}}
        return said | {name: self.model._meta.get_field(name).get_default() for name in self.cleaned_data["cleared"]}


class CampaignForm(ChangeForm):
    """What deals and leads have beside: where they came from."""

    source = forms.ModelChoiceField(
        LeadSource.objects.filter(is_archived=False), label=_("Source"), required=False, empty_label=KEEP
    )
    campaign = forms.ModelChoiceField(Campaign.objects.all(), label=_("Campaign"), required=False, empty_label=KEEP)

    def clean(self) -> dict[str, Any]:
        """A campaign runs within a source: it brings its own along, and goes with no other."""
        cleaned = super().clean()
        campaign: Campaign | None = cleaned.get("campaign")
        if campaign is not None and "source" not in self.errors:
            source = cleaned["source"] = cleaned.get("source") or campaign.source
            if source.pk != campaign.source_id or "source" in cleaned.get("cleared", ()):
                words = _("“%(campaign)s” belongs to the source “%(source)s”.")
                said = {"campaign": campaign, "source": campaign.source}
                self.add_error("campaign", forms.ValidationError(words, params=said, code="foreign"))
        return cleaned

    def said(self) -> dict[str, Any]:
        """Where the source becomes another, a campaign stays only within it; without one there is none."""
        said = super().said()
        if "source" not in said:
            return said
        return {"campaign": KeptWithin(said["source"]) if said["source"] else None} | said


class StageField(forms.ModelChoiceField):
    """A stage by the name of its pipeline and its own."""

    def label_from_instance(self, obj: Any) -> str:
        """Name both."""
        return f"{obj.pipeline}: {obj}"


class DealChangeForm(CampaignForm):
    """Deals. No won stage: winning asks each for its real amount and day."""

    model = Deal
    clearable = ("expected_close_on", "tags", "source", "campaign")

    stage = StageField(Stage.objects.none(), label=_("Stage"), required=False, empty_label=KEEP)
    expected_close_on = forms.DateField(label=_("Expected close"), widget=DayInput(), required=False)
    tags = forms.CharField(label=_("Add a tag"), max_length=40, required=False)
    field_order = ("owner", "stage", "expected_close_on", "tags", "source", "campaign")

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, by=by, **options)
        stages = Stage.objects.live().filter(pipeline__in=Pipeline.objects.visible_to(by).order_by())
        stages = stages.filter(kind=Stage.Kind.OPEN).select_related("pipeline")
        self._let_choose("stage", stages.order_by("pipeline__position", "pipeline_id", "position"))

    def said(self) -> dict[str, Any]:
        """Tags are added to those that a deal has, separated by commas as in its own form."""
        said = super().said()
        if not said.get("tags"):  # cleared, or left alone
            return said
        tags = tuple(filter(None, map(str.strip, said.pop("tags").split(","))))
        return said | {"tags": Added(tags)} if tags else said


class LeadChangeForm(CampaignForm):
    """Leads. Disqualified ones say why, and can be opened again."""

    model = Lead
    clearable = ("owner", "source", "campaign")

    disqualify_reason = forms.ModelChoiceField(
        DisqualifyReason.objects.filter(is_archived=False),
        label=_("Disqualify for"),
        required=False,
        empty_label=_("do not disqualify"),
    )


class CompanyChangeForm(ChangeForm):
    """Companies."""

    model = Company
    clearable = ("owner", "industry", "country")

    industry = forms.CharField(label=_("Industry"), max_length=120, required=False)
    country = forms.CharField(label=_("Country"), max_length=120, required=False)


class ContactChangeForm(ChangeForm):
    """Contacts."""

    model = Contact
    clearable = ("owner", "company")

    company = ChooserField(None, address="choose_companies", required=False, label=_("Company"))

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, by=by, **options)
        self._let_choose("company", Company.objects.visible_to(by))
