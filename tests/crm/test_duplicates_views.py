"""Entering somebody who is there already is noticed, quietly, and only to who may know."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Company, Contact, Lead, User
from tests.factories import CompanyFactory, ContactFactory, LeadFactory

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}
ASKED = "This may be here already"


def notice(client: Client, kind: str, **said: str) -> str:
    return client.get(reverse("duplicate_notice", args=[kind]), said, headers=HX).content.decode()


def test_typing_shows_who_is_there(web: Client, rep: User) -> None:
    lead = LeadFactory(name="Ann Lee", email="ann@x.test", owner=rep)
    contact = ContactFactory(name="Анна Ким", phone="+79161234567", owner=rep)
    company = CompanyFactory(name="ООО «Ромашка»", owner=rep)
    said = notice(web, "lead", name="Ann", email="ANN@x.test")
    assert lead.get_absolute_url() in said
    assert "same e-mail" in said
    assert contact.get_absolute_url() in notice(web, "lead", name="Anna Kim", phone="8 916 123 45 67")
    assert company.get_absolute_url() in notice(web, "company", name="Romashka LLC")
    assert "href" not in notice(web, "lead", name="Nobody Known", email="new@x.test")


def test_what_one_may_not_see_is_not_said(client: Client, outsider: User, rep: User) -> None:
    lead = LeadFactory(name="Ann Lee", email="ann@x.test", owner=rep)
    client.force_login(outsider)
    assert str(lead.pk) not in notice(client, "lead", email="ann@x.test")
    answer = client.post(reverse("lead_create"), {"name": "Ann Lee", "email": "ann@x.test"})
    assert answer.status_code == 302


def test_without_script_it_asks_once(web: Client, rep: User) -> None:
    LeadFactory(name="Ann Lee", email="ann@x.test", owner=rep)
    typed = {"name": "Ann Lee", "email": "ann@x.test", "owner": rep.pk}
    asked = web.post(reverse("lead_create"), typed)
    html = asked.content.decode()
    assert asked.status_code == 422
    assert ASKED in html
    assert 'value="ann@x.test"' in html
    shown = html.split('name="duplicates_seen" value="')[1].split('"')[0]

    assert web.post(reverse("lead_create"), typed | {"duplicates_seen": shown}).status_code == 302
    assert Lead.objects.count() == 2


def test_who_saw_the_notice_is_not_asked(web: Client, rep: User) -> None:
    company = CompanyFactory(name="Romashka", domain="romashka.test", owner=rep)
    typed = {"name": "ООО Ромашка", "domain": "www.romashka.test", "owner": rep.pk}
    shown = f"company-{company.pk}"
    assert web.post(reverse("company_create"), typed | {"duplicates_seen": shown}, headers=HX).status_code == 200
    assert Company.objects.count() == 2


def test_editing_asks_only_about_what_is_changed(web: Client, rep: User) -> None:
    ContactFactory(name="Ann Lee", email="ann@x.test", owner=rep)
    contact = ContactFactory(name="Ann Lee", email="ann@x.test", owner=rep)
    url = reverse("contact_edit", args=[contact.pk])
    typed = {"name": "Ann Lee", "email": "ann@x.test", "owner": rep.pk, "phone": contact.phone}
    assert web.post(url, typed | {"position": "CEO"}).status_code == 302
    assert web.post(url, typed | {"email": "Ann@x.test"}).status_code == 422
    assert Contact.objects.get(pk=contact.pk).position == "CEO"


def test_a_hostile_form_is_no_error(web: Client) -> None:
    for value in ("\0", "a" * 20_000, "'; DROP TABLE", "%", "\u202eabc", "9" * 400):
        answer = web.post(reverse("lead_create"), {"name": value, "email": value, "duplicates_seen": value})
        assert answer.status_code in {302, 400, 422}
        assert web.get(reverse("duplicate_notice", args=["lead"]), {"name": value, "company": value}).status_code in {
            200,
            400,
        }
