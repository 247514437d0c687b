"""Pages open to strangers, some of them only by a secret in their address."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Token
from crm.rules.doors import mark_of
from crm.rules.tokens import TokenRefused, open_token
from crm.views.addresses import whole_number

View = Callable[..., HttpResponse]
LARGEST_BODY = 256 * 1024


def public_door(view: View) -> View:
    """Open `view` to strangers: refuse (413) a body larger than any form before it is read; no cache, no referrer."""

    @login_not_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if (whole_number(request.META.get("CONTENT_LENGTH")) or 0) > LARGEST_BODY:
            return HttpResponse(_("This is too large."), status=413, content_type="text/plain; charset=utf-8")
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return guarded


def secret_door(view: View) -> View:
    """A public door whose address is a key: no search engine keeps it either."""

    @public_door
    @wraps(view)
    def hidden(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        return response

    return hidden


def token_or_404(secret: str, *, act: str) -> Token:
    """Return the token that `secret` opens `act` with, its object in `.opens`; Http404 for any other."""
    try:
        return open_token(secret, act=act, now=timezone.now())
    except TokenRefused as refusal:
        raise Http404(refusal.message) from refusal


def address_mark_of(request: HttpRequest) -> str:
    """Return the mark of the visitor's address, as the trusted proxies (TRUSTED_PROXIES) tell it."""
    try:
        address = str(get_adapter().get_client_ip(request))
    except (ImproperlyConfigured, PermissionDenied):  # fewer proxies than we trust stood before this request
        address = str(request.META.get("REMOTE_ADDR", ""))
    return mark_of(address)
