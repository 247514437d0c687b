"""A deal's page, and editing, opening, deleting and restoring deals over HTTP."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import Company, Contact, User
from crm.rules.activities import log_activity
from pipeline.models import ChecklistItem, Deal, Stage
from pipeline.rules.deals import edit_deal
from tests.factories import CompanyFactory, ContactFactory, DealFactory, FollowUpFactory

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}
Stages = dict[str, Stage]


@pytest.fixture
def company(rep: User) -> Company:
    return CompanyFactory(name="Halden Dairy", owner=rep)


@pytest.fixture
def deal(rep: User, stages: Stages, company: Company) -> Deal:
    return DealFactory(name="Pasteuriser", owner=rep, company=company, amount=Decimal(68000), stage="proposal")


def sent(deal: Deal, **changes: Any) -> dict[str, Any]:
    """What the edit dialog sends for `deal` as it is, with `changes`."""
    fields = {
        "version": deal.version,
        "name": deal.name,
        "company": deal.company_id or "",
        "owner": deal.owner_id,
        "amount": "" if deal.amount is None else deal.amount,
        "currency": deal.currency,
    }
    return fields | changes


# --- The page -------------------------------------------------------------------------------------------------------


def test_page_shows_path_asks_facts_and_next_step(client: Client, deal: Deal, rep: User, stages: Stages) -> None:
    ChecklistItem.objects.create(stage=stages["proposal"], name="Delivery date agreed", is_required=True)
    Stage.objects.filter(slug="negotiation").update(required_fields=["expected_close_on"])
    FollowUpFactory(subject=deal, assignee=rep, title="Call Irina")
    client.force_login(rep)

    text = client.get(deal.get_absolute_url()).content.decode()

    assert "day 2 of 14" in text
    assert "Delivery date agreed" in text
    assert 'name="expected_close_on"' in text
    assert "Call Irina" in text
    assert "€34,000" in text  # weighted at 50%
    assert company_link(deal) in text


def company_link(deal: Deal) -> str:
    assert deal.company is not None
    return f'href="{deal.company.get_absolute_url()}"'


def test_company_one_may_not_see_is_named_without_a_link(client: Client, rep: User, outsider: User) -> None:
    hidden = CompanyFactory(name="Secret Oils", owner=outsider)
    deal = DealFactory(owner=rep, company=hidden)
    client.force_login(rep)

    text = client.get(deal.get_absolute_url()).content.decode()

    assert "Secret Oils" in text
    assert company_link(deal) not in text


def test_lost_deal_asks_for_nothing_and_plans_nothing(client: Client, rep: User, stages: Stages) -> None:
    ChecklistItem.objects.create(stage=stages["prospecting"], name="Delivery date agreed")
    deal = DealFactory(owner=rep, lost_at=timezone.now())
    client.force_login(rep)

    text = client.get(deal.get_absolute_url()).content.decode()

    assert "Delivery date agreed" not in text
    assert "Nothing planned" not in text
    FollowUpFactory(subject=deal, assignee=rep, title="Ask again in spring")
    assert "Ask again in spring" in client.get(deal.get_absolute_url()).content.decode()


def test_outsider_finds_no_deal_and_readers_get_no_buttons(
    client: Client, deal: Deal, outsider: User, colleague: User, viewer: User
) -> None:
    client.force_login(outsider)
    assert client.get(deal.get_absolute_url()).status_code == 404
    for person in (colleague, viewer):
        client.force_login(person)
        text = client.get(deal.get_absolute_url()).content.decode()
        assert reverse("deal_edit", args=[deal.pk]) not in text
        assert 'id="composer"' not in text


def test_hostile_words_are_shown_as_words(client: Client, rep: User, stages: Stages) -> None:
    name = "<script>alert(1)</script> \u202ertl\u202c 😀 =cmd|'/c calc'!A1"
    deal = DealFactory(owner=rep, name=name, tags=["<b>"])
    log_activity(deal, fields={"kind": "note", "body": "<img src=x onerror=alert(1)>"}, by=rep, now=timezone.now())
    client.force_login(rep)

    text = client.get(deal.get_absolute_url()).content.decode()

    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \u202ertl\u202c 😀 =cmd|" in text
    assert "<img src=x" not in text


def test_page_asks_the_database_the_same_however_much_happened(
    client: Client, deal: Deal, rep: User, django_assert_max_num_queries: Any
) -> None:
    contact = ContactFactory(owner=rep, company=deal.company)
    edit_deal(deal, fields={"contact": contact}, seen_version=deal.version, by=rep)
    client.force_login(rep)
    for number in range(12):
        log_activity(deal, fields={"kind": "call", "body": str(number)}, by=rep, now=timezone.now())
        fresh = Deal.objects.get(pk=deal.pk)
        edit_deal(fresh, fields={"amount": Decimal(number)}, seen_version=fresh.version, by=rep)
    client.get(deal.get_absolute_url())  # what is usual is cached now

    with django_assert_max_num_queries(38):
        assert client.get(deal.get_absolute_url()).status_code == 200


# --- Editing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [HX, {}])
def test_edit_writes_what_was_typed(client: Client, deal: Deal, rep: User, headers: dict[str, str]) -> None:
    client.force_login(rep)
    url = reverse("deal_edit", args=[deal.pk])
    assert client.get(url, headers=headers).status_code == 200

    answer = client.post(url, sent(deal, amount="73,500", tags="dairy, 316L"), headers=headers)

    deal.refresh_from_db()
    assert (deal.amount, deal.tags, deal.version) == (Decimal(73500), ["dairy", "316L"], 2)
    if headers:
        assert {"dialog-close", "deal-changed"} <= {*answer["HX-Trigger"].replace('"', " ").split()}
    else:
        assert answer["Location"] == deal.get_absolute_url()


def test_second_editor_sees_who_was_first_and_keeps_what_they_typed(
    client: Client, deal: Deal, rep: User, manager: User
) -> None:
    edit_deal(deal, fields={"amount": Decimal(1), "name": "Theirs"}, seen_version=1, by=manager)
    client.force_login(rep)
    url = reverse("deal_edit", args=[deal.pk])

    answer = client.post(url, sent(deal, name="Mine", amount="2"), headers=HX)

    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Mara Manager changed this" in text
    assert "Theirs" in text
    assert 'value="Mine"' in text
    assert 'name="version" value="2"' in text
    deal.refresh_from_db()
    assert deal.name == "Theirs"

    again = client.post(url, sent(deal, name="Mine", amount="2"), headers=HX)
    assert again.status_code == 200
    deal.refresh_from_db()
    assert (deal.name, deal.amount) == ("Mine", Decimal(2))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 10_000}, "at most 200 characters"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"amount": "12,5,0"}, "Enter a number"),
        ({"amount": "-1"}, "greater than or equal to 0"),
        ({"amount": "1" * 20}, "no more than"),
        ({"currency": "eur"}, "Select a valid choice"),
        ({"company": "999999"}, "Choose again"),
        ({"company": "abc"}, "Choose again"),
        ({"company": "new:" + "x" * 201}, "at most 200 characters"),
        ({"expected_close_on": "31.02.2026"}, "valid date"),
        ({"tags": "x" * 41}, "at most 40 characters"),
        ({"version": "first"}, "whole number"),
    ],
)
def test_wrong_value_is_named_and_nothing_typed_is_lost(
    client: Client, deal: Deal, rep: User, changes: dict[str, str], complaint: str
) -> None:
    client.force_login(rep)

    data = sent(deal, **({"name": "Kept words"} | changes))
    answer = client.post(reverse("deal_edit", args=[deal.pk]), data, headers=HX)

    text = answer.content.decode()
    assert answer.status_code == 422
    assert complaint in text
    assert "Kept words" in text or "name" in changes
    deal.refresh_from_db()
    assert deal.version == 1


def test_foreign_company_or_owner_cannot_be_chosen(client: Client, deal: Deal, rep: User, outsider: User) -> None:
    hidden = CompanyFactory(owner=outsider)
    client.force_login(rep)
    url = reverse("deal_edit", args=[deal.pk])

    assert client.post(url, sent(deal, company=hidden.pk), headers=HX).status_code == 422
    assert client.post(url, sent(deal, owner=outsider.pk), headers=HX).status_code == 422


def test_kept_company_stays_though_it_could_not_be_chosen_anew(client: Client, rep: User, outsider: User) -> None:
    deal = DealFactory(owner=rep, company=CompanyFactory(owner=outsider))
    client.force_login(rep)

    assert client.post(reverse("deal_edit", args=[deal.pk]), sent(deal, name="New name"), headers=HX).status_code == 200

    deal.refresh_from_db()
    assert (deal.name, deal.company is None) == ("New name", False)


def test_new_company_and_contact_are_added_by_their_names(client: Client, deal: Deal, rep: User) -> None:
    client.force_login(rep)

    client.post(reverse("deal_edit", args=[deal.pk]), sent(deal, company="new:1984", contact="new:Irina"), headers=HX)

    deal.refresh_from_db()
    assert deal.company is not None
    assert deal.contact is not None
    assert (deal.company.name, deal.company.owner) == ("1984", rep)
    assert (deal.contact.name, deal.contact.company) == ("Irina", deal.company)


def test_company_of_the_same_name_is_not_added_twice(client: Client, deal: Deal, rep: User, company: Company) -> None:
    client.force_login(rep)

    client.post(reverse("deal_edit", args=[deal.pk]), sent(deal, company="new:halden DAIRY"), headers=HX)

    deal.refresh_from_db()
    assert deal.company == company
    assert Company.objects.count() == 1


# --- Opening --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [HX, {}])
def test_new_deal_begins_in_the_stage_named(
    client: Client, rep: User, stages: Stages, company: Company, headers: dict[str, str]
) -> None:
    client.force_login(rep)
    url = f"{reverse('deal_create')}?stage={stages['meeting'].pk}&company={company.pk}"
    page = client.get(url, headers=headers).content.decode()
    assert f'<option value="{company.pk}" selected' in page
    assert f'<option value="{stages["meeting"].pk}" selected' in page

    fields = {"name": "Labeller", "stage": stages["meeting"].pk, "company": company.pk, "owner": rep.pk}
    client.post(url, fields | {"currency": "EUR"}, headers=headers)

    deal = Deal.objects.get()
    assert (deal.name, deal.stage, deal.company, deal.owner) == ("Labeller", stages["meeting"], company, rep)


def test_what_the_stage_asks_for_is_named_at_its_field(client: Client, rep: User, stages: Stages) -> None:
    Stage.objects.filter(slug="meeting").update(required_fields=["amount", "contact"])
    client.force_login(rep)

    fields = {"name": "Labeller", "stage": stages["meeting"].pk, "owner": rep.pk, "currency": "EUR"}
    answer = client.post(reverse("deal_create"), fields, headers=HX)

    assert answer.status_code == 422
    assert answer.content.decode().count("This stage asks for it.") == 2
    assert not Deal.objects.exists()
    assert not Contact.objects.exists()


@pytest.mark.parametrize("query", ["stage=0", "stage=x", "company=999999", "contact=-1"])
def test_new_deal_for_what_does_not_exist_is_not_found(client: Client, rep: User, stages: Stages, query: str) -> None:
    client.force_login(rep)

    assert client.get(f"{reverse('deal_create')}?{query}").status_code == 404


def test_deal_does_not_begin_in_the_won_stage(client: Client, rep: User, stages: Stages) -> None:
    client.force_login(rep)

    assert client.get(f"{reverse('deal_create')}?stage={stages['fulfilment'].pk}").status_code == 404


# --- Deleting -------------------------------------------------------------------------------------------------------


def test_deleted_deal_comes_back_with_what_was_planned(client: Client, deal: Deal, rep: User) -> None:
    FollowUpFactory(subject=deal, assignee=rep)
    client.force_login(rep)

    client.post(reverse("deal_delete", args=[deal.pk]), {"version": deal.version})

    assert client.get(deal.get_absolute_url()).status_code == 404
    assert not deal.follow_ups.open().exists()
    assert deal.name in client.get(reverse("bin_list")).content.decode()

    assert client.post(reverse("deal_restore", args=[deal.pk]))["Location"] == deal.get_absolute_url()
    assert client.get(deal.get_absolute_url()).status_code == 200
    assert deal.follow_ups.open().count() == 1
    deal.refresh_from_db()
    assert deal.next_step_at is not None


def test_deal_changed_since_it_was_seen_is_not_deleted(client: Client, deal: Deal, rep: User) -> None:
    edit_deal(deal, fields={"name": "Changed"}, seen_version=1, by=rep)
    client.force_login(rep)

    answer = client.post(reverse("deal_delete", args=[deal.pk]), {"version": 1}, headers=HX)

    assert answer.status_code == 409
    assert "Changed" in answer.content.decode()
    assert Deal.objects.present().filter(pk=deal.pk).exists()


def test_bin_keeps_thirty_days_and_shows_each_their_own(client: Client, deal: Deal, rep: User, colleague: User) -> None:
    Deal.objects.filter(pk=deal.pk).update(deleted_at=timezone.now() - dt.timedelta(days=29))
    client.force_login(colleague)
    assert deal.name not in client.get(reverse("bin_list")).content.decode()
    assert client.post(reverse("deal_restore", args=[deal.pk])).status_code == 404

    Deal.objects.filter(pk=deal.pk).update(deleted_at=timezone.now() - dt.timedelta(days=31))
    client.force_login(rep)
    assert deal.name not in client.get(reverse("bin_list")).content.decode()
    assert client.post(reverse("deal_restore", args=[deal.pk])).status_code == 404


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_writing_is_refused_to_readers_and_hidden_from_outsiders(
    client: Client, deal: Deal, outsider: User, colleague: User, viewer: User
) -> None:
    urls = [reverse(f"deal_{verb}", args=[deal.pk]) for verb in ("edit", "delete", "fill", "take_sum")]
    urls += [reverse("line_item_add", args=[deal.pk]), reverse("deal_contract", args=[deal.pk])]
    for person, status in ((outsider, 404), (colleague, 403), (viewer, 403)):
        client.force_login(person)
        assert [client.post(url, sent(deal)).status_code for url in urls] == [status] * len(urls)
    client.force_login(viewer)
    assert client.get(reverse("deal_create")).status_code == 403
    deal.refresh_from_db()
    assert (deal.version, deal.deleted_at) == (1, None)


@pytest.mark.parametrize("name", ["deal_edit", "deal_move", "deal_win", "deal_lose", "deal_contract"])
def test_an_empty_form_is_refused(client: Client, deal: Deal, rep: User, name: str) -> None:
    client.force_login(rep)

    assert client.post(reverse(name, args=[deal.pk])).status_code == 422


def test_wrong_verbs_are_refused(client: Client, deal: Deal, rep: User) -> None:
    client.force_login(rep)

    for name in ("deal_delete", "deal_restore", "deal_fill", "deal_take_sum", "line_item_add"):
        assert client.get(reverse(name, args=[deal.pk])).status_code == 405
    assert client.post(deal.get_absolute_url()).status_code == 405
