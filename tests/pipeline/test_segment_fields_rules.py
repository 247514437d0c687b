"""What segments ask about deals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Contact, ExchangeRate, Lead
from crm.rules.segments import Asking, checked, narrowed
from tests.factories import ContactFactory, LeadFactory
from tests.factories.segments import condition, group
from tests.metrics.lives import MAY, live, lose, win

pytestmark = pytest.mark.django_db


def found(about: str, node: dict[str, Any]) -> list[str]:
    rows: Any = (Lead if about == "lead" else Contact).objects.all()
    tree = checked(group("all", node), about=about)
    asking = Asking(timezone.now(), None)
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
