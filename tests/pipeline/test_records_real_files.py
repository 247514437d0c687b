"""Two public data sets brought in whole, against figures computed from the files themselves."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import statistics
import sys
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest
from django.db.models import F, Sum

from crm.models import Company, User
from crm.rules.records.undoing import undo_import
from metrics.rules.records import KINDS
from pipeline.models import Deal, StageVisit
from pipeline.rules.records.stories import check_now
from tests.factories.records import bring_in, counts

SHARED = Path(__file__).parents[3] / "shared" / "data"
MAVEN = SHARED / "maven_crm" / "sales_pipeline.csv"
CHANGES = SHARED / "deal_changes"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "deal_changes.py"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales")]
needs_maven = pytest.mark.skipif(not MAVEN.is_file(), reason=f"{MAVEN} is not here")
needs_changes = pytest.mark.skipif(not CHANGES.is_dir(), reason=f"{CHANGES} is not here")

MAVEN_MAPPING = {
    "currency": "USD",
    "columns": {
        "external_id": "opportunity_id",
        "name": "product",
        "company": "account",
        "owner": "sales_agent",
        "stage": "deal_stage",
        "outcome": "deal_stage",
        "created_at": "engage_date",
        "closed_at": "close_date",
        "amount": "close_value",
    },
    "values": {
        "outcome": {"Won": "won", "Lost": "lost", "*": "open"},
        "stage": {"Prospecting": "prospecting", "Engaging": "qualification", "Won": "close", "Lost": "close"},
    },
}


@pytest.fixture
def rows() -> list[dict[str, str]]:
    with MAVEN.open(newline="") as stream:
        return list(csv.DictReader(stream))


@needs_maven
def test_maven_comes_in_whole_once_and_quickly(rows):
    started = time.perf_counter()
    outcome = bring_in("deals", MAVEN, mapping=MAVEN_MAPPING, creates_owners=True)
    took = time.perf_counter() - started
    assert counts(outcome) == (8800, 0, 0, 0)
    assert took < 60
    assert any("500 deals have no created_at" in warning for warning in outcome.warnings)
    assert Company.objects.count() == len({row["account"] for row in rows if row["account"]})
    assert User.objects.filter(is_active=False).count() == len({row["sales_agent"] for row in rows})
    before = list(Deal.objects.order_by("pk").values())
    assert counts(bring_in("deals", MAVEN, mapping=MAVEN_MAPPING)) == (0, 0, 8800, 0)
    assert list(Deal.objects.order_by("pk").values()) == before
    undone = undo_import(outcome.run, kinds=KINDS, by=None, now=dt.datetime.now(dt.UTC))
    assert (undone.kept, Deal.objects.count(), Company.objects.count()) == (0, 0, 0)


@needs_maven
def test_maven_tells_the_same_figures_as_its_file(rows):
    bring_in("deals", MAVEN, mapping=MAVEN_MAPPING, creates_owners=True)
    won = [row for row in rows if row["deal_stage"] == "Won"]
    lost = [row for row in rows if row["deal_stage"] == "Lost"]
    assert (Deal.objects.won().count(), Deal.objects.lost().count()) == (len(won), len(lost))
    assert Deal.objects.open().count() == len(rows) - len(won) - len(lost)
    assert Deal.objects.won().aggregate(sum=Sum("amount"))["sum"] == sum(Decimal(row["close_value"]) for row in won)
    days = [(dt.date.fromisoformat(row["close_date"]) - dt.date.fromisoformat(row["engage_date"])).days for row in won]
    spans = Deal.objects.won().annotate(span=F("won_at") - F("created_at")).values_list("span", flat=True)
    assert sorted(span.days for span in spans) == sorted(days)
    assert statistics.mean(days) == pytest.approx(51.78, abs=0.005)
    assert Deal.objects.filter(company=None).count() == sum(not row["account"] for row in rows)
    assert Deal.objects.filter(created_at=None).count() == sum(not row["engage_date"] for row in rows)
    stays = StageVisit.objects.values_list("deal__external_id", "stage__slug", "left_at")
    slugs = {"Prospecting": "prospecting", "Engaging": "qualification", "Won": "close", "Lost": "close"}
    assert {key: (slug, bool(left)) for key, slug, left in stays} == {
        row["opportunity_id"]: (slugs[row["deal_stage"]], bool(row["close_date"])) for row in rows
    }


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deal_changes", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["deal_changes"] = module
    spec.loader.exec_module(module)
    return module


@needs_changes
def test_a_change_log_becomes_deals_with_histories_that_tile(tmp_path):
    converter = example()
    converter.main(CHANGES, tmp_path)
    lives = {life.external_id: life for life in converter.read_lives(CHANGES)}
    assert counts(bring_in("deals", tmp_path / "deals.csv", creates_owners=True)) == (2000, 0, 0, 0)
    history = bring_in("stage-history", tmp_path / "stage-history.csv")
    check_now()
    assert (history.updated, history.failed) == (0, 0)
    stays: dict[str, list[StageVisit]] = defaultdict(list)
    for visit in StageVisit.objects.select_related("deal", "stage").order_by("deal", "entered_at", "pk"):
        stays[visit.deal.external_id].append(visit)
    assert stays.keys() == lives.keys()
    for key, life in lives.items():
        told = [(stage, at.replace(" ", "T") + "+00:00") for _key, stage, at in life.history_rows()]
        told[0] = (told[0][0], life.created_at.replace(" ", "T") + "+00:00")
        assert [(visit.stage.slug, visit.entered_at.isoformat()) for visit in stays[key]] == told
        assert [visit.left_at for visit in stays[key][:-1]] == [visit.entered_at for visit in stays[key][1:]]
        deal = stays[key][-1].deal
        assert deal.outcome == ("won" if life.won_at else "lost")
        assert stays[key][-1].left_at == deal.lost_at
    assert counts(bring_in("stage-history", tmp_path / "stage-history.csv"))[0:2] == (0, 0)
    assert counts(bring_in("deals", tmp_path / "deals.csv")) == (0, 0, 2000, 0)
