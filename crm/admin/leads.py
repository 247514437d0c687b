"""Where leads come from and why they are no customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from crm.admin.base import ActingAdmin
from crm.models import Campaign, DisqualifyReason, LeadSource
from crm.rules.response_clock import restart_running_clocks


@admin.register(LeadSource)
class LeadSourceAdmin(ActingAdmin):
    """Where leads come from, and how soon they are to be answered."""

    list_display = ("name", "name_ru", "slug", "respond_within_minutes", "is_archived")
    list_editable = ("respond_within_minutes",)
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ("name",)}
    search_fields = ("name", "name_ru")

    def save_model(self, request: HttpRequest, obj: LeadSource, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Clocks that run keep to the new time."""
        super().save_model(request, obj, form, change)
        if change and "respond_within_minutes" in form.changed_data:
            restart_running_clocks(now=timezone.now())


@admin.register(Campaign)
class CampaignAdmin(ActingAdmin):
    """Pushes within a source."""

    list_display = ("name", "source", "starts_on", "ends_on")
    list_filter = ("source",)
    search_fields = ("name",)


@admin.register(DisqualifyReason)
class DisqualifyReasonAdmin(ActingAdmin):
    """Why leads are no customers."""

    list_display = ("name", "name_ru", "is_archived")
