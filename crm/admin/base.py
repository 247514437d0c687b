"""What every page of the admin shares: it acts as the person logged in."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst

from crm.models import User
from crm.rules.audit import acting


class NamedFields:
    """Fields that say their name where no label stands beside them: in tables, whose columns alone are named."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)  # type: ignore[misc]  # the admin's
        if field is not None:
            widget = getattr(field.widget, "widget", field.widget)  # of a relation's the inner one is drawn
            widget.attrs.setdefault("aria-label", capfirst(str(field.label or db_field.verbose_name)))
        return field


class ActingAdmin(NamedFields, admin.ModelAdmin):
    """Writes as the person who is logged in, so that the audit log names them."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Call what there is to choose by its own name: a label such as "of these sources" makes no sentence of it."""
        if db_field.name in self.filter_horizontal:
            plural = db_field.related_model._meta.verbose_name_plural
            kwargs.setdefault("widget", FilteredSelectMultiple(plural, is_stacked=False))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with acting(person_acting(request)):
            return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with acting(person_acting(request)):
            return super().delete_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with acting(person_acting(request)):
            return super().changelist_view(request, *args, **kwargs)


class ReadOnlyAdmin(ActingAdmin):
    """To look at, not to change."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:  # noqa: ARG002 (Django's signature)
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


def person_acting(request: HttpRequest) -> User | None:
    """Who is acting; the admin site itself turns strangers away."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied
