"""The charts of the dashboard: each a finding in words, a picture's figures, and the same figures as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.templatetags.formats import number, percent
from metrics.engine import Group, Results
from metrics.kpi import Kpi, Result, StageResult, Unit
from metrics.scope import Period
from metrics.statistics import FEW, differ
from metrics.views.wording import interval_text, month_text, period_text, value_text, with_unit
from pipeline.models import Stage


@dataclass(frozen=True)
class Panel:
    """A chart. `figures` go to the script as JSON; `header` and `rows` are its table; without rows nothing is drawn."""

    key: str
    kpi_key: str
    title: str
    finding: str
    kind: str
    figures: Mapping[str, Any]
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    by: str = ""

    @property
    def figures_json(self) -> str:
        """The figures for the script: in an attribute, because htmx takes script elements out of what it fetches."""
        return json.dumps(self.figures, cls=DjangoJSONEncoder)


StageNames = Mapping[str, Stage]
"""A stage by its name in results: its slug, with its pipeline's before it where several pipelines are shown."""


def stages_by_name(stages: Iterable[Stage]) -> StageNames:
    """Index stages by both names that results may use for them; the first pipeline wins a slug."""
    named: dict[str, Stage] = {}
    for stage in stages:
        named.setdefault(stage.slug, stage)
        named[f"{stage.pipeline.slug}/{stage.slug}"] = stage
    return named


def _stage_label(name: str, stages: StageNames) -> str:
    stage = stages.get(name)
    if stage is None:
        return name
    return f"{stage} ({stage.pipeline})" if "/" in name else str(stage)


def _color(name: str, stages: StageNames) -> str:
    return f"--stage-{stages[name].color}" if name in stages else "--stage-slate"


# --- Funnel ---------------------------------------------------------------------------------------------------------


def funnel(result: Result, stages: StageNames) -> Panel:
    """Where deals go on, stay and are lost, for those that first reached each stage in the period."""
    found = list(result.stages or ())
    has_any = any(stage.n for stage in found)
    rows = [_funnel_row(stage, stages) for stage in found] if has_any else []
    points = [
        {
            "label": _stage_label(stage.stage, stages),
            "color": _color(stage.stage, stages),
            "passed": stage.numerator or 0,
            "still": stage.pending or 0,
            "lost": stage.lost or 0,
            "share": _conversion(stage, stages),
        }
        for stage in found
    ]
    words = {"passed": _("passed on"), "still": _("still there"), "lost": _("lost here")}
    return Panel(
        key="funnel",
        kpi_key="stage_conversion",
        title=_("Funnel, deals that first reached a stage"),
        finding=_funnel_finding(found, stages) if has_any else str(result.reason or _("no deal reached a stage")),
        kind="funnel",
        figures={"points": points, "words": words},
        header=[
            _("Stage"), _("Reached"), _("Passed on"), _("Still there"), _("Lost here"), _("Conversion"), _("Interval"),
        ],
        rows=rows,
    )  # fmt: skip


def _conversion(stage: StageResult, stages: StageNames) -> str:
    """The share that went on; who reached the stage that means won has nowhere to go on to."""
    if stage.stage in stages and stages[stage.stage].is_won:
        return pgettext("count", "won")
    return value_text(stage.value, Unit.RATIO)


def _funnel_row(stage: StageResult, stages: StageNames) -> list[str]:
    share = _conversion(stage, stages)
    has_interval = share != pgettext("count", "won") and stage.low is not None and stage.high is not None
    interval = f"{percent(stage.low)} – {percent(stage.high)}" if has_interval else ""
    counts = [number(count or 0) for count in (stage.n, stage.numerator, stage.pending, stage.lost)]
    return [_stage_label(stage.stage, stages), *counts, share, interval]


def _funnel_finding(found: list[StageResult], stages: StageNames) -> str:
    losses = sum(stage.lost or 0 for stage in found)
    if not losses:
        return _("No deal that reached a stage in this period has been lost.")
    most = max(found, key=lambda stage: stage.lost or 0)
    said = _("{lost} of the {losses} losses happen in {stage}.").format(
        lost=number(most.lost or 0), losses=number(losses), stage=_stage_label(most.stage, stages)
    )
    worst = max(found, key=lambda stage: (stage.lost or 0) / stage.n if stage.n and stage.n >= FEW else 0)
    if worst.stage != most.stage and worst.lost:
        said += " " + _("{stage} loses the largest share: {lost} of {reached}.").format(
            stage=_stage_label(worst.stage, stages), lost=number(worst.lost), reached=number(worst.n or 0)
        )
    return said


# --- Time in stage --------------------------------------------------------------------------------------------------


def time_in_stage(result: Result, stages: StageNames) -> Panel:
    """How long the stays were that ended in the period, against each stage's limit."""
    found = [stage for stage in result.stages or () if stage.n]
    points = [
        {
            "label": _stage_label(stage.stage, stages),
            "color": _color(stage.stage, stages),
            "box": [stage.p10, stage.p25, stage.median, stage.p75, stage.p90],
            "limit": _limit(stage, stages),
            "median": with_unit(stage.median, Unit.DAYS),
            "n": f"n = {number(stage.n or 0)}",
            "isFew": (stage.n or 0) < FEW,
        }
        for stage in found
    ]
    words = {"median": _("median"), "limit": _("rotting limit"), "middle": _("middle half"), "days": _("{count} d")}
    return Panel(
        key="time-in-stage",
        kpi_key="stage_duration",
        title=_("Time in stage"),
        finding=_slowest(found, stages) if found else str(result.reason or _("no stay in a stage ended")),
        kind="boxes",
        figures={"points": points, "words": words},
        header=[_("Stage"), _("Stays"), _("Median"), _("Mean"), _("Middle half"), "p90", _("Limit")],
        rows=[_stay_row(stage, stages) for stage in found],
    )


def _limit(stage: StageResult, stages: StageNames) -> int | None:
    return stages[stage.stage].rotting_days if stage.stage in stages else None


def _stay_row(stage: StageResult, stages: StageNames) -> list[str]:
    def shown(value: float | None) -> str:
        return value_text(value, Unit.DAYS)

    limit = _limit(stage, stages)
    return [
        _stage_label(stage.stage, stages), number(stage.n or 0), shown(stage.median), shown(stage.mean),
        f"{shown(stage.p25)} – {shown(stage.p75)}", shown(stage.p90), "—" if limit is None else number(limit),
    ]  # fmt: skip


def _slowest(found: list[StageResult], stages: StageNames) -> str:
    enough = [stage for stage in found if (stage.n or 0) >= FEW]
    if not enough:
        return _("Too few stays ended to say where deals wait.")
    slowest = max(enough, key=lambda stage: stage.median or 0)
    said = _("{stage} is slowest: half of its stays last longer than {length}.").format(
        stage=_stage_label(slowest.stage, stages), length=with_unit(slowest.median, Unit.DAYS)
    )
    limit = _limit(slowest, stages)
    if limit is not None and (slowest.p75 or 0) > limit:
        said += " " + _("More than a quarter of them outlast its limit of {days} d.").format(days=number(limit))
    return said


# --- Win rate by rep ------------------------------------------------------------------------------------------------


def win_rates(groups: Sequence[Group], overall: Result) -> Panel:
    """Each rep's win rate with its interval, and whether it differs from the others' by more than chance."""
    known = [(group, group.results["win_rate"]) for group in groups]
    known = sorted(
        ((group, rate) for group, rate in known if rate.value is not None), key=lambda pair: -float(pair[1].value or 0)
    )
    verdicts = [_verdict(rate, overall) for _group, rate in known]
    labels = {"better": _("above the others"), "worse": _("below the others"), "few": _("too few to say")}
    said = [labels.get(verdict, _("within chance")) for verdict in verdicts]
    points = [
        {
            "label": group.label,
            "value": rate.value,
            "low": rate.low,
            "high": rate.high,
            "share": value_text(rate.value, Unit.RATIO),
            "parts": f"{rate.numerator} / {rate.denominator}",
            "verdict": verdict,
            "said": words,
        }
        for (group, rate), verdict, words in zip(known, verdicts, said, strict=True)
    ]
    rows = [
        [group.label, number(rate.denominator or 0), number(rate.numerator or 0), str(point["share"]),
         interval_text(rate), words]
        for (group, rate), point, words in zip(known, points, said, strict=True)
    ]  # fmt: skip
    everybody = _("all {share}").format(share=value_text(overall.value, Unit.RATIO))
    return Panel(
        key="by-rep",
        kpi_key="win_rate",
        by="owner",
        title=_("Win rate by rep"),
        finding=_outstanding(known, verdicts) if known else _("no deals were closed"),
        kind="intervals",
        figures={"points": points, "all": overall.value, "words": {"all": everybody}},
        header=[
            _("Owner"), pgettext("count", "Closed"), pgettext("count", "Won"), _("Win rate"), _("Interval"),
            _("Against the others"),
        ],
        rows=rows,
    )  # fmt: skip


def _verdict(rate: Result, overall: Result) -> str:
    """Compare a rep with all others together: better, worse, few, or nothing where chance explains it."""
    won, closed = int(rate.numerator or 0), int(rate.denominator or 0)
    others = (int(overall.numerator or 0) - won, int(overall.denominator or 0) - closed)
    if closed < FEW:
        return "few"
    if others[1] <= 0 or not differ((won, closed), others):
        return ""
    return "better" if won / closed > others[0] / others[1] else "worse"


def _outstanding(known: list[tuple[Group, Result]], verdicts: list[str]) -> str:
    better = [group.label for (group, _rate), verdict in zip(known, verdicts, strict=True) if verdict == "better"]
    worse = [group.label for (group, _rate), verdict in zip(known, verdicts, strict=True) if verdict == "worse"]
    said = []
    if better:
        said.append(_("More often than the others wins: {names}.").format(names=_few_of(better)))
    if worse:
        said.append(_("Less often: {names}.").format(names=_few_of(worse)))
    if not said:
        return _("All differences between reps are within chance.")
    return " ".join([*said, _("The other differences are within chance.")])


def _few_of(names: list[str], most: int = 3) -> str:
    rest = len(names) - most
    shown = ", ".join(names[:most])
    return _("{names} and {count} more").format(names=shown, count=rest) if rest > 0 else shown


# --- Trend ----------------------------------------------------------------------------------------------------------


def trend(kpi: Kpi, periods: Sequence[Period], results: Sequence[Results], *, title: str) -> Panel:
    """A KPI over the periods that led up to now."""
    values = [found[kpi.key] for found in results]
    labels = [month_text(p.start) if p.whole_months == 1 else period_text(p) for p in periods]
    points = [
        {
            "label": label,
            "value": None if result.value is None else float(result.value),
            "low": result.low,
            "high": result.high,
            "text": with_unit(result.value, kpi.unit),
        }
        for label, result in zip(labels, values, strict=True)
    ]
    has_any = any(result.value is not None for result in values)
    rows = [
        [label, with_unit(result.value, kpi.unit), number(result.n or 0), str(result.reason or interval_text(result))]
        for label, result in zip(labels, values, strict=True)
    ]
    return Panel(
        key=f"trend-{kpi.key}",
        kpi_key=kpi.key,
        title=title,
        finding=_best(labels, values, kpi) if has_any else str(values[-1].reason or "—"),
        kind="trend",
        figures={"points": points, "unit": str(kpi.unit)},
        header=[_("Period"), str(kpi.name), "n", _("Remark")],
        rows=rows if has_any else [],
    )


def _best(labels: list[str], values: list[Result], kpi: Kpi) -> str:
    known = [
        (float(result.value), label) for label, result in zip(labels, values, strict=True) if result.value is not None
    ]
    high, low = max(known), min(known)
    if high[0] == low[0]:
        return _("The same throughout: {value}.").format(value=with_unit(high[0], kpi.unit))
    return _("Highest in {high}: {most}; lowest in {low}: {least}.").format(
        high=high[1], most=with_unit(high[0], kpi.unit), low=low[1], least=with_unit(low[0], kpi.unit)
    )
