"""People whom a record names and the reader does not see: their name stands there, how to reach them does not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import Company, Contact, User
from tests.factories import CompanyFactory, ContactFactory, DealFactory, FollowUpFactory, LeadFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales")]


@pytest.mark.parametrize("is_theirs", [True, False])
def test_only_who_sees_a_contact_reads_how_to_reach_them(
    rep: User, outsider: User, client: Client, is_theirs: bool
) -> None:
    owner = outsider if is_theirs else rep
    contact = ContactFactory(name="Nora North", owner=owner, email="nora@client.test", phone="+49 30 5550199")
    company = CompanyFactory(name="Halden Dairy", owner=owner)
    deal = DealFactory(owner=rep, contact=contact, company=None)
    FollowUpFactory(subject=deal, assignee=rep, kind="call")
    lead = LeadFactory(owner=rep, contact=contact, company=company)
    client.force_login(rep)

    for url in (deal.get_absolute_url(), reverse("my_day"), reverse("next_step", args=["deal", deal.pk])):
        page = client.get(url)
        assert page.status_code == 200
        assert ("5550199" in page.text or "+49305550199" in page.text) is not is_theirs, url
    assert ("nora@client.test" in client.get(deal.get_absolute_url()).text) is not is_theirs
    for url in (lead.get_absolute_url(), f"{reverse('lead_list')}?lead={lead.pk}"):
        page = client.get(url)
        assert "Nora North" in page.text
        for record in (contact, company):
            assert (f'href="{record.get_absolute_url()}"' in page.text) <= (not is_theirs), url


def test_one_row_is_seen_as_the_query_finds_it(
    rep: User, colleague: User, manager: User, outsider: User, viewer: User, admin: User
) -> None:
    people: list[Any] = [rep, colleague, manager, outsider, viewer, admin]
    for owner in (*people, None):
        CompanyFactory(owner=owner)
        ContactFactory(owner=owner)
    ContactFactory(owner=rep, deleted_at=timezone.now())
    for model in (Company, Contact):
        for person in people:
            found = set(model.objects.visible_to(person))
            assert {row for row in model.objects.all() if row.is_seen_by(person)} == found
