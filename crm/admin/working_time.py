"""When people work, and when they are away."""

from __future__ import annotations

from typing import Any

from babel import Locale
from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.admin.base import ActingAdmin, NamedFields
from crm.models import Absence, CalendarException, User, WorkingCalendar, WorkingSpan, regions_by_country
from crm.rules.response_clock import restart_running_clocks
from crm.rules.working_time import public_holidays


def country_choices() -> list[tuple[str, str]]:
    """Countries whose public holidays are known, by their names in the language being spoken."""
    names = Locale.parse((get_language() or "en").split("-")[0]).territories
    known = [(code, names.get(code, code)) for code in regions_by_country()]
    return [("", "—"), *sorted(known, key=lambda choice: choice[1])]


class CalendarForm(forms.ModelForm):
    """A calendar; its country is chosen by name."""

    country = forms.ChoiceField(
        choices=country_choices,
        required=False,
        label=_("Public holidays of"),
        help_text=_("Nobody works on them. Empty: none are kept."),
    )

    class Meta:
        model = WorkingCalendar
        fields = ("name", "time_zone", "country", "region", "is_default")


class SpanInline(NamedFields, admin.TabularInline):
    """The hours of the week."""

    model = WorkingSpan
    extra = 0
    verbose_name_plural = _("weekly hours (none: around the clock)")


class ExceptionInline(NamedFields, admin.TabularInline):
    """Days that are unlike their weekday."""

    model = CalendarException
    extra = 0


@admin.register(WorkingCalendar)
class WorkingCalendarAdmin(ActingAdmin):
    """When a team works: response clocks, reminders and sequences keep to it."""

    form = CalendarForm
    list_display = ("name", "time_zone", "country", "region", "is_default")
    search_fields = ("name",)
    inlines = (SpanInline, ExceptionInline)
    readonly_fields = ("holidays_kept",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Clocks that run keep to the new hours."""
        super().save_related(request, form, formsets, change)
        restart_running_clocks(now=timezone.now())

    @admin.display(description=_("holidays kept this year"))
    def holidays_kept(self, calendar: WorkingCalendar) -> str:
        """The public holidays of the calendar's country, so that an admin sees what was chosen."""
        if not calendar.country:
            return "—"
        kept = public_holidays(calendar.country, calendar.region, timezone.localdate().year)
        return format_html_join("", "<div>{} {}</div>", ((date_format(day), name) for day, name in kept.items()))

    def get_fields(self, request: HttpRequest, obj: WorkingCalendar | None = None) -> Any:  # noqa: ARG002
        """Holidays are listed once there is a calendar."""
        fields = CalendarForm.Meta.fields
        return (*fields, "holidays_kept") if obj else fields


@admin.register(Absence)
class AbsenceAdmin(ActingAdmin):
    """Who is away, and who stands in."""

    list_display = ("user", "starts_on", "ends_on", "substitute", "note")
    list_filter = ("user",)
    list_select_related = ("user", "substitute")
    date_hierarchy = "starts_on"

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Nobody who left is away, or stands in."""
        return super().formfield_for_foreignkey(db_field, request, queryset=User.objects.active(), **kwargs)
