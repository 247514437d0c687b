"""What a pipeline asks about the leads that are to become its deals."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from crm.models import Lead
from crm.rules.qualifying import ASKERS, Asker
from pipeline.models import Pipeline, Stage


def pipelines_for(lead: Lead) -> QuerySet[Pipeline]:
    """Return the pipelines in which the lead's team (its own, else its owner's) works, that a deal opens in first."""
    team_id = lead.team_id or (lead.owner.team_id if lead.owner else None)
    restricted = Pipeline.teams.through.objects.filter(pipeline=OuterRef("pk"))
    begins = Stage.objects.live().filter(pipeline=OuterRef("pk"), kind=Stage.Kind.OPEN)
    is_theirs = ~Q(Exists(restricted)) | Q(Exists(restricted.filter(team=team_id)))
    return Pipeline.objects.filter(is_theirs, Exists(begins), is_archived=False).order_by("position", "pk")


def asked_by(pipeline: Pipeline) -> frozenset[int]:
    """Return the ids of the questions that `pipeline` asks of a lead that is to become a deal of it."""
    return _asked(pipeline=pipeline)


def _asked_by_any() -> frozenset[int]:
    return _asked(pipeline__is_archived=False)


def _asked_about(lead: Lead) -> frozenset[int]:
    first = pipelines_for(lead).values("pk")[:1]
    return _asked(pipeline=Subquery(first))


def _asked(**of: Any) -> frozenset[int]:
    asked = Pipeline.qualifying_questions.through.objects.filter(**of)
    return frozenset(asked.values_list("qualifyingquestion", flat=True))


ASKERS.append(Asker(claimed=_asked_by_any, asks_about=_asked_about))
