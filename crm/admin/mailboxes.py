"""What became of each message that was read, as an operator sees it."""

from __future__ import annotations

from django.contrib import admin

from crm.admin.base import ReadOnlyAdmin
from crm.models import Receipt


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Messages out of mailboxes, without their contents: which were kept, and which could not be understood."""

    list_display = ("at", "mailbox", "person", "outcome", "uid")
    list_filter = ("outcome",)
    show_full_result_count = False
    list_select_related = ("mailbox", "person")
    fields = ("at", "mailbox", "folder", "uid_validity", "uid", "person", "outcome")
