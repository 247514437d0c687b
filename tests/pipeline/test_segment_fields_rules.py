"""What segments ask about deals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Contact, ExchangeRate, Lead
from crm.rules.segments import Asking, checked, narrowed
from pipeline.models import Deal, Stage
from tests.factories import ContactFactory, DealFactory, LeadFactory
from tests.factories.segments import condition, group

pytestmark = pytest.mark.django_db


def found(about: str, node: dict[str, Any]) -> list[str]:
    rows: Any = (Lead if about == "lead" else Contact).objects.all()
    tree = checked(group("all", node), about=about)
    asking = Asking(timezone.now(), None)
    return sorted(narrowed(rows, tree, about=about, asking=asking).values_list("name", flat=True))


@pytest.mark.parametrize("about", ["lead", "contact"])
def test_deals(about: str, stages: dict[str, Stage]) -> None:
    make = LeadFactory if about == "lead" else ContactFactory
    people = {name: make(name=name) for name in ("open", "abroad", "won", "lost", "none")}
    stage = next(iter(stages.values()))
    now, today = timezone.now(), timezone.localdate()
    ExchangeRate.objects.create(currency="XYZ", on=today - dt.timedelta(days=3), rate=Decimal(100))
    ExchangeRate.objects.create(currency="XYZ", on=today + dt.timedelta(days=3), rate=Decimal(1))
    deals = {
        "open": DealFactory(stage=stage, amount=500),
        "abroad": DealFactory(stage=stage, amount=10, currency="XYZ"),
        "won": DealFactory(stage=stage, amount=300),
        "lost": DealFactory(stage=stage, amount=9000),
    }
    for name, deal in deals.items():
        Deal.objects.filter(pk=deal.pk).update(**{about: people[name]})
    _close(deals["won"], "won", now - dt.timedelta(days=20))
    _close(deals["lost"], "lost", now - dt.timedelta(days=2))
    assert found(about, condition("open_deal", "yes")) == ["abroad", "open"]
    assert found(about, condition("open_deal", "no")) == ["lost", "none", "won"]
    assert found(about, condition("stage", "in", stage.pk)) == ["abroad", "open"]
    assert found(about, condition("open_amount", "above", 600)) == ["abroad"]
    assert found(about, condition("open_amount", "below", 600)) == ["open"]
    assert found(about, condition("won_amount", "is", 300)) == ["won"]
    assert found(about, condition("won_deals", "ever")) == ["won"]
    assert found(about, condition("won_deals", "within", 7)) == []
    assert found(about, condition("lost_deals", "within", 7)) == ["lost"]


def _close(deal: Deal, outcome: str, at: dt.datetime) -> None:
    """Close a deal behind the rules' back: only what segments read matters here."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE pipeline_deal DISABLE TRIGGER USER")
        closed = {"outcome": outcome, f"{outcome}_at": at}
        Deal.objects.filter(pk=deal.pk).update(**closed)
        cursor.execute("ALTER TABLE pipeline_deal ENABLE TRIGGER USER")
