"""The figures of 8,800 real deals against what the file itself says."""

from __future__ import annotations

import csv
import datetime as dt
import statistics
from collections import defaultdict
from decimal import Decimal

import pytest

from metrics.engine import Results, breakdown, evaluate
from metrics.kpis import KPIS
from metrics.scope import Period, Scope
from tests.factories.records import bring_in
from tests.pipeline.test_records_real_files import MAVEN, MAVEN_MAPPING, needs_maven

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales"), needs_maven]

Rows = list[dict[str, str]]


def as_the_file_says(rows: Rows, start: str, end: str) -> dict[str, object]:
    """Count with Python alone; days of ISO dates compare as texts."""
    closed = [row for row in rows if start <= row["close_date"] < end]
    won = [row for row in closed if row["deal_stage"] == "Won"]
    amounts = [Decimal(row["close_value"]) for row in won]
    day = dt.date.fromisoformat
    cycles = sorted((day(row["close_date"]) - day(row["engage_date"])).days for row in won)
    place = 0.9 * (len(cycles) - 1)
    below = int(place)
    above = min(below + 1, len(cycles) - 1)
    return {
        "won": len(won),
        "lost": len(closed) - len(won),
        "value": sum(amounts),
        "average": (sum(amounts) / len(won)).quantize(Decimal("0.01")),
        "median": statistics.median(amounts),
        "cycle": round(statistics.fmean(cycles), 6),
        "median_cycle": statistics.median(cycles),
        "p90_cycle": round(cycles[below] + (place - below) * (cycles[above] - cycles[below]), 6),
    }


def as_the_engine_says(results: Results) -> dict[str, object]:
    size, cycle = results["average_deal_size"], results["sales_cycle"]
    return {
        "won": results["won_deals"].value,
        "lost": results["lost_deals"].value,
        "value": results["won_value"].value,
        "average": size.value,
        "median": size.median,
        "cycle": round(float(cycle.value or 0), 6),
        "median_cycle": cycle.median,
        "p90_cycle": round(float(cycle.p90 or 0), 6),
    }


def test_the_figures_are_those_of_the_file(settings):
    settings.BASE_CURRENCY = "USD"
    bring_in("deals", MAVEN, mapping=MAVEN_MAPPING, creates_owners=True)
    with MAVEN.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    kpis = list(KPIS.values())
    for start, end in (("2017-01-01", "2018-01-01"), ("2017-04-01", "2017-07-01"), ("2017-11-05", "2017-11-06")):
        scope = Scope(Period(dt.date.fromisoformat(start), dt.date.fromisoformat(end)))
        assert as_the_engine_says(evaluate(kpis, scope)) == as_the_file_says(rows, start, end)

    year = Scope(Period(dt.date(2017, 1, 1), dt.date(2018, 1, 1)))
    rate = evaluate(kpis, year)["win_rate"].as_json()
    assert (rate["value"], rate["low"], rate["high"]) == (0.6315, 0.6199, 0.643)

    by_agent: dict[str, Rows] = defaultdict(list)
    for row in rows:
        by_agent[row["sales_agent"]].append(row)
    groups = breakdown(kpis, year, "owner")
    assert len(groups) == len(by_agent)
    for group in groups:
        assert as_the_engine_says(group.results) == as_the_file_says(by_agent[group.label], "2017-01-01", "2018-01-01")
