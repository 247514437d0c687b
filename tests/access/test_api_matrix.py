"""Every named address of the API × every token × every method, walked from the URL resolver.

A token answers as its person would, cut to its scope: so the rows speak the words of the pages' policies.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from crm.models import ApiToken, DisqualifyReason, User
from pipeline.models import LossReason
from tests.access.policies import CLAIMERS, EVERYBODY, IDENTITIES, OWNERS, READERS, WRITERS, Policy
from tests.access.test_access_matrix import see_everything, writes_noticed
from tests.access.world import NAME, World, make_world
from tests.api import token_of

pytestmark = pytest.mark.django_db

Body = Callable[[World], dict[str, Any]]
METHODS = ("get", "post", "patch", "delete")
SHUT_OUT = ("anonymous", "deactivated", "revoked", "expired")
"""Who holds no living token: 401 whatever they ask."""
READING = "read token"
"""The owner's, of scope read; all others are of scope write."""
HOLDERS = tuple(identity for identity in IDENTITIES if identity not in SHUT_OUT)


@dataclass(frozen=True)
class Act:
    """What one method answers, by the identity that asks, to a body made for the world."""

    policy: Policy
    body: Body | None = None


@dataclass(frozen=True)
class Row:
    """One address: its acts by method (others are 405), its record, and who finds the owner's records named."""

    acts: Mapping[str, Act]
    record: str = ""
    query: Callable[[World], str] = field(default=lambda _world: "")
    names: Policy | None = None
    args: Mapping[str, str] = field(default_factory=dict)


def said(**fields: Any) -> Body:
    """A body that is always the same."""
    return lambda _world: fields


def seen(record: str, **fields: Any) -> Body:
    """A body with the record's version."""
    return lambda world: {"version": _version(world, record), **fields}


def _version(world: World, record: str) -> int:
    row = world.records[record]
    return type(row)._default_manager.get(pk=row.pk).version


def lists(new: Body, *, writers: Policy = WRITERS, query: Callable[[World], str] | None = None) -> Row:
    """A list, and adding to it."""
    more = {"query": query} if query else {}
    return Row({"get": Act(EVERYBODY), "post": Act(writers, new)}, names=READERS, **more)


def one(record: str, change: Mapping[str, Any], *, changers: Policy = OWNERS) -> Row:
    """A record: read, change, delete."""
    acts = {"get": Act(READERS), "patch": Act(changers, seen(record, **change)), "delete": Act(changers)}
    return Row(acts, record, query=lambda world: f"?version={_version(world, record)}")


def verb(record: str, *, policy: Policy = OWNERS, **fields: Any) -> Row:
    """Something done with a record."""
    return Row({"post": Act(policy, seen(record, **fields))}, record)


def reads(names: Policy | None = None, **more: Any) -> Row:
    """What everybody may read."""
    return Row({"get": Act(EVERYBODY)}, names=names, **more)


def _about(world: World) -> dict[str, Any]:
    return {"subject_kind": "deal", "subject_id": world.deal.pk}


SOON = "2035-07-02T14:00:00Z"
ABOUT_QUERY = "?subject_kind=deal&subject_id={}"
PERIOD = "?from=2026-01-01&to=2026-02-01&by=owner"

ROWS: dict[str, Row] = {
    "api:lead_list": lists(said(name="New")),
    "api:lead_detail": one("lead", {"phone": "1"}),
    "api:lead_claim": Row({"post": Act(CLAIMERS)}, "lead"),
    "api:lead_assign": verb("lead", owner=None),
    "api:lead_qualify": verb("lead"),
    "api:lead_disqualify": Row(
        {"post": Act(OWNERS, lambda world: {**seen("lead")(world), "reason": world.reason.pk})}, "lead"
    ),
    "api:lead_nurture": verb("lead", until="2035-01-01"),
    "api:lead_reopen": verb("lead"),
    "api:lead_convert": verb("lead"),
    "api:company_list": lists(said(name="New")),
    "api:company_detail": one("company", {"country": "Chile"}),
    "api:contact_list": lists(said(name="New")),
    "api:contact_detail": one("contact", {"phone": "1"}),
    "api:deal_list": lists(said(name="New")),
    "api:deal_detail": one("deal", {"amount": "5"}),
    "api:deal_move": verb("deal", stage="meeting"),
    "api:deal_win": verb("deal"),
    "api:deal_lose": Row(
        {"post": Act(OWNERS, lambda world: {**seen("deal")(world), "reason": world.loss_reason.pk})}, "deal"
    ),
    "api:deal_undo": verb("deal"),
    "api:activity_list": Row(
        {
            "get": Act(READERS),
            "post": Act(OWNERS, lambda world: {**_about(world), "kind": "note", "body": "Seen"}),
        },
        query=lambda world: ABOUT_QUERY.format(world.deal.pk),
        names=READERS,
    ),
    "api:activity_detail": one("activity", {"body": "Other"}),
    "api:follow_up_list": Row(
        {
            "get": Act(READERS),
            "post": Act(OWNERS, lambda world: {**_about(world), "title": "Call", "due": SOON}),
        },
        query=lambda world: ABOUT_QUERY.format(world.deal.pk),
        names=READERS,
    ),
    "api:follow_up_detail": one("follow_up", {"title": "Other"}),
    "api:follow_up_done": verb("follow_up"),
    "api:follow_up_snooze": verb("follow_up", until=SOON),
    "api:follow_up_reschedule": verb("follow_up", due=SOON),
    "api:follow_up_reopen": verb("follow_up"),
    "api:pipeline_list": reads(),
    "api:pipeline_detail": reads(args={"slug": "sales"}),
    "api:loss_reasons": reads(),
    "api:me": reads(),
    "api:people": reads(),
    "api:sources": reads(),
    "api:disqualify_reasons": reads(),
    "api:kpis": reads(query=lambda _world: PERIOD),
}

OPEN = {"api:openapi-json": 200, "api:api-root": 404}
"""What needs no token: the description, and nothing."""


def routes() -> dict[str, set[str]]:
    """Return the names of each address: the framework names every method of one."""
    [mounted] = [one for one in get_resolver().url_patterns if getattr(one, "namespace", "") == "api"]
    found: dict[str, set[str]] = {}
    for one in mounted.url_patterns:
        found.setdefault(str(one.pattern), set()).add(f"api:{one.name}")
    return found


END = {"api:None"}
"""What catches every address that is none."""


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One world for all: every request is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = make_world()
        made.records["reason"] = DisqualifyReason.objects.create(name="No budget")
        made.records["loss_reason"] = LossReason.objects.create(name="Price")
        made.records["secrets"] = _secrets(made)
        yield made
        transaction.set_rollback(True)


def _secrets(world: World) -> dict[str, str]:
    people = {name: User.objects.get(pk=client.session["_auth_user_id"]) for name, client in world.clients.items()
              if name not in {"anonymous", "deactivated"}}  # fmt: skip
    own = people["own"]
    secrets = {name: token_of(person) for name, person in people.items()}
    secrets |= {name: token_of(own) for name in ("revoked", "expired")}
    secrets[READING] = token_of(own, ApiToken.Scope.READ)
    away = User.objects.get(is_active=False)
    secrets["deactivated"] = token_of(away)
    newest = ApiToken.objects.filter(user=own, scope="write").order_by("pk")
    _own, revoked, expired = newest[:3]
    ApiToken.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    ApiToken.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    return secrets | {"anonymous": ""}


def test_every_address_of_the_api_has_a_row() -> None:
    known = {*ROWS, *OPEN}
    assert [route for route, names in routes().items() if not names & known and names != END] == []
    assert known <= set().union(*routes().values()), "these rows have no address any more"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_address_answers_each_token_as_its_row_says(world: World, name: str) -> None:
    assert list(deviations(world, name)) == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_address_answers_nobody_without_a_living_token(world: World, name: str) -> None:
    for identity in SHUT_OUT:
        for method in ROWS[name].acts:
            assert ask(world, name, method, identity).status_code == 401, (identity, method)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_address_lets_a_reading_token_read_alone(world: World, name: str) -> None:
    for method, act in ROWS[name].acts.items():
        answer = ask(world, name, method, READING)
        expected = act.policy["own"] if method == "get" else "403"
        assert verdict(answer) == expected, method
        assert method == "get" or json.loads(answer.content)["code"] == "token_reads_only"


def test_seeing_everything_turns_the_matrix_red(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = {name for name, row in ROWS.items() if row.names or row.record}
    see_everything(monkeypatch)

    assert {name for name in guarded if next(deviations(world, name), None)} == guarded


def test_what_is_open_is_known(world: World) -> None:
    for name, status in OPEN.items():
        assert Client().get(reverse(name)).status_code == status


@pytest.mark.parametrize("name", sorted(ROWS))
def test_address_knows_no_other_methods(world: World, name: str) -> None:
    for method in {*METHODS, "put"} - ROWS[name].acts.keys():
        assert ask(world, name, method, "own").status_code == 405, method


# --- Asking -----------------------------------------------------------------------------------------------------------


def deviations(world: World, name: str) -> Iterator[str]:
    """Say where the address answers otherwise than its row."""
    row = ROWS[name]
    for identity in HOLDERS:
        for method, act in row.acts.items():
            with writes_noticed() as written:
                answer = ask(world, name, method, identity)
            expected = act.policy[identity]
            if verdict(answer) != expected:
                yield f"{method} {name} as {identity}: {verdict(answer)}, expected {expected}: {answer.content[:300]!r}"
            if method == "get":
                yield from (f"{name} as {identity} writes: {one}" for one in written if "crm_apitoken" not in one)
                yield from _naming(row, name, identity, answer)


def _naming(row: Row, name: str, identity: str, answer: HttpResponse) -> Iterator[str]:
    if row.names is None:
        return
    is_named = NAME.encode() in answer.content
    if is_named != (row.names[identity] == "ok"):
        yield f"get {name} as {identity} {'names' if is_named else 'does not name'} the owner's records"


def ask(world: World, name: str, method: str, identity: str) -> HttpResponse:
    """Make one request, and forget what it did."""
    row = ROWS[name]
    act = row.acts.get(method)
    args = dict(row.args) or ({"pk": world.records[row.record].pk} if row.record else {})
    path = reverse(name, kwargs=args) + (row.query(world) if method in {"get", "delete"} else "")
    secret = world.records["secrets"][identity]
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    body = json.dumps(act.body(world) if act and act.body else {})
    with transaction.atomic():
        client = Client(raise_request_exception=False)
        answer: Any = client.generic(
            method.upper(), path, "" if method == "get" else body, content_type="application/json", headers=headers
        )
        transaction.set_rollback(True)
    return answer


def verdict(answer: HttpResponse) -> str:
    """Fold a status into the words of the policies."""
    return "ok" if answer.status_code in {200, 201, 204, 409, 422} else str(answer.status_code)
