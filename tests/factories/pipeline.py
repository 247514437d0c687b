"""Pipelines, deals with their visits, and contracts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import factory
from django.db import transaction
from django.utils import timezone
from fractional_indexing import generate_key_between

from pipeline.default_pipeline import create_default_pipeline
from pipeline.models import Contract, Deal, LossReason, Pipeline, Stage, StageVisit
from tests.factories.crm import CompanyFactory, UserFactory


def _ascending_ranks() -> Iterator[str]:
    rank = None
    while True:
        rank = generate_key_between(rank, None)
        yield rank


_RANKS = _ascending_ranks()


def sales_pipeline() -> Pipeline:
    """The default pipeline, made anew where a transactional test has flushed it."""
    pipeline: Pipeline = create_default_pipeline(Pipeline.objects, Stage.objects, LossReason.objects)
    return pipeline


class DealFactory(factory.django.DjangoModelFactory[Deal]):
    """An open deal of the default pipeline with one visit since `created_at`; `stage` is a Stage or a slug.

    With `won_at` (or `lost_at`) it is closed then: won deals stand in the won stage, lost ones where they were lost.
    """

    class Meta:
        model = Deal

    name = factory.Sequence(lambda n: f"Deal {n}")
    owner = factory.SubFactory(UserFactory)
    created_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(days=1))
    rank = factory.LazyFunction(lambda: next(_RANKS))

    @classmethod
    def _create(cls, model_class: type[Deal], *args: Any, **kwargs: Any) -> Deal:
        stage = kwargs.pop("stage", "prospecting")
        if isinstance(stage, str):
            stage = sales_pipeline().stages.get(slug=stage)
        won_at, lost_at = kwargs.get("won_at"), kwargs.get("lost_at")
        kwargs.setdefault("outcome", "won" if won_at else "lost" if lost_at else "open")
        began = kwargs["created_at"]
        final = stage.pipeline.stages.get(kind="won") if won_at and not stage.is_won else stage
        kwargs.setdefault("stage_entered_at", won_at or began)
        with transaction.atomic():
            deal: Deal = super()._create(model_class, *args, pipeline=stage.pipeline, stage=final, **kwargs)
            StageVisit.objects.create(deal=deal, stage=stage, entered_at=began, left_at=won_at or lost_at)
            if won_at and final != stage:
                StageVisit.objects.create(deal=deal, stage=final, entered_at=won_at, direction="forward")
        return deal


class ContractFactory(factory.django.DjangoModelFactory[Contract]):
    """An open-ended contract of a new company, 100 a month."""

    class Meta:
        model = Contract

    company = factory.SubFactory(CompanyFactory)
    starts_on = dt.date(2026, 1, 1)
    monthly_value = 100
