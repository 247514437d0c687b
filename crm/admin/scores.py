"""What leads are scored by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from crm.admin.base import ActingAdmin, ReadOnlyAdmin
from crm.models import ScoreModel, ScoreRule
from crm.rules.scoring.applying import ask_for_rescoring


@admin.register(ScoreRule)
class ScoreRuleAdmin(ActingAdmin):
    """Points for facts, used until enough outcomes are known; every lead is scored anew after a change."""

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
