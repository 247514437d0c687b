"""Prints the figures: `manage.py kpis --from DATE --to DATE [filters] [--by DIMENSION] [--as USER] [--json]`."""

from __future__ import annotations

import datetime as dt
import json
from argparse import ArgumentTypeError
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Model, QuerySet

from crm.models import Campaign, LeadSource, Segment, Team, User
from crm.rules.segments import LEAD
from metrics.answers import figures
from metrics.engine import GROUPINGS
from metrics.kpis import KPIS
from metrics.scope import Filters, Period, Scope
from pipeline.models import Pipeline


class Command(BaseCommand):
    """The same figures as the dashboard, for programs and for the terminal."""

    help = "Print the KPIs of a period [--from, --to)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="start", required=True, type=_day, help="first day, YYYY-MM-DD")
        parser.add_argument("--to", dest="end", required=True, type=_day, help="first day after it, YYYY-MM-DD")
        parser.add_argument("--pipeline", help="slug")
        parser.add_argument("--owner", help="e-mail")
        parser.add_argument("--team", help="name")
        parser.add_argument("--source", help="slug or name")
        parser.add_argument("--campaign", help="name")
        parser.add_argument("--segment", help="name of a segment of leads, or its number where two are called the same")
        parser.add_argument("--by", choices=GROUPINGS, help="also print the figures of each")
        parser.add_argument("--as", dest="viewer", metavar="USER", help="e-mail of the person whose view it is")
        parser.add_argument("--kpi", action="append", choices=sorted(KPIS), help="only this one; may be repeated")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        kpis = [KPIS[key] for key in options["kpi"] or KPIS]
        scope = _scope(options)
        body = figures(kpis, scope, by=options["by"])
        if options["json"]:
            self.stdout.write(json.dumps(body, ensure_ascii=False, indent=1))
            return
        self._print(body)

    def _print(self, body: dict[str, Any]) -> None:
        for group in ({"label": "", "kpis": body["kpis"]}, *body.get("groups", ())):
            if group["label"]:
                self.stdout.write(f"\n{group['label']}")
            for key, result in group["kpis"].items():
                self.stdout.write(f"{KPIS[key].name!s:<26} {_line(result)}")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day; write it as YYYY-MM-DD.") from error


def _scope(options: dict[str, Any]) -> Scope:
    try:
        period = Period(options["start"], options["end"])
    except ValueError as error:
        raise CommandError(f"--to must be after --from: {options['start']} to {options['end']}.") from error
    viewer = _named(User.objects.all(), "viewer", options, "email", called="user")
    filters = Filters(
        pipeline=_named(Pipeline.objects.all(), "pipeline", options, "slug"),
        owner=_named(User.objects.all(), "owner", options, "email"),
        team=_named(Team.objects.all(), "team", options, "name"),
        segment=_segment(options, viewer),
        source=_named(LeadSource.objects.all(), "source", options, "slug", "name", "name_ru"),
        campaign=_named(Campaign.objects.all(), "campaign", options, "name"),
    )
    return Scope(period, filters, viewer=viewer)


def _segment(options: dict[str, Any], viewer: User | None) -> Segment | None:
    """The segment of leads that the option names, of those the viewer may use; two of one name are told by number."""
    rows = Segment.objects.present() if viewer is None else Segment.objects.visible_to(viewer)
    rows = rows.filter(about=LEAD).select_related("owner")
    text = options["segment"] or ""
    if text.isdecimal() and len(text) < 19 and (numbered := rows.filter(pk=int(text)).first()):
        return cast("Segment", numbered)
    namesakes = rows.filter(name__iexact=text)[:20] if text else []
    if len(namesakes) > 1:
        told = ", ".join(f"{one.pk} ({one.owner})" for one in namesakes)
        raise CommandError(f"Several segments are called {text!r}. Say which by its number: {told}.")
    return cast("Segment | None", _named(rows, "segment", options, "name"))


def _named(rows: QuerySet[Any], option: str, options: dict[str, Any], *fields: str, called: str | None = None) -> Any:
    """Find the one row an option names, in any case; CommandError says what there is instead."""
    text = options[option]
    if text is None:
        return None
    for field in fields:
        found: Model | None = rows.filter(**{f"{field}__iexact": text}).first()
        if found is not None:
            return found
    known = ", ".join(str(name) for name in rows.values_list(fields[0], flat=True)[:20])
    raise CommandError(f"No {called or option} {text!r}. There is: {known or 'none yet'}.")


def _line(result: dict[str, Any]) -> str:
    if "stages" in result:
        return "; ".join(
            f"{stage['stage']} {stage.get('value', stage.get('median'))} (n = {stage.get('n', 0)})"
            for stage in result["stages"]
        )
    if result["value"] is None:
        return f"— ({result['reason']})"
    rest = ", ".join(f"{name} {value}" for name, value in result.items() if name not in {"value", "unit"})
    return f"{result['value']} {result['unit']}" + (f" ({rest})" if rest else "")
