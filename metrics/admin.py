"""Money spent to win customers, entered by an admin."""

from __future__ import annotations

from django.contrib import admin

from crm.admin.base import ActingAdmin
from metrics.models import Spend


@admin.register(Spend)
class SpendAdmin(ActingAdmin):
    """Spend by day, category and source."""

    list_display = ("on", "amount", "currency", "category", "source", "campaign")
    list_filter = ("category", "source", "currency")
    date_hierarchy = "on"
