"""An action of a stage rule as a form: the fields of its kind, and of no other."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pipeline.models import StageAction
from pipeline.rules.automation.kinds import (
    ActionKind,
    Line,
    OneOf,
    Parameter,
    Row,
    Whole,
    WrongParameter,
    all_kinds,
)


def field_for(parameter: Parameter) -> forms.Field:
    """Return the form field that asks for a parameter."""
    said: dict[str, Any] = {
        "label": parameter.label, "help_text": parameter.help, "required": parameter.is_required,
    }  # fmt: skip
    match parameter:
        case OneOf(choices=choices):
            # Where nothing was said the first choice holds.
            return forms.ChoiceField(choices=choices, **{**said, "required": True})
        case Row(rows=rows):
            return forms.ModelChoiceField(rows(), **said)
        case Whole(least=least, most=most):
            return forms.IntegerField(min_value=least, max_value=most, **said)
        case Line(longest=longest):
            return forms.CharField(max_length=longest, widget=forms.TextInput(attrs={"size": 60}), **said)
        case _:
            raise TypeError(f"no field asks for {parameter!r}")


class StageActionForm(forms.ModelForm):
    """One action; a new one's kind comes with the form, as it was chosen by a button."""

    kind = forms.CharField(widget=forms.HiddenInput, max_length=30)

    class Meta:
        model = StageAction
        fields = ("kind", "position")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["position"].widget.attrs["class"] = "action-position"
        self.fields["position"].help_text = _("Actions are done from the lowest to the highest.")
        self.action_kind = self._kind()
        stored = self.instance.parameters if isinstance(self.instance.parameters, dict) else {}
        for parameter in self.action_kind.parameters if self.action_kind else ():
            self.fields[parameter.name] = field_for(parameter)
            self.initial.setdefault(parameter.name, stored.get(parameter.name))
        self.fields["position"] = self.fields.pop("position")  # below what the action is about

    def _kind(self) -> ActionKind | None:
        """Of an action that is there its own kind, whatever the form says; of a new one that which was chosen."""
        if self.instance.pk:
            self.fields["kind"].disabled = True
            return all_kinds().get(self.instance.kind)
        chosen = self.data.get(self.add_prefix("kind")) if self.is_bound else self.initial.get("kind")
        return all_kinds().get(str(chosen or ""))

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to show: an action, or a new one whose kind was chosen."""
        return self.action_kind is not None or bool(self.instance.pk) or bool(self.is_bound and self.errors)

    def clean(self) -> dict[str, Any]:
        """Refuse parameters that cannot be together, beside the field they are of."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.action_kind is None:
            raise forms.ValidationError(_("There is no such action."))
        if self.errors:
            return cleaned
        values = {parameter.name: cleaned.get(parameter.name) for parameter in self.action_kind.parameters}
        try:
            self.instance.parameters = self.action_kind.store(values)
        except WrongParameter as refusal:
            self.add_error(refusal.name if refusal.name in self.fields else None, refusal.message)
        return cleaned
