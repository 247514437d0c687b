"""Pages that a secret in their address opens, without a login."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from crm.models import Token
from crm.rules.tokens import TokenRefused, open_token

View = Callable[..., HttpResponse]


def public_door(view: View) -> View:
    """Open `view` to strangers: its address, which is a key, is told to no other site, cache or search engine."""

    @login_not_required
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    return answer


def token_or_404(secret: str, *, act: str) -> Token:
    """Return the token that `secret` opens `act` with, its object in `.opens`; Http404 for any other."""
    try:
        return open_token(secret, act=act, now=timezone.now())
    except TokenRefused as refusal:
        raise Http404(refusal.message) from refusal
