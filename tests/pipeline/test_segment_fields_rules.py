"""What segments ask about deals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Contact, ExchangeRate, Lead, User
from crm.rules.segments import Asking, checked, holds, narrowed, segments_of
from tests.factories import ContactFactory, LeadFactory
from tests.factories.segments import SegmentFactory, condition, group
from tests.metrics.lives import MAY, live, lose, win

pytestmark = pytest.mark.django_db


def found(about: str, node: dict[str, Any], me: User | None = None) -> list[str]:
    rows: Any = (Lead if about == "lead" else Contact).objects.all()
    tree = checked(group("all", node), about=about)
    asking = Asking(timezone.now(), me)
    return sorted(narrowed(rows, tree, about=about, asking=asking).values_list("name", flat=True))


@pytest.mark.parametrize("about", ["lead", "contact"])
def test_deals(about: str) -> None:
    make = LeadFactory if about == "lead" else ContactFactory
    people = {name: make(name=name) for name in ("open", "abroad", "won", "lost", "none")}
    now, today = timezone.now(), timezone.localdate()
    ExchangeRate.objects.create(currency="XYZ", on=today - dt.timedelta(days=3), rate=Decimal(100))
    ExchangeRate.objects.create(currency="XYZ", on=today + dt.timedelta(days=3), rate=Decimal(1))
    stage = live([("P", MAY)], 500, **{about: people["open"]}).stage
    live([("P", MAY)], 10, currency="XYZ", **{about: people["abroad"]})
    win(now - dt.timedelta(days=20), 300, **{about: people["won"]})
    lose(now - dt.timedelta(days=2), 9000, **{about: people["lost"]})
    assert found(about, condition("open_deal", "yes")) == ["abroad", "open"]
    assert found(about, condition("open_deal", "no")) == ["lost", "none", "won"]
    assert found(about, condition("stage", "in", stage.pk)) == ["abroad", "open"]
    assert found(about, condition("open_amount", "above", 600)) == ["abroad"]
    assert found(about, condition("open_amount", "below", 600)) == ["open"]
    assert found(about, condition("won_amount", "is", 300)) == ["won"]
    assert found(about, condition("won_deals", "ever")) == ["won"]
    assert found(about, condition("won_deals", "within", 7)) == []
    assert found(about, condition("lost_deals", "within", 7)) == ["lost"]


@pytest.mark.parametrize("about", ["lead", "contact"])
def test_nobody_finds_out_about_deals_they_do_not_see(about: str, rep: User, outsider: User, admin: User) -> None:
    theirs = (LeadFactory if about == "lead" else ContactFactory)(name="theirs", owner=rep)
    live([("P", MAY)], 777_000, owner=outsider, **{about: theirs})
    asked = [
        condition("open_deal", "yes"), condition("open_amount", "above", 776_999), condition("open_amount", "filled"),
    ]  # fmt: skip
    for node in asked:
        assert found(about, node, rep) == []
        assert found(about, node, admin) == found(about, node, outsider) == found(about, node) == ["theirs"]
    assert found(about, condition("open_deal", "no"), rep) == ["theirs"]
    assert found(about, condition("open_amount", "empty"), rep) == ["theirs"]

    amount = checked(group("all", asked[1]), about=about)
    segment = SegmentFactory(owner=rep, about=about, conditions=amount)
    assert segments_of(theirs, seen_by=rep, now=timezone.now()) == []
    assert holds(segment, theirs, now=timezone.now()), "the system asks about all there is, whoever keeps the segment"


def test_nobody_finds_out_that_a_contact_was_a_lead_they_do_not_see(rep: User, outsider: User) -> None:
    LeadFactory(owner=outsider, contact=ContactFactory(name="theirs", owner=rep))
    came = condition("was_lead", "yes")
    assert (found("contact", came, rep), found("contact", came)) == ([], ["theirs"])
