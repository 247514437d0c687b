"""What leads are scored by."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from crm.admin.base import ActingAdmin, ReadOnlyAdmin
from crm.models import LeadSource, ScoreModel, ScoreRule
from crm.rules.scoring.applying import ask_for_rescoring


class ScoreRuleForm(forms.ModelForm):
    """A rule; a source is named as the person knows it, and kept by its slug."""

    class Meta:
        model = ScoreRule
        fields = ("name", "name_ru", "condition", "value", "points", "is_active")

    def clean(self) -> dict[str, Any]:
        """Refuse a source that is none: its rule would never give a point."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        named = str(cleaned.get("value") or "").strip()
        if cleaned.get("condition") == ScoreRule.Condition.SOURCE and named:
            is_named = Q(slug__iexact=named) | Q(name__iexact=named) | Q(name_ru__iexact=named)
            source = LeadSource.objects.filter(is_named).first()
            if source is None:
                raise ValidationError({"value": _("There is no source of this name or slug.")})
            cleaned["value"] = source.slug
        return cleaned


@admin.register(ScoreRule)
class ScoreRuleAdmin(ActingAdmin):
    """Points for facts, used until enough outcomes are known; every lead is scored anew after a change."""

    form = ScoreRuleForm
    list_display = ("name", "name_ru", "condition", "value", "points", "is_active")
    list_editable = ("points", "is_active")
    list_filter = ("is_active", "condition")

    def save_model(self, request: HttpRequest, obj: ScoreRule, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Leads follow the rule from the next minute on."""
        super().save_model(request, obj, form, change)
        ask_for_rescoring()

    def delete_model(self, request: HttpRequest, obj: ScoreRule) -> None:
        """Leads forget the rule from the next minute on."""
        super().delete_model(request, obj)
        ask_for_rescoring()


@admin.register(ScoreModel)
class ScoreModelAdmin(ReadOnlyAdmin):
    """What was learned when, and how well it foretold."""

    list_display = ("started_at", "state", "outcomes", "customers", "held_out", "auc", "brier", "rival_brier")
    list_filter = ("state",)
    exclude = ("parameters",)
