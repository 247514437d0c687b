"""What an admin sets for leads, as the settings check it."""

from __future__ import annotations

import pytest
from django.test import Client

from crm.models import Campaign, ScoreRule, User
from tests.factories import LeadSourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def test_a_score_rule_knows_its_source_by_any_of_its_names(client: Client) -> None:
    LeadSourceFactory(name="Trade fair", name_ru="Выставка", slug="fair")
    said = {"name": "Came from a fair", "name_ru": "", "condition": "source", "points": "10", "is_active": "on"}
    for number, value in enumerate(("fair", "trade fair", "выставка"), start=1):
        assert client.post("/admin/crm/scorerule/add/", {**said, "value": value}).status_code == 302
        assert ScoreRule.objects.filter(value="fair").count() == number
    refused = client.post("/admin/crm/scorerule/add/", {**said, "value": "fairs"})
    assert "There is no source of this name or slug." in refused.content.decode()


def test_a_campaign_does_not_end_before_it_begins(client: Client) -> None:
    source = LeadSourceFactory()
    said = {"name": "Spring", "source": source.pk, "starts_on": "2026-03-01"}
    refused = client.post("/admin/crm/campaign/add/", {**said, "ends_on": "2026-02-28"})
    assert "It would end before it begins." in refused.content.decode()
    assert client.post("/admin/crm/campaign/add/", {**said, "ends_on": "2026-03-31"}).status_code == 302
    assert Campaign.objects.get().name == "Spring"
