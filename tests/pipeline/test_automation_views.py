"""What a deal's pages say of the rules that came true for it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from crm.models import User
from crm.rules.delivering import deliver_due
from pipeline.models import Deal, Stage
from pipeline.rules.moving import move_deal
from tests.factories import DealFactory
from tests.factories.stage_rules import let_time_pass, rule_for
from tests.pipeline.test_deal_story_views import lines

pytestmark = pytest.mark.django_db


@pytest.fixture
def deal(rep: User, stages: dict[str, Stage], client: Client) -> Deal:
    """A deal that a rule has tagged, whose second action could not be done."""
    rule_for(
        stages["meeting"],
        ("add_tag", {"tag": "warm"}),
        ("notify", {"to": "manager"}),
        name="Warm up",
        name_ru="Разогреть",
    )
    deal: Deal = DealFactory(owner=rep, created_at=timezone.now() - dt.timedelta(days=3))
    let_time_pass()
    move_deal(deal, to=stages["meeting"], seen_version=1, by=rep, now=timezone.now())
    client.force_login(rep)
    return deal


def test_timeline_says_what_a_rule_did(deal: Deal, client: Client) -> None:
    assert not any("Warm up" in line for line in lines(client, deal))
    let_time_pass()
    deliver_due(seconds=5)
    said = lines(client, deal)
    assert any(
        line.startswith("Rule Warm up Add a tag (warm); not done: Notify (there is nobody to choose)") for line in said
    )
    assert "Tags — → warm by the system" in said


def test_page_shows_what_waits_and_what_came_of_it(deal: Deal, rep: User, client: Client) -> None:
    url = reverse("deal_firings", args=[deal.pk])
    assert "waiting" in client.get(url).content.decode()
    let_time_pass()
    deliver_due(seconds=5)
    page = client.get(url).content.decode()
    assert "there is nobody to choose" in page
    rep.language = "ru"
    rep.save()
    page = client.get(url).content.decode()
    assert "Разогреть" in page


def test_page_costs_the_same_however_many_firings(
    deal: Deal, stages: dict[str, Stage], client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        rule = rule_for(stages["meeting"])
        deal.firings.create(rule=rule, visit=deal.visits.present().get(), at=timezone.now(), due_at=timezone.now())
    with django_assert_max_num_queries(12):
        assert client.get(reverse("deal_firings", args=[deal.pk])).status_code == 200


def test_outsider_finds_nothing(deal: Deal, outsider: User, client: Client) -> None:
    client.force_login(outsider)
    assert client.get(reverse("deal_firings", args=[deal.pk])).status_code == 404
