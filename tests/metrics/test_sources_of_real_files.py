"""8,000 real leads and what 842 of them became: the conversion by origin against what the files themselves say."""

from __future__ import annotations

import csv
import datetime as dt
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crm.models import Lead
from metrics.engine import breakdown, evaluate
from metrics.kpis import KPIS
from metrics.scope import Period, Scope
from tests.factories.records import bring_in, counts
from tests.pipeline.test_records_real_files import SHARED

OLIST = SHARED / "olist_funnel"
LEADS, DEALS = OLIST / "olist_marketing_qualified_leads_dataset.csv", OLIST / "olist_closed_deals_dataset.csv"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "olist"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("sales"),
    pytest.mark.skipif(not OLIST.is_dir(), reason=f"{OLIST} is not here"),
]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def mapping(name: str) -> dict[str, Any]:
    return tomllib.loads((EXAMPLES / name).read_text(encoding="utf-8"))


def test_conversion_by_origin_is_that_of_the_files():
    assert counts(bring_in("leads", LEADS, mapping=mapping("leads.toml"))) == (8000, 0, 0, 0)
    assert counts(bring_in("deals", DEALS, mapping=mapping("deals.toml"), creates_owners=True)) == (842, 0, 0, 0)
    won_leads = {row["mql_id"] for row in rows_of(DEALS)}
    came, won = Counter[str](), Counter[str]()
    for row in rows_of(LEADS):
        came[row["origin"]] += 1
        won[row["origin"]] += row["mql_id"] in won_leads
    assert (sum(came.values()), sum(won.values())) == (8000, 842)

    scope = Scope(Period(dt.date(2017, 1, 1), dt.date(2019, 1, 1)), now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    kpi = KPIS["lead_conversion"]
    told = {group.key: group.results["lead_conversion"] for group in breakdown([kpi], scope, "source")}
    assert {slug: (result.numerator, result.denominator) for slug, result in told.items()} == {
        origin: (won[origin], came[origin]) for origin in came
    }
    whole = evaluate([kpi], scope)["lead_conversion"]
    assert (whole.numerator, whole.denominator, whole.pending) == (842, 8000, 8000 - 842)
    assert Lead.objects.filter(status="converted").count() == 842
