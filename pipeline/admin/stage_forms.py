"""Forms in which an admin changes stages; what a stage's history and its open deals forbid is said in a sentence."""

from __future__ import annotations

from typing import Any

from adminsortable2.admin import CustomInlineFormSet
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from crm.rules.errors import RuleError
from pipeline.models import Stage
from pipeline.rules.stages import refuse_no_win, refuse_rewriting, refuse_unwinnable


class StageForm(forms.ModelForm):
    """A stage; what its history forbids is said beside the form."""

    required_fields = forms.MultipleChoiceField(
        choices=Stage.Requirement.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Required on entering"),
        help_text=gettext_lazy("A deal enters only when it has these; the board asks for what is missing."),
    )

    class Meta:
        model = Stage
        fields = (
            "pipeline", "name", "name_ru", "slug", "kind", "probability", "rotting_days", "quiet_days", "color",
            "required_fields",
            "playbook", "playbook_ru", "is_archived",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Refuse what would rewrite history, or leave open deals that cannot be won, in a sentence."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        candidate = _as_said(self)
        try:
            refuse_rewriting(candidate)
            refuse_unwinnable(candidate)
        except RuleError as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from refusal
        return cleaned


class StageFormSet(CustomInlineFormSet):
    """The stages of a pipeline in one table, judged together: one may be won in place of another."""

    def clean(self) -> None:
        """Refuse of each what would rewrite its history, and of all that nothing could be won any more."""
        super().clean()
        if any(self.errors) or not self.instance.pk:
            return
        said = [_as_said(form) for form in self.forms if form.has_changed() or form.instance.pk]
        try:
            for stage in said:
                refuse_rewriting(stage)
            if not any(stage.is_won and not stage.is_archived for stage in said):
                refuse_no_win(self.instance)
        except RuleError as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from refusal


class ArchiveForm(forms.Form):
    """Where the deals of a stage go when it is archived."""

    to = forms.ModelChoiceField(Stage.objects.none(), required=False, label=gettext_lazy("Its open deals move to"))

    def __init__(self, *args: Any, stage: Stage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Stage.objects.live().filter(pipeline=stage.pipeline, kind=Stage.Kind.OPEN).exclude(pk=stage.pk)
        self.fields["to"].queryset = others  # type: ignore[attr-defined]


def _as_said(form: Any) -> Stage:
    """The stage as the form would make it, for the rules to judge; the instance itself stays as it was."""
    own, cleaned = form.instance, form.cleaned_data
    stage = Stage(pk=own.pk, pipeline=own.pipeline if own.pipeline_id else None)
    for name in ("pipeline", "name", "kind", "is_archived"):
        setattr(stage, name, cleaned.get(name, getattr(own, name, None)))
    return stage
