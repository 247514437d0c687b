"""What addresses open to everybody share: no large bodies, no guessing whose address it is, nothing told to others."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from crm.rules.doors import mark_of
from crm.views.addresses import whole_number

View = Callable[..., HttpResponse]
LARGEST_BODY = 256 * 1024


def public_door(view: View) -> View:
    """Refuse (413) a body larger than any form before it is read, keep answers out of caches, and leave no referrer."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if (whole_number(request.META.get("CONTENT_LENGTH")) or 0) > LARGEST_BODY:
            return HttpResponse(_("This is too large."), status=413, content_type="text/plain; charset=utf-8")
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return guarded


def address_mark_of(request: HttpRequest) -> str:
    """Return the mark of the visitor's address, as the trusted proxies (TRUSTED_PROXIES) tell it."""
    try:
        address = str(get_adapter().get_client_ip(request))
    except (ImproperlyConfigured, PermissionDenied):  # fewer proxies than we trust stood before this request
        address = str(request.META.get("REMOTE_ADDR", ""))
    return mark_of(address)
