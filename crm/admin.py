"""What an admin shapes in the Django admin: people, teams, sources, rates; and what they may only look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm import jobs
from crm.models import (
    AuditEntry,
    Campaign,
    DisqualifyReason,
    ExchangeRate,
    LeadSource,
    OutboxRow,
    Team,
    User,
)
from crm.rules import outbox
from crm.rules.audit import acting
from crm.rules.sessions import end_sessions

admin.site.site_header = _("Voronka settings")
admin.site.site_title = _("Voronka settings")
admin.site.index_title = _("Settings")
admin.site.disable_action("delete_selected")
# What a person may do follows from their role, and they have the one address they log in by.
for unused in (Group, EmailAddress):
    if admin.site.is_registered(unused):
        admin.site.unregister(unused)


class ActingAdmin(admin.ModelAdmin):
    """Writes as the person who is logged in, so that the audit log names them."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with acting(_person(request)):
            return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with acting(_person(request)):
            return super().delete_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with acting(_person(request)):
            return super().changelist_view(request, *args, **kwargs)


class ReadOnlyAdmin(ActingAdmin):
    """To look at, not to change."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:  # noqa: ARG002 (Django's signature)
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


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
        (_("Work"), {"fields": ("role", "team", "is_active")}),
        (_("Manners"), {"fields": ("language", "time_zone", "theme")}),
        (_("Reminders"), {"fields": ("reminds_in_page", "reminds_by_email", "quiet_from", "quiet_until")}),
        (_("Dates"), {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "role", "team", "usable_password", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Who is shut out is shut out everywhere, and stays so when let in again."""
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            end_sessions(obj, now=timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Team)
class TeamAdmin(ActingAdmin):
    """Who works together and who leads them."""

    list_display = ("name", "shares_records")
    search_fields = ("name",)
    filter_horizontal = ("leaders",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """A team with people in it stays; they are moved first."""
        return obj is None or not User.objects.filter(team=obj.pk).exists()


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


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ActingAdmin):
    """What currencies were worth, by day."""

    list_display = ("on", "currency", "rate")
    list_filter = ("currency",)
    date_hierarchy = "on"


@admin.register(OutboxRow)
class OutboxRowAdmin(ReadOnlyAdmin):
    """What leaves the system: when due, claimed and sent, by which attempt, and what the other side said."""

    list_display = ("dedupe_key", "kind", "recipient", "state", "attempts", "available_at", "claimed_at", "finished_at")
    list_filter = ("state", "kind")
    search_fields = ("dedupe_key", "message_id")
    list_select_related = ("recipient",)
    actions = ("retry_rows", "cancel_rows")

    @admin.action(description=_("Send again"))
    def retry_rows(self, request: HttpRequest, rows: QuerySet[OutboxRow]) -> None:
        """Put dead and unclear rows back into the queue."""
        count = sum(outbox.retry(row) for row in rows)
        jobs.deliver.delay_on_commit()  # type: ignore[attr-defined]  # Job's, see config/celery.py
        said = ngettext("%(count)d row will be sent again.", "%(count)d rows will be sent again.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Cancel"))
    def cancel_rows(self, request: HttpRequest, rows: QuerySet[OutboxRow]) -> None:
        """Take waiting rows out of the queue."""
        with transaction.atomic():
            count = outbox.cancel(rows, answer=f"cancelled by {_person(request)}")
        said = ngettext("%(count)d row was cancelled.", "%(count)d rows were cancelled.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what; nobody alters it."""

    list_display = ("at", "actor", "through", "kind", "record_id", "action", "note")
    list_filter = ("kind", "action", "through")
    search_fields = ("=record_id",)
    list_select_related = ("actor",)
    show_full_result_count = False


def _person(request: HttpRequest) -> User | None:
    """Who is acting; the admin site itself turns strangers away."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied
