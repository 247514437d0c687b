"""API tokens, as an admin watches over them."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.admin.base import ReadOnlyAdmin, person_acting
from crm.models import ApiToken
from crm.rules.tokens import revoke_api_token


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Whose programs come in, when last, and until when; an admin ends what should not."""

    list_display = ("name", "user", "scope", "hint", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("scope",)
    search_fields = ("name", "user__name", "user__email")
    list_select_related = ("user",)
    fields = ("user", "name", "scope", "hint", "created_at", "last_used_at", "expires_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke"))
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        """End the chosen tokens at once."""
        for token in rows:
            revoke_api_token(token, by=person_acting(request), now=timezone.now())
        said = ngettext("%(count)d token was revoked.", "%(count)d tokens were revoked.", len(rows))
        self.message_user(request, said % {"count": len(rows)}, messages.SUCCESS)
