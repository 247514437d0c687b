"""Every named address × every identity × GET and POST, walked from the URL resolver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.access.policies import IDENTITIES, Row
from tests.access.rows import MISMATCHED, ROWS
from tests.access.world import NAME, World, make_world

pytestmark = pytest.mark.django_db

ALLAUTH_OPEN = {
    "account_login": 200, "account_logout": 302, "account_inactive": 200, "account_signup": 200,
    "account_reset_password": 200, "account_reset_password_done": 200, "account_reset_password_from_key_done": 200,
    "account_email_verification_sent": 200, "account_confirm_login_code": 302, "mfa_authenticate": 302,
}  # fmt: skip
"""What somebody who is not logged in gets of allauth; everything else leads to the login."""


def named_addresses(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[str]:
    """Name every address of the site."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from named_addresses(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{namespace}{pattern.name}"


NOTES = ("django_session", "voronka_cache")
"""What reading may write."""

GUARDED_TWICE = {"board_changes"}
"""It also asks whose the changed deals were, to tell a viewer of the board which have left it."""

NAMES = frozenset(named_addresses())
# test_api_matrix.py asks the API.
OURS = sorted(name for name in NAMES if not name.startswith(("admin:", "account_", "api:", "mfa_", "dev_")))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One world for all: every request is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


def test_every_address_has_a_row() -> None:
    assert [name for name in OURS if name not in ROWS] == [], "add these to tests/access/rows.py"
    assert [name for name in ROWS if name not in OURS] == [], "these rows have no address any more"


@pytest.mark.parametrize("name", sorted(ROWS.keys() & NAMES))
def test_address_answers_as_its_row_says(world: World, name: str) -> None:
    assert list(deviations(world, name)) == []


@pytest.mark.parametrize("name", sorted(MISMATCHED.keys() & NAMES))
def test_two_ids_that_do_not_belong_together_are_nowhere(world: World, name: str) -> None:
    method, args = MISMATCHED[name]
    for identity in ("own", "admin"):
        answer = ask(world.clients[identity], method, reverse(name, kwargs=args(world)))
        assert answer.status_code == 404, identity


def test_every_address_with_two_ids_has_a_mismatch() -> None:
    with_two = {
        pattern.name
        for pattern in patterns(get_resolver())
        if pattern.name in ROWS and len({*pattern.pattern.converters} - {"slug", "subject_kind"}) > 1
    }
    assert with_two <= MISMATCHED.keys()


def test_seeing_everything_turns_the_matrix_red(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = {name for name in OURS if name in ROWS and ROWS[name].is_guarded} - GUARDED_TWICE
    see_everything(monkeypatch)

    assert {name for name in guarded if next(deviations(world, name), None)} == guarded


def test_django_admin_is_for_admins(world: World) -> None:
    pages = [name for name in NAMES if name.startswith("admin:") and name.endswith(("_changelist", "_add", ":index"))]
    assert len(pages) > 10
    for name in pages:
        for identity in IDENTITIES:
            answer = verdict(ask(world.clients[identity], "get", reverse(name)))
            allowed = {"ok", "403"} if identity == "admin" else {"403", "login"}  # 403: what only the site itself adds
            assert answer in allowed, (name, identity)


def test_allauth_is_open_where_one_is_not_logged_in_yet(world: World) -> None:
    for name in sorted(NAMES):
        if not name.startswith(("account_", "mfa_")) or name.endswith(("_confirm_email", "_from_key")):
            continue
        answer = ask(world.clients["anonymous"], "get", reverse(name))
        if name in ALLAUTH_OPEN:
            assert answer.status_code == ALLAUTH_OPEN[name], name
        else:
            assert verdict(answer) == "login", name


def test_signup_is_closed(world: World) -> None:
    page = ask(world.clients["anonymous"], "get", reverse("account_signup"))

    assert b'name="password1"' not in page.getvalue()


# --- Asking -----------------------------------------------------------------------------------------------------------


def deviations(world: World, name: str) -> Iterator[str]:
    """Say where the address answers otherwise than its row."""
    row = ROWS[name]
    url = reverse(name, kwargs=row.args(world)) + row.query
    for identity in IDENTITIES:
        with writes_noticed() as written:
            shown = ask(world.clients[identity], "get", url)
        yield from (f"GET {name} as {identity} writes: {statement}" for statement in written)
        if verdict(shown) != row.get[identity]:
            yield f"GET {name} as {identity}: {verdict(shown)}, expected {row.get[identity]}"
        yield from _naming(row, name, identity, shown)
        posted = ask(world.clients[identity], "post", url, row.fields)
        if verdict(posted) != row.post[identity]:
            yield f"POST {name} as {identity}: {verdict(posted)}, expected {row.post[identity]}"


def _naming(row: Row, name: str, identity: str, response: HttpResponse) -> Iterator[str]:
    if row.names is None:
        return
    is_named = NAME.encode() in response.getvalue()
    if is_named != (row.names[identity] == "ok"):
        yield f"GET {name} as {identity} {'names' if is_named else 'does not name'} the owner's records"


def ask(client: Client, method: str, url: str, fields: Any = None) -> HttpResponse:
    """Make one request, read the whole answer, and forget what it did."""
    with transaction.atomic():
        response: Any = getattr(client, method)(url, fields)
        if response.streaming:
            whole = HttpResponse(response.getvalue(), status=response.status_code)
            response = whole
        transaction.set_rollback(True)
    return response


@contextmanager
def writes_noticed() -> Iterator[list[str]]:
    """Collect the statements that change something: reading changes nothing."""
    written: list[str] = []

    def notice(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) and not any(map(sql.__contains__, NOTES)):
            written.append(sql[:100])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(notice):
        yield written


def verdict(response: HttpResponse) -> str:
    """Fold a status into the words of the policies."""
    if response.status_code == 302 and response["Location"].startswith(("/accounts/login/", "/admin/login/")):
        return "login"
    # 503 is readyz while no worker runs.
    return "ok" if response.status_code in {200, 204, 302, 409, 422, 503} else str(response.status_code)


def see_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every queryset show, give and restore everything to everybody."""
    for queryset in subclasses(models.QuerySet):
        for verb in {"visible_to", "editable_by", "in_bin_of"} & vars(queryset).keys():
            monkeypatch.setattr(queryset, verb, _binned if verb == "in_bin_of" else _all_of)


def _all_of(rows: Any, *_asked: Any) -> Any:
    return rows.present() if hasattr(rows, "present") else rows.all()


def _binned(rows: Any, *_asked: Any) -> Any:
    return rows.filter(deleted_at__isnull=False)


def subclasses(parent: type) -> Iterator[type]:
    """Walk the classes under `parent`."""
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    """Walk the patterns under `resolver`."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern)
        else:
            yield pattern
