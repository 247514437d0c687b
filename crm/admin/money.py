"""Exchange rates."""

from __future__ import annotations

from django.contrib import admin

from crm.admin.base import ActingAdmin
from crm.models import ExchangeRate


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ActingAdmin):
    """What currencies were worth, by day."""

    list_display = ("on", "currency", "rate")
    list_filter = ("currency",)
    date_hierarchy = "on"
