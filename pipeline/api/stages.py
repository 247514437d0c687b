"""Pipelines and their stages over the API, to read; an admin shapes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, Q
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Router

from crm.api.authenticating import ApiRequest
from crm.api.problems import FieldError, invalid
from crm.api.shapes import NamedRef, SlugRef
from crm.models import User
from pipeline.forms.deals import beginnings_for
from pipeline.models import LossReason, Pipeline, Stage

router = Router(tags=["pipelines"])


class StageShape(SlugRef):
    """One step of a pipeline; entering one of kind won wins the deal."""

    position: int
    kind: Stage.Kind
    probability: Decimal
    rotting_days: int | None
    required_fields: list[str]


class PipelineShape(SlugRef):
    """An ordered process, with the stages a deal can stand in."""

    stages: list[StageShape]

    @staticmethod
    def resolve_stages(pipeline: Any) -> Any:
        """Return them in their order."""
        return pipeline.live_stages


class LossReasonShape(NamedRef):
    """Why deals are lost; without a pipeline it holds for all."""

    pipeline: SlugRef | None


@router.get("/pipelines", response=list[PipelineShape], url_name="pipeline_list")
def pipeline_list(request: ApiRequest) -> Any:
    """Pipelines one works in, in their order, each with its stages."""
    return _pipelines(request.user)


@router.get("/pipelines/{slug:slug}", response=PipelineShape, url_name="pipeline_detail")
def pipeline_detail(request: ApiRequest, slug: str) -> Pipeline:
    """One pipeline with its stages."""
    return get_object_or_404(_pipelines(request.user), slug=slug)


@router.get("/loss-reasons", response=list[LossReasonShape], url_name="loss_reasons")
def loss_reasons(request: ApiRequest) -> Any:
    """Why deals are lost, without the archived."""
    here = Q(pipeline=None) | Q(pipeline__in=Pipeline.objects.visible_to(request.user))
    return LossReason.objects.filter(here, is_archived=False).select_related("pipeline")


def stage_named(name: int | str, stages: Any, field: str = "stage") -> int:
    """Return the id of the one of `stages` that a body names by id or slug; else 422."""
    if isinstance(name, int):
        return name
    found = stages.filter(slug=name).values_list("pk", flat=True).first()
    if found is None:
        raise invalid([FieldError(field, "invalid_choice", _("There is no such stage here."))])
    return int(found)


def beginning_named(name: int | str | None, pipeline: str | None, person: User) -> int:
    """Return the id of the stage a new deal begins in: the one named, else the first, of the pipeline or the first."""
    stages = beginnings_for(person)
    if pipeline is not None:
        stages = stages.filter(pipeline__slug=pipeline)
    first = stages.first()
    if first is None:
        raise invalid([FieldError("pipeline", "invalid_choice", _("There is no such pipeline here."))])
    return first.pk if name is None else stage_named(name, stages.filter(pipeline=first.pipeline_id))


def _pipelines(person: User) -> Any:
    live = Prefetch("stages", Stage.objects.live().order_by("position", "pk"), to_attr="live_stages")
    return Pipeline.objects.visible_to(person).prefetch_related(live)
