"""The dialog that erases a person, and the copy of what is held about them."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Contact, Lead, User
from tests.factories import ActivityFactory, ContactFactory, LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(rep: User) -> Lead:
    lead: Lead = LeadFactory(name="Anna Kestrel", email="anna@kestrel.test", owner=rep)
    ActivityFactory(subject=lead, author=rep, body="Asked for a price")
    return lead


def test_dialog_says_what_will_go_and_wants_the_name(client: Client, manager: User, lead: Lead) -> None:
    client.force_login(manager)
    url = reverse("person_erase", args=["lead", lead.pk])

    page = client.get(url)
    wrong = client.post(url, {"typed": "Anna"}, headers={"HX-Request": "true"})

    assert "Activities" in page.text
    assert "Anna Kestrel" in page.text
    assert wrong.status_code == 422
    assert "Type: Anna Kestrel" in wrong.text
    assert 'value="Anna"' in wrong.text
    assert Lead.objects.get().name == "Anna Kestrel"


def test_name_typed_erases_with_the_records_that_were_ticked(
    client: Client, manager: User, rep: User, lead: Lead
) -> None:
    ticked = ContactFactory(name="A. Kestrel", email="ANNA@kestrel.test", owner=rep)
    left = LeadFactory(name="Info", email="anna@kestrel.test", owner=rep)
    client.force_login(manager)

    answer = client.post(
        reverse("person_erase", args=["lead", lead.pk]), {"typed": " anna kestrel ", "also": [f"contact-{ticked.pk}"]}
    )

    assert answer.status_code == 302
    page = client.get(answer["Location"])
    assert "Erased person" in page.text
    assert "Kestrel" not in page.text
    assert reverse("lead_edit", args=[lead.pk]) not in page.text
    assert Contact.objects.get().erased_at is not None
    assert Lead.objects.get(pk=left.pk).name == "Info"


def test_what_is_not_offered_cannot_be_ticked(client: Client, manager: User, outsider: User, lead: Lead) -> None:
    foreign = LeadFactory(email="anna@kestrel.test", owner=outsider)
    client.force_login(manager)

    answer = client.post(
        reverse("person_erase", args=["lead", lead.pk]), {"typed": "Anna Kestrel", "also": [f"lead-{foreign.pk}"]}
    )

    assert Lead.objects.get(pk=foreign.pk).erased_at is None
    assert answer.status_code in {302, 422}


def test_copy_is_a_file_of_json(client: Client, admin: User, lead: Lead) -> None:
    client.force_login(admin)

    answer = client.get(reverse("person_copy", args=["lead", lead.pk]))

    assert answer["Content-Disposition"] == f'attachment; filename="lead-{lead.pk}.json"'
    held = json.loads(answer.content)["held"]
    assert held["crm.lead"][0]["email"] == "anna@kestrel.test"
    assert held["crm.activity"][0]["body"] == "Asked for a price"


def test_menu_offers_it_to_those_who_lead(client: Client, manager: User, rep: User, lead: Lead) -> None:
    url = reverse("person_erase", args=["lead", lead.pk])
    for person, is_offered in ((manager, True), (rep, False)):
        client.force_login(person)
        assert (url in client.get(lead.get_absolute_url()).text) is is_offered


def test_companies_and_deals_are_no_people(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert client.get("/people/company/1/erase/").status_code == 404
