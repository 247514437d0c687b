"""Twenty people drag the same cards at once, over HTTP, against a real gunicorn: no move is lost or doubled."""

from __future__ import annotations

import datetime as dt
import http.client
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from crm.models import AuditEntry, User
from pipeline.models import Deal, Pipeline, Stage
from tests.factories import DealFactory, TeamFactory, UserFactory, sales_pipeline
from tests.processes import WebServer

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

CLIENTS = 20
DEALS = 10
ROUNDS = 10


@dataclass(frozen=True)
class Answer:
    """What a move was answered."""

    status: int
    body: str


class Mover:
    """One person with a browser of their own."""

    def __init__(self, port: int, person: User) -> None:
        session = Client()
        session.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        token = "b" * 32
        self._headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session.cookies[settings.SESSION_COOKIE_NAME].value};"
            f" csrftoken={token}",
            "X-CSRFToken": token,
            "X-Board": "drag",
            "HX-Request": "true",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def version_shown(self, pk: int) -> int:
        """The version on the card as this person sees it now."""
        self._connection.request("GET", f"/board/sales/cards/{pk}/", headers=self._headers)
        found = re.search(r'data-version="(\d+)"', self._connection.getresponse().read().decode())
        assert found
        return int(found[1])

    def move(self, pk: int, **fields: object) -> Answer:
        """Post a move as the board's script does."""
        self._connection.request("POST", f"/deals/{pk}/move/", urlencode(fields), self._headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.read().decode())


@pytest.fixture
def managers(transactional_db: None) -> list[User]:
    """Twenty people who may all move the same deals: the leaders of one team."""
    team = TeamFactory(name="Crowded")
    leaders = [UserFactory(role=User.Role.MANAGER) for _number in range(CLIENTS)]
    team.leaders.set(leaders)
    leaders[0].team = team
    leaders[0].save()
    return leaders


@pytest.fixture
def pipeline(transactional_db: None) -> Pipeline:
    """The default pipeline, made before twenty threads ask for it."""
    return sales_pipeline()


def at_once(movers: list[Mover], act: Callable[[int, Mover, Barrier], list[Answer]]) -> list[Answer]:
    """Let every mover act in a thread of their own; return all their answers."""
    barrier = Barrier(len(movers), timeout=60)
    with ThreadPoolExecutor(len(movers)) as pool:
        acts = [pool.submit(act, number, mover, barrier) for number, mover in enumerate(movers)]
        return [answer for one in acts for answer in one.result()]


def test_two_hundred_moves_of_twenty_people_at_once(
    web_server: WebServer, pipeline: Pipeline, managers: list[User]
) -> None:
    open_stages = list(pipeline.stages.filter(kind=Stage.Kind.OPEN).order_by("position"))
    deals = [DealFactory(owner=managers[0], stage=open_stages[0]) for _number in range(DEALS)]
    neighbours = [DealFactory(owner=managers[0], stage=stage).pk for stage in open_stages]

    def drag(number: int, mover: Mover, barrier: Barrier) -> list[Answer]:
        """Ten times: see the card, wait for the others, move it elsewhere than in the round before."""
        pk, answers = deals[number % DEALS].pk, []
        for turn in range(1, ROUNDS + 1):
            version = mover.version_shown(pk)
            barrier.wait()
            to = turn % len(open_stages)
            answers.append(
                mover.move(pk, to=open_stages[to].pk, version=version, before=neighbours[to], key=f"{number}-{turn}")
            )
            barrier.wait()
        return answers

    answers = at_once([Mover(web_server.port, person) for person in managers], drag)

    found = Counter(answer.status for answer in answers)
    print(f"\n{sum(found.values())} moves by {CLIENTS} people: {found[200]} moved, {found[409]} came second")
    assert found == {200: DEALS * ROUNDS, 409: CLIENTS * ROUNDS - DEALS * ROUNDS}
    assert all("was not applied" in answer.body for answer in answers if answer.status == 409)
    last = open_stages[ROUNDS % len(open_stages)]
    for deal in deals:
        deal.refresh_from_db()
        assert (deal.version, deal.stage) == (1 + ROUNDS, last)
        assert_visits_tile(deal, moves=ROUNDS)
        moves = AuditEntry.objects.about("deal", deal.pk).filter(action="changed", before__has_key="stage_id")
        assert moves.count() == ROUNDS
    assert list(Deal.objects.open().filter(stage=last).in_board_order())[-1].pk == neighbours[open_stages.index(last)]


def test_a_retry_that_overtakes_its_first_try_moves_once(
    web_server: WebServer, pipeline: Pipeline, managers: list[User]
) -> None:
    stages = {stage.slug: stage for stage in pipeline.stages.all()}
    deal = DealFactory(owner=managers[0], stage=stages["prospecting"])

    def post_the_same(_number: int, mover: Mover, barrier: Barrier) -> list[Answer]:
        barrier.wait()
        return [mover.move(deal.pk, to=stages["meeting"].pk, version=1, key="one drag, posted ten times")]

    answers = at_once([Mover(web_server.port, managers[0]) for _number in range(10)], post_the_same)

    assert Counter(answer.status for answer in answers) == {200: 10}
    deal.refresh_from_db()
    assert (deal.version, deal.stage) == (2, stages["meeting"])
    assert_visits_tile(deal, moves=1)


def assert_visits_tile(deal: Deal, *, moves: int) -> None:
    """One stay more than moves, each beginning when the one before it ended, the last open and where the deal is."""
    stays = list(deal.visits.standing().order_by("entered_at", "pk"))
    assert len(stays) == moves + 1
    ends: list[dt.datetime | None] = [stay.left_at for stay in stays]
    assert [stay.entered_at for stay in stays] == [deal.created_at, *ends[:-1]]
    assert (ends[-1], stays[-1].stage_id) == (None, deal.stage_id)
