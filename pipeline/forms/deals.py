"""A deal as a person edits it, opens it, and fills what the next stage asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import AmountField, ChooserField, DayInput, SeenForm, currency_choices
from crm.models import Company, Contact, LeadSource, User
from pipeline.models import Deal, Pipeline, Stage

EDITED = (
    "name", "company", "contact", "owner", "amount", "currency", "expected_close_on", "source", "campaign", "tags",
)  # fmt: skip


class DealForm(SeenForm):
    """The facts of a deal. A person may keep a company, contact or owner that they could not choose anew."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    company = ChooserField(None, address="choose_companies", adds=True, required=False, label=_("Company"))
    contact = ChooserField(None, address="choose_contacts", adds=True, required=False, label=_("Contact"))
    amount = AmountField(required=False)
    currency = forms.ChoiceField(label=_("Currency"))

    class Meta:
        model = Deal
        fields = EDITED
        widgets = {"expected_close_on": DayInput()}
        help_texts = {"tags": _("Separated by commas")}

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        deal: Any = self.instance
        self.fields["version"].initial = deal.version
        self._let_choose("company", Company.objects.visible_to(by), Company.objects.filter(pk=deal.company_id))
        self._let_choose("contact", Contact.objects.visible_to(by), Contact.objects.filter(pk=deal.contact_id))
        self._let_choose("owner", User.objects.assignable_by(by), User.objects.filter(pk=deal.owner_id))
        self._let_choose(
            "source", LeadSource.objects.filter(is_archived=False), LeadSource.objects.filter(pk=deal.source_id)
        )
        for name in ("source", "campaign"):
            self.fields[name].empty_label = _("none")  # type: ignore[attr-defined]
        self.fields["currency"].choices = currency_choices(deal.currency)  # type: ignore[attr-defined]

    def _let_choose(self, name: str, allowed: Any, kept: Any) -> None:
        if name in self.fields:
            rows = allowed.model.objects.filter(Q(pk__in=allowed.values("pk")) | Q(pk__in=kept.values("pk")))
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A contact brings the company along where none is chosen."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        contact = cleaned.get("contact")
        if contact is not None and contact.company_id and "company" in cleaned and cleaned["company"] is None:
            cleaned["company"] = contact.company
        return cleaned

    def said(self) -> dict[str, Any]:
        """What the rule is given: the fields of the deal, without the version."""
        return {name: value for name, value in self.cleaned_data.items() if name in EDITED}

    def seen_again(self, version: int) -> None:
        """Let the same form be sent anew over the state of `version`, which the person has now seen."""
        sent = cast("QueryDict", self.data).copy()
        sent["version"] = str(version)
        self.data = sent


class NewDealForm(DealForm):
    """A deal and the stage it begins in."""

    stage = forms.ModelChoiceField(Stage.objects.none(), label=_("Stage"), empty_label=None)
    field_order = ("name", "company", "contact", "amount", "currency", "stage", "expected_close_on", "owner")

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, by=by, **options)
        del self.fields["version"]
        self.fields["owner"].initial = by
        self.fields["owner"].empty_label = None  # type: ignore[attr-defined]
        self.fields["stage"].queryset = beginnings_for(by)  # type: ignore[attr-defined]


class MissingFieldsForm(DealForm):
    """Only those fields of a deal that the next stage asks for and that are empty."""

    def __init__(self, *args: Any, names: Iterable[str], **options: Any) -> None:
        super().__init__(*args, **options)
        kept = {"version", *names} | ({"currency"} if "amount" in names else set())
        self.fields = {name: field for name, field in self.fields.items() if name in kept}
        for name in names:
            self.fields[name].required = True


def beginnings_for(user: User) -> Any:
    """Return the stages in which a deal of `user` can begin, pipeline by pipeline."""
    pipelines = Pipeline.objects.visible_to(user)
    stages = Stage.objects.live().filter(pipeline__in=pipelines, kind=Stage.Kind.OPEN).select_related("pipeline")
    return stages.order_by("pipeline__position", "pipeline_id", "position", "pk")
