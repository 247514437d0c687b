"""What is asked before a lead counts as qualified."""

from __future__ import annotations

from adminsortable2.admin import SortableAdminMixin
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from crm.admin.base import ActingAdmin
from crm.models import QualifyingAnswer, QualifyingQuestion


@admin.register(QualifyingQuestion)
class QualifyingQuestionAdmin(SortableAdminMixin, ActingAdmin):
    """The checklist of leads; dragged into order. A question with answers is archived, not deleted."""

    list_display = ("name", "name_ru", "minimum", "is_archived")
    list_filter = ("sources", "is_archived")
    ordering = ("position",)
    fields = ("name", "name_ru", "hint", "hint_ru", "sources", "minimum", "is_archived")
    filter_horizontal = ("sources",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return obj is None or not QualifyingAnswer.objects.filter(question=obj.pk).exists()
