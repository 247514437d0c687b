"""The audit log."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from crm.admin.base import ReadOnlyAdmin
from crm.models import AuditEntry
from crm.templatetags.own_words import in_words


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what; nobody alters it."""

    list_display = ("at", "actor", "came_through", "kind", "record_id", "action", "noted")
    exclude = ("through", "note")
    readonly_fields = ("came_through", "noted")
    list_filter = ("kind", "action", "through")
    search_fields = ("=record_id",)
    list_select_related = ("actor",)
    show_full_result_count = False

    @admin.display(description=_("through"), ordering="through")
    def came_through(self, entry: AuditEntry) -> str:
        """Through what the change came, in words."""
        return in_words(entry.through)

    @admin.display(description=_("note"), ordering="note")
    def noted(self, entry: AuditEntry) -> str:
        """What the rule noted, in words."""
        return in_words(entry.note)
