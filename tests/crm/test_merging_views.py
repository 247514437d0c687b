"""Merging in a dialog, old addresses, and the list of suspected duplicates."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import Contact, DuplicateSuspicion, Lead, Merge, User
from crm.rules import suspecting
from crm.views.merging import merge_url
from tests.factories import ActivityFactory, CompanyFactory, ContactFactory, LeadFactory

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}


@pytest.fixture
def pair(rep: User) -> tuple[Contact, Contact]:
    """One person twice."""
    first = ContactFactory(name="Ann Lee", email="ann@x.test", phone="", owner=rep)
    second = ContactFactory(name="Анн Ли", email="ANN@x.test", phone="+79161234567", owner=rep)
    return first, second


def shown(client: Client, url: str) -> dict[str, str]:
    """What the dialog would post: its marks and what is checked in it."""
    html = client.get(url, headers=HX).content.decode()
    fields = {}
    for tag in re.findall(r"<input[^>]*>", html):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and (value or 'type="hidden"' in tag) and ('type="radio"' not in tag or "checked" in tag):
            fields[name[1]] = value[1] if value else ""
    return fields


def merge(client: Client, *records: Any, **chosen: Any) -> Any:
    url = merge_url(records[0]._meta.model_name, [record.pk for record in records])
    return client.post(url, shown(client, url) | chosen)


def test_the_dialog_proposes_and_merges(web: Client, pair: tuple[Contact, Contact]) -> None:
    first, second = pair
    html = web.get(merge_url("contact", [first.pk, second.pk]), headers=HX).content.decode()
    assert "Ann Lee" in html
    assert "Анн Ли" in html

    answer = merge(web, first, second, name=str(first.pk))

    assert answer.status_code == 302
    assert answer.headers["Location"] == first.get_absolute_url()
    first.refresh_from_db()
    assert (first.name, first.phone) == ("Ann Lee", "+79161234567")
    [contact] = Contact.objects.visible_to(User.objects.get(pk=first.owner_id))
    assert contact == first


def test_old_addresses_lead_on_and_changes_are_refused(web: Client, pair: tuple[Contact, Contact]) -> None:
    first, second = pair
    merge(web, first, second)
    for name in ("contact_detail", "contact_edit"):
        answer = web.get(reverse(name, args=[second.pk]))
        assert answer.status_code == 302
        assert answer.headers["Location"] == reverse(name, args=[first.pk])
    answer = web.get(reverse("activity_create", args=["contact", second.pk]))
    assert answer.headers["Location"] == reverse("activity_create", args=["contact", first.pk])

    refused = web.post(reverse("contact_edit", args=[second.pk]), {"name": "Other"}, headers=HX)
    assert refused.status_code == 409
    first.refresh_from_db()
    assert first.name in refused.content.decode()


def test_an_old_address_says_nothing_to_who_may_not_see(
    client: Client, web: Client, outsider: User, pair: tuple[Contact, Contact]
) -> None:
    merge(web, *pair)
    client.force_login(outsider)
    assert client.get(pair[1].get_absolute_url()).status_code == 404


def test_the_notice_undoes(web: Client, pair: tuple[Contact, Contact]) -> None:
    first, second = pair
    touch = ActivityFactory(subject=second, author=first.owner)
    answer = merge(web, first, second)
    undo = reverse("merge_undo", args=[Merge.objects.get().pk])
    assert undo in web.get(answer.headers["Location"]).content.decode()
    Contact.objects.filter(pk=first.pk).update(phone="+74951112233")

    said = web.post(undo, follow=True).content.decode()

    assert "Changed since, and left as it is: phone" in said
    assert list(second.activities.all()) == [touch]
    assert web.get(second.get_absolute_url()).status_code == 200
    assert web.post(undo).status_code == 409


def test_undoing_leads_back_to_the_list_one_merged_from(web: Client, pair: tuple[Contact, Contact]) -> None:
    back = reverse("duplicate_list") + "?kind=contact&page=1"
    answer = web.post(
        merge_url("contact", [contact.pk for contact in pair]),
        {**shown(web, merge_url("contact", [contact.pk for contact in pair])), "back": back},
    )
    assert answer.headers["Location"] == back
    form = re.search(r'action="(/merges/[^"]+)"', web.get(back).content.decode())
    assert form is not None
    assert web.post(html.unescape(form[1])).headers["Location"] == back


def test_a_change_meanwhile_is_a_conflict_with_the_fresh_state(web: Client, pair: tuple[Contact, Contact]) -> None:
    url = merge_url("contact", [contact.pk for contact in pair])
    seen = shown(web, url)
    Contact.objects.filter(pk=pair[0].pk).update(position="Head of Sales")
    answer = web.post(url, seen, headers=HX)
    assert answer.status_code == 409
    assert "Head of Sales" in answer.content.decode()
    assert Contact.objects.filter(merged_into=None).count() == 2


def test_who_comes_second_is_told(client: Client, web: Client, manager: User, pair: tuple[Contact, Contact]) -> None:
    url = merge_url("contact", [contact.pk for contact in pair])
    seen = shown(web, url)
    merge(web, *pair)
    client.force_login(manager)
    assert client.post(url, seen, headers=HX).status_code == 409
    assert Merge.objects.count() == 1


def test_merging_wants_all_to_be_ones_own(web: Client, colleague: User, outsider: User, rep: User) -> None:
    mine, theirs, unseen = (ContactFactory(owner=owner) for owner in (rep, colleague, outsider))
    assert web.get(merge_url("contact", [mine.pk, theirs.pk])).status_code == 403
    assert web.get(merge_url("contact", [mine.pk, unseen.pk])).status_code == 404
    assert web.get(merge_url("deal", [mine.pk])).status_code == 404
    assert web.get(reverse("records_merge", args=["contact", "x-1"])).status_code == 404


def test_another_record_is_offered_or_searched_for(web: Client, pair: tuple[Contact, Contact]) -> None:
    first, second = pair
    url = reverse("record_merge_with", args=["contact", first.pk])
    assert merge_url("contact", [first.pk, second.pk]) in web.get(url, headers=HX).content.decode()
    answer = web.post(url, {"id": second.pk})
    assert answer.headers["Location"] == merge_url("contact", [first.pk, second.pk])
    assert web.post(url, {"id": ""}, headers=HX).status_code == 422


def test_three_leads_are_merged_from_the_list(web: Client, rep: User) -> None:
    now = timezone.now()
    leads = [
        LeadFactory(name="Ann Lee", email="ann@x.test", owner=rep, created_at=now - dt.timedelta(days=days))
        for days in (1, 2, 3)
    ]
    CompanyFactory(name="Ann Lee Ltd", owner=rep)
    suspecting.check_queued(seconds=30, now=now)
    html = web.get(reverse("duplicate_list")).content.decode()
    url = merge_url("lead", [lead.pk for lead in leads])
    assert url in html
    answer = web.post(url, shown(web, url) | {"back": "/duplicates/"})
    assert answer.headers["Location"] == "/duplicates/"
    assert list(Lead.objects.visible_to(rep)) == [leads[2]]
    assert url not in web.get(reverse("duplicate_list")).content.decode()


def test_not_the_same_and_back(web: Client, pair: tuple[Contact, Contact]) -> None:
    suspecting.check_queued(seconds=30, now=timezone.now())
    suspicion = DuplicateSuspicion.objects.get()
    web.post(reverse("duplicates_different", args=[suspicion.pk]))
    listed = web.get(reverse("duplicate_list"), {"kind": "contact"}).content.decode()
    assert merge_url("contact", [contact.pk for contact in pair]) not in listed
    web.post(reverse("duplicates_reopen", args=[suspicion.pk]))
    listed = web.get(reverse("duplicate_list"), {"kind": "contact"}).content.decode()
    assert merge_url("contact", [contact.pk for contact in pair]) in listed


def test_the_list_costs_the_same_for_many(web: Client, rep: User, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        for _copy in range(2):
            ContactFactory(name=f"Person {number}", email=f"p{number}@x.test", owner=rep)
    suspecting.check_queued(seconds=30, now=timezone.now())
    assert DuplicateSuspicion.objects.count() == 12
    web.get(reverse("duplicate_list"))
    with django_assert_max_num_queries(20):
        html = web.get(reverse("duplicate_list"), {"kind": "contact"}).content.decode()
    assert html.count("duplicate-group") == 12
