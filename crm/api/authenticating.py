"""Who asks: the person behind a bearer token, and nobody else; a session opens nothing here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from crm.api.problems import Problem
from crm.models import ApiToken, User
from crm.rules.audit import coming_through
from crm.rules.tokens import open_api_token, pace_api_token
from crm.rules.wall_clock import zone_of

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class ApiRequest(HttpRequest):
    """A request behind a token (for the type checker; nothing makes one)."""

    user: User
    auth: ApiToken


class TokenAuth(HttpBearer):
    """`Authorization: Bearer voronka_…`. Person, rights and scope are read anew each time."""

    def __call__(self, request: HttpRequest) -> Any:
        """Open the token, or say that there is none."""
        if not request.headers.get("Authorization", "").lower().startswith("bearer "):
            raise Problem(401, "token_missing", _("Send a token: Authorization: Bearer voronka_…"))
        return super().__call__(request)

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        """Return the token; the request is from now on its person's, in their language and on their clock."""
        now = timezone.now()
        opened = open_api_token(token.strip(), now=now)
        translation.activate(opened.user.language)
        timezone.activate(zone_of(opened.user.time_zone))
        request.user = opened.user
        pace_api_token(opened, per_minute=settings.API_REQUESTS_PER_MINUTE, now=now)
        if request.method not in READING:
            _refuse_reader(opened)
        return opened


def as_token(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Let the audit log say that what `operation` does came through the API, and by which token."""

    @functools.wraps(operation)
    def run(request: ApiRequest, *args: Any, **kwargs: Any) -> Any:
        with coming_through("api", note=f"{request.auth.name} ({request.auth.hint}…)"):
            return operation(request, *args, **kwargs)

    return run


def _refuse_reader(token: ApiToken) -> None:
    if not token.may_write:
        raise Problem(403, "token_reads_only", _("This token may only read. Make one that may write."))
    if not token.user.may_write:
        raise Problem(403, "not_allowed", _("You may look, but not change anything."))
