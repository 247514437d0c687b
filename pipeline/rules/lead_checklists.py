"""What a pipeline asks about the leads that are to become its deals."""

from __future__ import annotations

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


def asked_by(pipeline: Pipeline) -> Exists:
    """Return the condition on a question that `pipeline` asks it: of a lead that is to become a deal of it."""
    return Exists(_asked().filter(pipeline=pipeline))


def _asked_by_any() -> Exists:
    return Exists(_asked().filter(pipeline__is_archived=False))


def _asked_about(lead: Lead) -> Exists:
    return Exists(_asked().filter(pipeline=Subquery(pipelines_for(lead).values("pk")[:1])))


def _asked() -> QuerySet:
    return Pipeline.qualifying_questions.through.objects.filter(qualifyingquestion=OuterRef("pk"))


ASKERS.append(Asker(names=_asked_by_any, asks_about=_asked_about))
