"""Segments."""

from __future__ import annotations

from typing import Any

import factory

from crm.models import Segment
from tests.factories.crm import UserFactory


def condition(field: str, op: str, *value: Any) -> dict[str, Any]:
    """One condition of a segment."""
    texts = [str(part) for part in value]
    return {"field": field, "op": op, **({"value": texts} if texts else {})}


def group(join: str, *nodes: dict[str, Any]) -> dict[str, Any]:
    """A group of conditions: all, any or none of them."""
    return {"join": join, "of": list(nodes)}


class SegmentFactory(factory.django.DjangoModelFactory[Segment]):
    """New leads, kept by somebody for themselves."""

    class Meta:
        model = Segment

    name = factory.Sequence(lambda n: f"Segment {n}")
    owner = factory.SubFactory(UserFactory)
    conditions = factory.LazyFunction(lambda: group("all", condition("status", "in", "new")))
