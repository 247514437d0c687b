"""Who gets new leads, in which order the rules are asked."""

from __future__ import annotations

from typing import Any

from adminsortable2.admin import SortableAdminMixin
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.admin.base import ActingAdmin
from crm.models import AssignmentRule, User


class AssignmentRuleForm(forms.ModelForm):
    """A rule; one that could never give a lead to anybody is refused."""

    class Meta:
        model = AssignmentRule
        fields = (
            "name", "is_active", "sources", "campaigns", "of_teams", "segment", "method", "person", "team", "people",
            "at_work",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Whoever takes turns is named, by team or one by one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_shared = cleaned.get("method") in {AssignmentRule.Method.TURN, AssignmentRule.Method.LOAD}
        if is_shared and not cleaned.get("team") and not cleaned.get("people"):
            raise ValidationError({"team": _("Say who gets the leads: a team, or people.")})
        return cleaned


@admin.register(AssignmentRule)
class AssignmentRuleAdmin(SortableAdminMixin, ActingAdmin):
    """The rules in their order; dragged to change it."""

    form = AssignmentRuleForm
    list_display = ("name", "method", "team", "person", "at_work", "is_active")
    list_select_related = ("team", "person")
    ordering = ("position",)
    filter_horizontal = ("sources", "campaigns", "of_teams", "people")
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (
            gettext_lazy("Which leads"),
            {
                "fields": ("sources", "campaigns", "of_teams", "segment"),
                "description": gettext_lazy("New leads that nobody owns yet and that meet all of it."),
            },
        ),
        (gettext_lazy("Who gets them"), {"fields": ("method", "person", "team", "people", "at_work")}),
    )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Nobody who left, or only looks, gets leads."""
        if db_field.related_model is User:
            kwargs["queryset"] = _sellers()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """See `formfield_for_foreignkey`."""
        if db_field.related_model is User:
            kwargs["queryset"] = _sellers()
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _sellers() -> Any:
    return User.objects.active().exclude(role=User.Role.VIEWER)
