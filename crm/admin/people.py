"""People and teams."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.admin.base import ActingAdmin, person_acting
from crm.models import Team, User
from crm.rules.response_clock import restart_running_clocks
from crm.rules.sessions import end_sessions
from crm.rules.tokens import revoke_tokens_of


class PersonCreationForm(AdminUserCreationForm):
    """A new person: e-mail, name, role, password."""

    class Meta:
        model = User
        fields = ("email", "name", "role", "team")


@admin.register(User)
class UserAdmin(ActingAdmin, DjangoUserAdmin):
    """People: what they are here for, and whether they can log in. People who left are deactivated, not deleted."""

    add_form = PersonCreationForm
    ordering = ("name",)
    list_display = ("name", "email", "role", "team", "is_active")
    list_filter = ("role", "team", "is_active")
    search_fields = ("name", "email")
    filter_horizontal = ()
    readonly_fields = ("last_login", "joined_at")
    fieldsets = (
        (None, {"fields": ("name", "email", "password")}),
        (_("Work"), {"fields": ("role", "team", "working_calendar", "is_active")}),
        (_("Manners"), {"fields": ("language", "time_zone", "theme")}),
        (_("Reminders"), {"fields": ("digest_at", "quiet_from", "quiet_until")}),
        (_("Dates"), {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "role", "team", "usable_password", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Who is shut out is shut out everywhere, and stays so when let in again."""
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            now = timezone.now()
            end_sessions(obj, now=now)
            revoke_tokens_of(obj, by=person_acting(request), now=now)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Team)
class TeamAdmin(ActingAdmin):
    """Who works together and who leads them."""

    list_display = ("name", "shares_records", "working_calendar")
    search_fields = ("name",)
    filter_horizontal = ("leaders",)

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Clocks that run keep to the hours of another calendar."""
        super().save_model(request, obj, form, change)
        if change and "working_calendar" in form.changed_data:
            restart_running_clocks(now=timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """A team with people in it stays; they are moved first."""
        return obj is None or not User.objects.filter(team=obj.pk).exists()
