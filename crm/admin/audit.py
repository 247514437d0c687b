"""The audit log."""

from __future__ import annotations

from django.contrib import admin

from crm.admin.base import ReadOnlyAdmin
from crm.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what; nobody alters it."""

    list_display = ("at", "actor", "through", "kind", "record_id", "action", "note")
    list_filter = ("kind", "action", "through")
    search_fields = ("=record_id",)
    list_select_related = ("actor",)
    show_full_result_count = False
