"""What the person who moves a deal says: where to, what the stage asks for, why it was lost, what it was won for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import AmountField, ChooserField, DayInput
from crm.models import Company, Contact, LeadSource, User
from pipeline.models import ChecklistItem, Deal, LossReason, Stage
from pipeline.rules.moving import Loss, MoveDetails, Place
from pipeline.rules.refusals import Missing


class SeenDealForm(forms.Form):
    """A change of a deal as it was seen, carrying the key under which a retry gets the first answer."""

    title, submit, is_danger = _("“%(deal)s”"), _("Save"), False
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, *args: Any, deal: Deal, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.deal, self.by = deal, by
        self.initial = {"version": deal.version, **self.initial}


class MovingOnForm(SeenDealForm):
    """A move with the ticks that the deal's present stage wants before it is left, where they are missing."""

    title, submit = _("Move “%(deal)s”"), _("Move")
    ticked = forms.ModelMultipleChoiceField(
        ChecklistItem.objects.none(),
        label=capfirst(_("needed to move on")),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        needed = ChecklistItem.objects.filter(stage=self.deal.stage_id, is_required=True)
        self.fields["ticked"].queryset = needed.exclude(pk__in=self.deal.ticks.values("item_id"))  # type: ignore[attr-defined]

    def ask_for(self, missing: Sequence[Missing]) -> None:
        """Show only what is missing, no longer as optional; the rest stays out of the form."""
        if not any(one.is_tick for one in missing):
            del self.fields["ticked"]
        for name in {"ticked", *(one.key for one in missing)} & set(self.fields):
            self.fields[name].required = True


class MoveForm(MovingOnForm):
    """A stage of the deal's pipeline, the neighbours in its column, and fields that the stage asks for."""

    to = forms.ModelChoiceField(Stage.objects.none(), label=_("Stage"), empty_label=None)
    after = forms.IntegerField(widget=forms.HiddenInput, required=False)
    before = forms.IntegerField(widget=forms.HiddenInput, required=False)
    amount = AmountField(required=False)
    company = ChooserField(None, address="choose_companies", required=False, label=_("Company"))
    contact = ChooserField(None, address="choose_contacts", required=False, label=_("Contact"))
    expected_close_on = forms.DateField(label=_("Expected close"), widget=DayInput(), required=False)
    source = forms.ModelChoiceField(
        LeadSource.objects.filter(is_archived=False), label=_("Source"), required=False, empty_label=_("none")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["to"].queryset = Stage.objects.live().filter(pipeline_id=self.deal.pipeline_id).order_by("position")
        fields["company"].queryset = Company.objects.visible_to(self.by)
        fields["contact"].queryset = Contact.objects.visible_to(self.by)
        self.initial.setdefault("to", self.deal.stage_id)

    def ask_for(self, missing: Sequence[Missing]) -> None:
        """Show, beside the stage, only what is missing or was wrong."""
        super().ask_for(missing)
        shown = {one.key for one in missing} | set(self.errors)
        for name in Stage.Requirement.values:
            if name not in shown:
                del self.fields[name]

    def details(self) -> MoveDetails:
        """What the rule is given."""
        said = self.cleaned_data
        values = {name: said.get(name) for name in Stage.Requirement.values}
        place = Place(after=said.get("after"), before=said.get("before"))
        return MoveDetails(place=place, values=values, ticked=said.get("ticked") or ())


class UndoForm(SeenDealForm):
    """The neighbours that the card had before it was moved; both may be missing."""

    after = forms.IntegerField(required=False)
    before = forms.IntegerField(required=False)

    def place(self) -> Place | None:
        """Where the card lay; None where the page could not say."""
        place = Place(after=self.cleaned_data["after"], before=self.cleaned_data["before"])
        return place if place != Place() else None


class WinForm(MovingOnForm):
    """The real amount and the day."""

    title, submit = _("“%(deal)s” is won"), _("Mark as won")

    amount = AmountField(label=_("Amount"))
    won_on = forms.DateField(label=_("Won on"), widget=DayInput())

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial = {"amount": self.deal.amount, "won_on": timezone.localdate(), **self.initial}

    def clean_won_on(self) -> dt.date:
        """A deal is won today or was won since it came into its stage."""
        day: dt.date = self.cleaned_data["won_on"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("This day has not come yet."))
        entered_at = self.deal.stage_entered_at
        if entered_at and day < timezone.localtime(entered_at).date():
            raise forms.ValidationError(_("The deal came into its present stage later than this."))
        return day

    def details(self, now: dt.datetime) -> MoveDetails:
        """What the rule is given: today means now, an earlier day its noon."""
        day: dt.date = self.cleaned_data["won_on"]
        noon = timezone.make_aware(dt.datetime.combine(day, dt.time(12)))
        won_at = now if day == timezone.localdate() else noon
        ticked = self.cleaned_data.get("ticked") or ()
        return MoveDetails(amount=self.cleaned_data["amount"], won_at=won_at, ticked=ticked)


class LoseForm(SeenDealForm):
    """Why the deal was lost."""

    title, submit, is_danger = _("“%(deal)s” is lost"), _("Mark as lost"), True

    reason = forms.ModelChoiceField(LossReason.objects.none(), label=_("Reason"), empty_label=_("Choose a reason"))
    competitor = forms.CharField(label=_("Competitor"), max_length=120, required=False)
    note = forms.CharField(label=_("Note"), max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        here = Q(pipeline=None) | Q(pipeline=self.deal.pipeline_id)
        self.fields["reason"].queryset = LossReason.objects.filter(here, is_archived=False)  # type: ignore[attr-defined]
        self.fields["reason"].error_messages["required"] = _("Say why the deal was lost.")

    def loss(self) -> Loss:
        """What the rule is given."""
        said = self.cleaned_data
        return Loss(reason=said["reason"], note=said["note"], competitor=said["competitor"])


class QuickAddForm(forms.Form):
    """A deal in three fields, in place."""

    name = forms.CharField(label=_("Title"), max_length=200)
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    amount = AmountField(required=False)
