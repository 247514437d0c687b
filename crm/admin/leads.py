"""Where leads come from and why they are no customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin

from crm.admin.base import ActingAdmin
from crm.models import Campaign, DisqualifyReason, LeadSource


@admin.register(LeadSource)
class LeadSourceAdmin(ActingAdmin):
    """Where leads come from, and how soon they are to be answered."""

    list_display = ("name", "name_ru", "slug", "respond_within_minutes", "is_archived")
    list_editable = ("respond_within_minutes",)
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ("name",)}
    search_fields = ("name", "name_ru")


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
