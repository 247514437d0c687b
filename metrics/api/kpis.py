"""Figures over the API: the objects of `manage.py kpis --json`, of what the token's person may see."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from crm.api.authenticating import ApiRequest
from crm.api.problems import FieldError, invalid
from crm.models import LeadSource, Segment, User
from crm.rules.segments import LEAD
from metrics.answers import figures
from metrics.engine import GROUPINGS
from metrics.forms.filters import LONGEST, teams_seen_by
from metrics.kpis import KPIS
from metrics.scope import Filters, Period, Scope
from pipeline.models import Pipeline

router = Router(tags=["kpis"])


class KpisAsked(Schema):
    """Days [from, to), filters as the command takes them, a breakdown, and which KPIs (by commas; else all)."""

    start: dt.date = Field(alias="from")
    end: dt.date = Field(alias="to")
    pipeline: str = ""
    owner: str = ""
    team: str = ""
    source: str = ""
    segment: str = ""
    by: str = ""
    kpi: str = ""


class KpiPeriod(Schema):
    """The days asked about, `to` exclusive, cut in the organisation's time zone."""

    start: dt.date = Field(alias="from", serialization_alias="from")
    end: dt.date = Field(alias="to", serialization_alias="to")
    timezone: str
    currency: str


class KpiGroup(Schema):
    """The figures of one owner, team, source, pipeline or month."""

    key: str
    label: str
    kpis: dict[str, dict[str, Any]]


class KpiFigures(Schema):
    """Figures by the key of their KPI; a null `value` has a `reason`."""

    period: KpiPeriod
    kpis: dict[str, dict[str, Any]]
    groups: list[KpiGroup] | None = None


@router.get("/kpis", response=KpiFigures, by_alias=True, exclude_none=False, exclude_unset=True, url_name="kpis")
def kpis(request: ApiRequest, asked: Query[KpisAsked]) -> dict[str, Any]:
    """The KPIs of a period."""
    _refuse_unknown(request)
    chosen = [_kpi(key) for key in asked.kpi.split(",")] if asked.kpi else list(KPIS.values())
    if asked.by and asked.by not in GROUPINGS:
        raise _unknown("by", asked.by, GROUPINGS)
    scope = Scope(_period(asked), _filters(asked, request.user), viewer=request.user, now=timezone.now())
    return figures(chosen, scope, by=asked.by or None)


def _refuse_unknown(request: HttpRequest) -> None:
    known = {field.alias or name for name, field in KpisAsked.model_fields.items()}
    if unknown := sorted(set(request.GET) - known):
        raise invalid(FieldError(name, "unknown", _("There is no such filter here.")) for name in unknown)


def _period(asked: KpisAsked) -> Period:
    if asked.start >= asked.end:
        raise invalid([FieldError("to", "range", _("The period ends before it begins."))])
    if asked.end - asked.start > LONGEST or asked.start.year < 1970 or asked.end.year > 2200:
        raise invalid([FieldError("to", "range", _("Figures reach over 20 years at most."))])
    return Period(asked.start, asked.end)


def _filters(asked: KpisAsked, person: User) -> Filters:
    """What is named, of what the person may see; else 422, as for what does not exist."""
    return Filters(
        pipeline=_named(Pipeline.objects.visible_to(person), "pipeline", asked.pipeline, "slug"),
        owner=_named(User.objects.visible_to(person), "owner", asked.owner, "email"),
        team=_named(teams_seen_by(person), "team", asked.team, "name"),
        segment=_segment(person, asked.segment),
        source=_named(LeadSource.objects.all(), "source", asked.source, "slug", "name", "name_ru"),
    )


def _segment(person: User, text: str) -> Segment | None:
    """The segment of leads by name or number; where two of one name are seen, the number says which."""
    rows = Segment.objects.visible_to(person).filter(about=LEAD).select_related("owner")
    if text.isdecimal() and len(text) < 19 and (numbered := rows.filter(pk=int(text)).first()) is not None:
        return numbered
    namesakes = list(rows.filter(name__iexact=text).values_list("pk", flat=True)[:20]) if text else []
    if len(namesakes) > 1:
        raise _unknown("segment", text, namesakes)
    return _named(rows, "segment", text, "name")


def _named(rows: Any, option: str, text: str, *fields: str) -> Any:
    if not text:
        return None
    for field in fields:
        if (found := rows.filter(**{f"{field}__iexact": text}).first()) is not None:
            return found
    raise _unknown(option, text, rows.values_list(fields[0], flat=True)[:20])


def _kpi(key: str) -> Any:
    if key not in KPIS:
        raise _unknown("kpi", key, sorted(KPIS))
    return KPIS[key]


def _unknown(option: str, text: str, known: Any) -> Exception:
    said = {"text": text, "known": ", ".join(map(str, known))}
    return invalid([FieldError(option, "unknown", _("There is no “%(text)s”. There is: %(known)s.") % said)])
