"""Sequences: how one runs, its steps, and whom it takes on."""

from __future__ import annotations

from collections.abc import Sequence as Several
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models import EmailTemplate, Segment, Sequence, SequenceStep, User
from crm.rules.sequences.steps import BY_KIND

ME, OWNER = "me", "owner"
LANGUAGES = (("", _("Each person’s own, as far as it is known")), *settings.LANGUAGES)
SENDERS = ((ME, _("Me")), (OWNER, _("The owner of each person")))


class SequenceForm(forms.ModelForm):
    """How a sequence runs."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    class Meta:
        model = Sequence
        fields = ("name", "sends_at", "allows_others", "tracks_links", "is_shared")
        widgets = {"sends_at": forms.RadioSelect}

    def said(self) -> dict[str, Any]:
        """What the rule is given."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class StepForm(forms.ModelForm):
    """What is said of one step: the fields of its kind; nobody sees those of others."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    class Meta:
        model = SequenceStep
        fields = (
            "template", "template_b", "share_b", "follow_up_kind", "title", "days", "note", "condition", "goes_to",
        )  # fmt: skip
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(
        self, *args: Any, by: User, later: Several[SequenceStep], numbers: dict[int, int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        step = self.instance
        for name in set(self.fields) - {"version", *BY_KIND[step.kind]}:
            del self.fields[name]
        if step.kind == SequenceStep.Kind.EMAIL:
            self._offer_templates(step, by)
        if step.kind == SequenceStep.Kind.WAIT:
            self.fields["days"].label = _("How many working days")
            self.fields["days"].min_value = 1  # type: ignore[attr-defined]
            self.initial["days"] = step.days or 3
        if step.kind == SequenceStep.Kind.FOLLOW_UP:
            self.fields["days"].label = _("Due after so many working days")
            self.fields["title"].required = True
        if step.kind == SequenceStep.Kind.BRANCH:
            self._offer_ways(later, numbers)

    def said(self) -> dict[str, Any]:
        """What the rule is given."""
        return {name: self.cleaned_data[name] for name in BY_KIND[self.instance.kind]}

    def _offer_templates(self, step: SequenceStep, by: User) -> None:
        usable = EmailTemplate.objects.visible_to(by) | EmailTemplate.objects.filter(
            Q(pk=step.template_id) | Q(pk=step.template_b_id)
        )
        for name in ("template", "template_b"):
            self.fields[name].queryset = usable.order_by("name", "pk")  # type: ignore[attr-defined]
        self.fields["template"].required = True
        self.fields["template_b"].help_text = _("To find out which of two is answered more often.")
        self.fields["share_b"].required = False

    def _offer_ways(self, later: Several[SequenceStep], numbers: dict[int, int]) -> None:
        field: Any = self.fields["goes_to"]
        field.queryset = SequenceStep.objects.filter(pk__in=[step.pk for step in later])
        field.label_from_instance = lambda step: f"{numbers[step.pk]}. {step}"
        field.empty_label = _("The end")
        self.fields["condition"].required = True
        self.fields["goes_to"].help_text = _("Else they go on with the next step.")

    def clean_share_b(self) -> int:
        """Half, unless somebody says otherwise."""
        return self.cleaned_data["share_b"] or 50


class EnrolPersonForm(forms.Form):
    """Which sequence one person is taken into, and in which language they are written to."""

    sequence = forms.ModelChoiceField(Sequence.objects.none(), label=_("Sequence"))
    language = forms.ChoiceField(choices=LANGUAGES, required=False, label=_("Language of the letters"))

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["sequence"]
        field.queryset = Sequence.objects.running().visible_to(by)
        field.empty_label = None


class EnrolSegmentForm(forms.Form):
    """Which segment is taken into a sequence, and who writes to its people."""

    segment = forms.ModelChoiceField(Segment.objects.none(), label=_("Segment"))
    sender = forms.ChoiceField(choices=SENDERS, initial=ME, label=_("Who writes to them"))
    language = forms.ChoiceField(choices=LANGUAGES, required=False, label=_("Language of the letters"))

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["segment"]
        field.queryset = Segment.objects.visible_to(by).order_by("about", "name", "pk")
        field.label_from_instance = lambda segment: f"{segment.get_about_display()}: {segment.name}"


class QuestionForm(forms.Form):
    """A question without fields: only yes or no."""
