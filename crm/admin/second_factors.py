"""Second factors of people who log in, as an admin watches over them: somebody has lost their phone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.admin.base import ActingAdmin, ReadOnlyAdmin

admin.site.unregister(Authenticator)  # the package's own page shows the secret, and lets it be written
Authenticator._meta.verbose_name = _("second factor")  # the package has no name for it in any language
Authenticator._meta.verbose_name_plural = _("second factors")


class KindFilter(admin.ChoicesFieldListFilter):
    """By what it is, in the reader's words: the package's field has a name in no language."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = _("kind")


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Who has one of which kind. Its secret is nobody's to see; taken away, its owner sets up another."""

    list_display = ("person", "kind", "since", "last_used")
    list_filter = (("type", KindFilter),)
    list_select_related = ("user",)
    search_fields = ("user__name", "user__email")
    fields = list_display
    readonly_fields = list_display

    @admin.display(description=_("user"), ordering="user__name")
    def person(self, factor: Authenticator) -> str:
        """Whose it is."""
        return str(factor.user)

    @admin.display(description=_("kind"), ordering="type")
    def kind(self, factor: Authenticator) -> str:
        """An app's codes, or those kept for when it is gone."""
        return str(factor.get_type_display())

    @admin.display(description=_("created"), ordering="created_at")
    def since(self, factor: Authenticator) -> dt.datetime:
        """When it was set up."""
        return factor.created_at

    @admin.display(description=_("last used"), ordering="last_used_at")
    def last_used(self, factor: Authenticator) -> dt.datetime | None:
        """When somebody last came in by it."""
        return factor.last_used_at

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """An admin may take one away."""
        return ActingAdmin.has_delete_permission(self, request, obj)
