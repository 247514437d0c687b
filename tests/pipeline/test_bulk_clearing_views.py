"""Fields of several rows emptied at once, and what may not be emptied or goes along."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.test import Client

from crm.models import Campaign, Contact, Lead, User
from pipeline.models import Deal, Stage
from tests.bulk import post, told, undo_url
from tests.factories import CompanyFactory, ContactFactory, DealFactory, LeadFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db
Stages = dict[str, Stage]


@pytest.fixture
def web(client: Client, manager: User, stages: Stages) -> Client:
    client.force_login(manager)
    return client


def test_what_is_cleared_is_emptied_in_all_and_comes_back(web: Client, rep: User) -> None:
    autumn = Campaign.objects.create(name="Autumn", source=LeadSourceFactory())
    leads = [LeadFactory(owner=rep, source=autumn.source, campaign=autumn), LeadFactory(owner=rep)]
    asked = post(web, "edit", leads, "leads").text
    assert set(re.findall(r'name="cleared" value="(\w+)"', asked)) == {"owner", "source", "campaign"}

    answer = post(web, "change", leads, "leads", cleared=["campaign"])

    assert told(web, answer) == ["Changed: 1.", "1 was so already."]
    assert set(Lead.objects.values_list("source", "campaign")) == {(autumn.source_id, None), (None, None)}
    assert told(web, web.post(undo_url(answer))) == ["Taken back: 1."]
    assert Lead.objects.get(pk=leads[0].pk).campaign == autumn
    leads[0].refresh_from_db()
    post(web, "change", [leads[0]], "leads", cleared=["source", "owner"])
    lead = Lead.objects.get(pk=leads[0].pk)
    assert (lead.owner, lead.source, lead.campaign) == (None, None, None), "a campaign runs within its source"


def test_a_campaign_stays_within_its_source(web: Client, rep: User) -> None:
    fair, advert = LeadSourceFactory(), LeadSourceFactory()
    autumn, spring = (Campaign.objects.create(name=name, source=fair) for name in ("Autumn", "Spring"))
    leads = [LeadFactory(owner=rep, source=fair, campaign=autumn), LeadFactory(owner=rep, source=advert)]

    refused = post(web, "change", leads, "leads", campaign=autumn.pk, source=advert.pk)
    assert refused.status_code == 422
    assert f"“Autumn” belongs to the source “{fair}”." in html.unescape(refused.text)

    answer = post(web, "change", leads, "leads", campaign=spring.pk)
    assert set(Lead.objects.values_list("source", "campaign")) == {(fair.pk, spring.pk)}, "it brings its source along"
    web.post(undo_url(answer))
    assert set(Lead.objects.values_list("source", "campaign")) == {(fair.pk, autumn.pk), (advert.pk, None)}

    leads = list(Lead.objects.order_by("pk"))
    post(web, "change", leads, "leads", source=fair.pk)
    assert set(Lead.objects.values_list("source", "campaign")) == {(fair.pk, autumn.pk), (fair.pk, None)}
    post(web, "change", list(Lead.objects.order_by("pk")), "leads", source=advert.pk)
    assert set(Lead.objects.values_list("source", "campaign")) == {(advert.pk, None)}


def test_companies_and_contacts_are_cleared_too(web: Client, rep: User) -> None:
    company = CompanyFactory(owner=rep, industry="Dairy", country="Norway")
    contact = ContactFactory(owner=rep, company=company)
    answer = post(web, "change", [company], "companies", cleared=["industry"], country="Sweden")
    company.refresh_from_db()
    assert (company.industry, company.country) == ("", "Sweden")
    web.post(undo_url(answer))
    company.refresh_from_db()
    assert (company.industry, company.country) == ("Dairy", "Norway")
    post(web, "change", [contact], "contacts", cleared=["company"])
    assert Contact.objects.get().company is None


def test_a_deal_keeps_what_its_stage_asks_for(web: Client, rep: User, stages: Stages) -> None:
    Stage.objects.filter(slug="negotiation").update(required_fields=["expected_close_on"])
    day = dt.date(2030, 5, 5)
    free = DealFactory(owner=rep, stage="meeting", expected_close_on=day, tags=["dairy", "hot"])
    bound = DealFactory(owner=rep, name="Bound", stage="negotiation", expected_close_on=day, tags=["dairy"])

    answer = post(web, "change", [free, bound], cleared=["expected_close_on", "tags"])

    words = told(web, answer)
    assert words[0] == "Changed: 1."
    assert "“Bound”. Stage “Negotiation” asks for this, so it cannot be empty: Expected close." in words[1]
    assert set(Deal.objects.values_list("name", "expected_close_on")) == {(free.name, None), ("Bound", day)}
    assert Deal.objects.get(pk=bound.pk).tags == ["dairy"], "whole or not at all"
    web.post(undo_url(answer))
    assert Deal.objects.get(pk=free.pk).tags == ["dairy", "hot"]
    assert Deal.objects.get(pk=free.pk).expected_close_on == day
    free.refresh_from_db()
    gone = post(web, "change", [free], cleared=["expected_close_on"], stage=stages["negotiation"].pk)
    assert any("Expected close" in word for word in told(web, gone))
    assert Deal.objects.get(pk=free.pk).stage.slug == "meeting"


@pytest.mark.parametrize(
    "said", [{"cleared": ["tags"], "tags": "x"}, {"cleared": ["owner"]}, {"cleared": ["name"]}, {"cleared": [""]}]
)
def test_nothing_is_filled_and_cleared_at_once_nor_cleared_that_must_be(
    web: Client, rep: User, said: dict[str, Any]
) -> None:
    deal = DealFactory(owner=rep, tags=["dairy"])
    answer = post(web, "change", [deal], **said)
    assert answer.status_code == 422
    assert ("Either say what it becomes, or clear it." in answer.text) == ("tags" in said)
    deal.refresh_from_db()
    assert (deal.owner, deal.tags) == (rep, ["dairy"])
