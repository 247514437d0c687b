"""The lines of a deal and its checklist, edited in place."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import User
from pipeline.models import ChecklistItem, ChecklistTick, Deal, LineItem, Product, Stage
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}
Stages = dict[str, Stage]


@pytest.fixture
def deal(rep: User, stages: Stages) -> Deal:
    return DealFactory(owner=rep, stage="proposal", amount=Decimal(100))


@pytest.fixture
def product() -> Product:
    return Product.objects.create(name="Pasteuriser P-500", price=Decimal(73500))


# --- Lines ------------------------------------------------------------------------------------------------------------


def test_line_takes_the_products_price_and_the_amount_stays(
    client: Client, deal: Deal, product: Product, rep: User
) -> None:
    client.force_login(rep)

    fields = {"product": product.pk, "quantity": "1.5", "unit_price": ""}
    text = client.post(reverse("line_item_add", args=[deal.pk]), fields, headers=HX).content.decode()

    item = deal.line_items.get()
    assert (item.quantity, item.unit_price) == (Decimal("1.5"), Decimal(73500))
    assert "€110,250" in text
    assert "Take the sum" in text
    deal.refresh_from_db()
    assert (deal.amount, deal.version) == (Decimal(100), 1)

    stale = client.post(reverse("deal_take_sum", args=[deal.pk]), {"version": 7}, headers=HX)
    assert stale.status_code == 409
    assert client.post(reverse("deal_take_sum", args=[deal.pk]), {"version": 1}, headers=HX).status_code == 204
    deal.refresh_from_db()
    assert deal.amount == Decimal(110250)
    assert "Take the sum" not in client.get(deal.get_absolute_url()).content.decode()


def test_line_is_edited_and_removed_in_place(client: Client, deal: Deal, product: Product, rep: User) -> None:
    item = LineItem.objects.create(deal=deal, product=product, quantity=1, unit_price=5)
    client.force_login(rep)
    url = reverse("line_item_edit", args=[deal.pk, item.pk])

    assert client.post(url, {"quantity": "3", "unit_price": "7"}).status_code == 302
    item.refresh_from_db()
    assert (item.quantity, item.unit_price) == (3, 7)
    wrong = client.post(url, {"quantity": "0", "unit_price": "7"}, headers=HX)
    assert wrong.status_code == 422
    assert "above zero" in wrong.content.decode()
    client.post(reverse("line_item_delete", args=[deal.pk, item.pk]), headers=HX)
    assert not deal.line_items.exists()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"quantity": "many"}, "Enter a number"),
        ({"quantity": "-1"}, "greater than or equal to 0"),
        ({"unit_price": "1" * 20}, "no more than"),
        ({"product": "999999"}, "valid choice"),
    ],
)
def test_wrong_line_is_named(
    client: Client, deal: Deal, product: Product, rep: User, changes: dict[str, str], complaint: str
) -> None:
    client.force_login(rep)
    fields = {"product": product.pk, "quantity": "1", "unit_price": "1"} | changes

    for headers in (HX, {}):
        answer = client.post(reverse("line_item_add", args=[deal.pk]), fields, headers=headers)
        assert answer.status_code == 422
        assert complaint in answer.content.decode()
    assert not deal.line_items.exists()


def test_price_of_another_currency_is_not_taken(client: Client, deal: Deal, rep: User) -> None:
    product = Product.objects.create(name="Robot", price=Decimal(10), currency="USD")
    client.force_login(rep)

    fields = {"product": product.pk, "quantity": "1", "unit_price": ""}
    answer = client.post(reverse("line_item_add", args=[deal.pk]), fields, headers=HX)

    assert answer.status_code == 422
    assert "no price in the currency of the deal" in answer.content.decode()


def test_line_of_another_deal_is_not_found(client: Client, deal: Deal, product: Product, rep: User) -> None:
    other = LineItem.objects.create(deal=DealFactory(owner=rep), product=product, quantity=1, unit_price=5)
    client.force_login(rep)

    for verb in ("edit", "delete"):
        url = reverse(f"line_item_{verb}", args=[deal.pk, other.pk])
        assert client.post(url, {"quantity": "2", "unit_price": "2"}).status_code == 404


# --- What the stage asks for ------------------------------------------------------------------------------------------


def test_ticks_go_on_and_off(client: Client, deal: Deal, rep: User, stages: Stages) -> None:
    item = ChecklistItem.objects.create(stage=stages["proposal"], name="Proposal sent")
    client.force_login(rep)
    url = reverse("deal_tick", args=[deal.pk, item.pk])

    for _ in range(2):  # twice the same is once
        assert "1 of 1" in client.post(url, {"done": "on"}, headers=HX).content.decode()
    assert ChecklistTick.objects.get().by == rep
    assert client.post(url, {})["Location"] == deal.get_absolute_url()
    assert not ChecklistTick.objects.exists()


def test_item_of_another_stage_is_not_found(client: Client, deal: Deal, rep: User, stages: Stages) -> None:
    item = ChecklistItem.objects.create(stage=stages["meeting"], name="Elsewhere")
    client.force_login(rep)

    assert client.post(reverse("deal_tick", args=[deal.pk, item.pk]), {"done": "on"}).status_code == 404


def test_missing_field_is_filled_in_place(client: Client, deal: Deal, rep: User, manager: User) -> None:
    Stage.objects.filter(slug="negotiation").update(required_fields=["expected_close_on", "source"])
    client.force_login(rep)
    url = reverse("deal_fill", args=[deal.pk])

    wrong = client.post(url, {"version": 1, "expected_close_on": "soon"}, headers=HX)
    assert wrong.status_code == 422
    assert 'value="soon"' in wrong.content.decode()

    Stage.objects.filter(slug="negotiation").update(required_fields=["expected_close_on"])
    Deal.objects.filter(pk=deal.pk).update(version=2)
    late = client.post(url, {"version": 1, "expected_close_on": "2030-01-01"}, headers=HX)
    assert late.status_code == 409
    assert 'value="2030-01-01"' in late.content.decode()
    done = client.post(url, {"version": 2, "expected_close_on": "2030-01-01"}, headers=HX)
    assert "deal-changed" in done["HX-Trigger"]
    deal.refresh_from_db()
    assert deal.expected_close_on == dt.date(2030, 1, 1)
    assert client.post(url, {"version": 3})["Location"] == deal.get_absolute_url()  # nothing is missing any more


def test_readers_tick_nothing(client: Client, deal: Deal, outsider: User, colleague: User, viewer: User) -> None:
    item = ChecklistItem.objects.create(stage=deal.stage, name="Proposal sent")
    for person, status in ((outsider, 404), (colleague, 403), (viewer, 403)):
        client.force_login(person)
        assert client.post(reverse("deal_tick", args=[deal.pk, item.pk]), {"done": "on"}).status_code == status
    assert not ChecklistTick.objects.exists()
