"""Admins set up a second factor before anything else, where the organisation wants it so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

# Where one sets it up, logs out or changes the language.
OPEN_PATHS = ("/accounts/", "/i18n/")


class SecondFactorMiddleware:
    """Leads an admin without a second factor to its set-up (REQUIRE_SECOND_FACTOR_OF_ADMINS)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.REQUIRE_SECOND_FACTOR_OF_ADMINS:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Redirect before the view runs."""
        person = request.user
        if not person.is_authenticated or not person.is_admin or request.path.startswith(OPEN_PATHS):
            return None
        if is_mfa_enabled(person):
            return None
        messages.info(request, _("Admins of this organisation log in with a second factor. Set yours up to go on."))
        return redirect("mfa_activate_totp")
