"""What leaves the system, as an operator sees it."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm import jobs
from crm.admin.base import ReadOnlyAdmin, person_acting
from crm.models import OutboxRow
from crm.rules import outbox
from crm.templatetags.own_words import in_words


@admin.register(OutboxRow)
class OutboxRowAdmin(ReadOnlyAdmin):
    """What leaves the system: when due, claimed and sent, by which attempt, and what the other side said."""

    list_display = ("dedupe_key", "kind", "recipient", "state", "attempts", "available_at", "claimed_at", "finished_at")
    list_filter = ("state", "kind")
    search_fields = ("dedupe_key", "message_id")
    list_select_related = ("recipient",)
    actions = ("retry_rows", "cancel_rows")
    exclude = ("answer",)
    readonly_fields = ("said",)

    @admin.display(description=_("what the other side said"))
    def said(self, row: OutboxRow) -> str:
        """Our own answers in words, another's as it gave them."""
        return in_words(row.answer)

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
            count = outbox.cancel(rows, answer=f"cancelled by {person_acting(request)}")
        said = ngettext("%(count)d row was cancelled.", "%(count)d rows were cancelled.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)
