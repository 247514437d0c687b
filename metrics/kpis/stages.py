"""KPIs of stages: where deals are lost and where they wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from metrics.kpi import Better, Kpi, Result, StageResult, Unit, ratio
from metrics.scope import ALL


def _stages(facts: Any, found: dict[int, Any]) -> Iterator[tuple[str, Any]]:
    """Name every stage in its order, with its row or None; pipelines other than the first only where they have rows.

    An archived stage is named where deals did stand in it: the past stays as it was.
    """
    listed = [stage for stage in facts["stage_list"] if not stage["is_archived"] or stage["stage_id"] in found]
    busy = {stage["pipeline_id"] for stage in listed if stage["stage_id"] in found}
    shown = busy or {stage["pipeline_id"] for stage in listed[:1]}
    for stage in listed:
        if stage["pipeline_id"] in shown:
            slug = stage["slug"] if len(shown) == 1 else f"{stage['pipeline_slug']}/{stage['slug']}"
            yield slug, found.get(stage["stage_id"])


def _stage_conversion(facts: Any) -> Result:
    archived = {stage["stage_id"] for stage in facts["stage_list"] if stage["is_archived"]}
    found = {
        row["stage_id"]: row for row in facts["reached"] or [] if row["entered"] or row["stage_id"] not in archived
    }
    results = []
    for slug, row in _stages(facts, found):
        share = ratio(row and row["passed"], row and row["n"], reason=_("no deal reached it"))
        pending = row["pending"] if row else 0
        results.append(
            StageResult(
                stage=slug,
                value=None if share.value is None else float(share.value),
                numerator=row["passed"] if row else 0,
                denominator=row["n"] if row else 0,
                pending=pending,
                lost=row["n"] - row["passed"] - pending if row else 0,
                low=share.low,
                high=share.high,
                n=row["n"] if row else 0,
                reason=share.reason,
            )
        )
    return Result(Unit.RATIO, stages=tuple(results), reason=None if found else _("no deal reached a stage"))


def _stage_duration(facts: Any) -> Result:
    found = {row["stage_id"]: row for row in facts["stays"] or []}
    results = []
    for slug, row in _stages(facts, found):
        if row is None:
            results.append(StageResult(stage=slug, n=0, reason=_("no stay ended")))
            continue
        p10, p25, median, p75, p90 = row["quantiles"]
        results.append(
            StageResult(stage=slug, median=median, mean=row["mean"], p10=p10, p25=p25, p75=p75, p90=p90, n=row["n"])
        )
    return Result(Unit.DAYS, stages=tuple(results), reason=None if found else _("no stay in a stage ended"))


DECLARED = (
    Kpi(
        key="stage_conversion",
        name=gettext_lazy("Stage conversion"),
        question=gettext_lazy("Where do deals get lost?"),
        formula=gettext_lazy(
            "Of the deals that first reached a stage in the period, the share that later reached any later stage or"
            " were won. Skipping a stage is passing it; moving back undoes nothing. Pending deals are open and not past"
            " it."
        ),
        unit=Unit.RATIO,
        better=Better.UP,
        dated_by="entered_at",
        facts=("reached", "stage_list"),
        dimensions=ALL,
        measure=_stage_conversion,
        rows="reached",
    ),
    Kpi(
        key="stage_duration",
        name=gettext_lazy("Time in stage"),
        question=gettext_lazy("Where do deals wait?"),
        formula=gettext_lazy(
            "Days from entering to leaving, over the stays that ended in the period: median, mean, p90."
        ),
        unit=Unit.DAYS,
        better=Better.DOWN,
        dated_by="left_at",
        facts=("stays", "stage_list"),
        dimensions=ALL,
        measure=_stage_duration,
        rows="stays",
    ),
)
