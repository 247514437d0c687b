"""Issuing, opening and revoking secrets: of public links (`Token`) and of the REST API (`ApiToken`)."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import NamedTuple

from django.db.models import F, Model
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from crm.models import ApiToken, Token, User
from crm.rules.audit import acting
from crm.rules.errors import RuleError

SECRET_BYTES = 32
API_PREFIX = "voronka_"
"""Programs that look for leaked secrets know ours by it."""
_SHOWN_OF_SECRET = 4
NOTE_USE_EVERY = dt.timedelta(minutes=1)
"""A feed that is read every second is not written about every second."""


class TokenRefused(RuleError):
    """No such token, or it is revoked, expired, or for another act: all one answer (404 on a page, 401 in the API)."""

    code = "token_refused"


class TooManyRequests(RuleError):
    """The token is used faster than it may be (429); `retry_after` is in seconds."""

    code = "too_many_requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(_("Too many requests. Try again in %(seconds)s seconds.") % {"seconds": retry_after})
        self.retry_after = retry_after


# --- Public links ---------------------------------------------------------------------------------------------------


def issue_token(*, act: str, opens: Model, expires_at: dt.datetime | None, by: User | None, now: dt.datetime) -> str:
    """Return a new secret for doing `act` with the object `opens`: the only time it is known; older ones stay."""
    secret = new_secret()
    with acting(by):
        Token.objects.create(
            digest=digest_of(secret), act=act, opens=opens, issued_by=by, created_at=now, expires_at=expires_at
        )
    return secret


def open_token(secret: str, *, act: str, now: dt.datetime) -> Token:
    """Return the living token of `secret` for `act`, its object in `.opens`, and note its use; else TokenRefused.

    An object in the bin, gone, or a person who may no longer log in opens nothing.
    """
    token: Token | None = Token.objects.alive(now).filter(digest=digest_of(secret), act=act).first()
    if token is None or not _is_there(token.opens):
        raise TokenRefused(_("This link is no longer valid."))
    if token.last_used_at is None or token.last_used_at < now - NOTE_USE_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def revoke_tokens(opens: Model, *, act: str = "", by: User | None, now: dt.datetime) -> int:
    """Revoke every living token for `act` (any act without one) on the object; return how many."""
    with acting(by):
        return Token.objects.opening(opens, act).alive(now).update(revoked_at=now)


def _is_there(opened: object) -> bool:
    if isinstance(opened, User):
        return opened.is_active
    return opened is not None and getattr(opened, "deleted_at", None) is None


# --- The API --------------------------------------------------------------------------------------------------------


class NewApiToken(NamedTuple):
    """A token and its secret, which is shown once."""

    token: ApiToken
    secret: str


def create_api_token(*, name: str, scope: str, expires_at: dt.datetime, by: User, now: dt.datetime) -> NewApiToken:
    """Create a token of `by`'s own; nobody makes one for somebody else."""
    secret = API_PREFIX + new_secret()
    with acting(by):
        token = ApiToken.objects.create(
            user=by,
            name=name,
            scope=scope,
            digest=digest_of(secret),
            hint=secret[: len(API_PREFIX) + _SHOWN_OF_SECRET],
            created_at=now,
            busy_until=now,
            expires_at=expires_at,
        )
    return NewApiToken(token, secret)


def open_api_token(secret: str, *, now: dt.datetime) -> ApiToken:
    """Return the living token of `secret` with its person as they are now; else TokenRefused."""
    rows = ApiToken.objects.alive(now).filter(user__is_active=True).select_related("user__team")
    token: ApiToken | None = rows.filter(digest=digest_of(secret)).first()
    if token is None:
        raise TokenRefused(_("The token is unknown, revoked or expired."))
    return token


def pace_api_token(token: ApiToken, *, per_minute: int, now: dt.datetime) -> None:
    """Note the use of the token; TooManyRequests beyond `per_minute`, all of which may come at once.

    One compare-and-set: however many servers ask, the allowance is one.
    """
    step, burst = dt.timedelta(minutes=1) / per_minute, dt.timedelta(minutes=1)
    mine = ApiToken.objects.filter(pk=token.pk)
    earlier = mine.filter(busy_until__lte=now + burst - step)
    if not earlier.update(busy_until=Greatest(F("busy_until"), now) + step, last_used_at=now):
        busy_until = mine.values_list("busy_until", flat=True).get()
        raise TooManyRequests(retry_after=max(1, -((now + burst - step - busy_until) // dt.timedelta(seconds=1))))


def revoke_api_token(token: ApiToken, *, by: User | None, now: dt.datetime) -> None:
    """Revoke one token; what is revoked already stays as it is."""
    with acting(by):
        ApiToken.objects.alive(now).filter(pk=token.pk).update(revoked_at=now)


def revoke_tokens_of(person: User, *, by: User | None, now: dt.datetime) -> int:
    """Revoke all that opens something in the name of `person`, for who is shut out; return how many."""
    with acting(by):
        of_api = ApiToken.objects.of(person).filter(revoked_at=None).update(revoked_at=now)
        return of_api + revoke_tokens(person, by=by, now=now)


# --- Secrets --------------------------------------------------------------------------------------------------------


def new_secret() -> str:
    """Return 32 random bytes as 43 characters that fit into an address; `config.logging` knows them by that."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> str:
    """Return what is kept of a secret. It is as random as its hash: a slow hash would add nothing but time."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
