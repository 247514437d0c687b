"""`manage.py score_leads`: the evaluation of any table, what it refuses, and learning from one's own deals."""

from __future__ import annotations

import csv
import json
import os
import random
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

REAL = Path(os.environ.get("SHARED_DATA", settings.BASE_DIR.parent / "shared/data")) / "lead_scoring/Leads_dev_70.csv"
LEAKS = (
    "Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity", "Asymmetrique Activity Index",
    "Asymmetrique Profile Index", "Asymmetrique Activity Score", "Asymmetrique Profile Score",
)  # fmt: skip


def _table(path: Path, *, rows: int = 400, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    rng = random.Random(1)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(["№", "визиты", "источник", "город", "сообщение", "стадия", "куплено"])
        for number in range(rows):
            visits, source = rng.randrange(10), rng.choice(["сайт", "выставка", ""])
            wants = rng.random() < 0.5
            text = f"нужна {'цена' if wants else 'справка'} по сушилке для линии {number}"
            is_won = visits * 0.3 + (source == "выставка") + wants + rng.gauss(0, 1) > 2.2
            city = f"город {rng.randrange(200)}"
            writer.writerow([number, visits, source, city, text, "оплата" if is_won else "", "да" if is_won else "нет"])
    return path


def _evaluate(path: Path, *args: str) -> tuple[dict[str, Any], str]:
    out, err = StringIO(), StringIO()
    call_command("score_leads", "--evaluate", str(path), *args, "--json", stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue()


def test_a_table_is_evaluated_in_folds_and_repeats_itself(tmp_path: Path) -> None:
    path = _table(tmp_path / "leads.csv", encoding="cp1251", delimiter=";")

    figures, remarks = _evaluate(path, "--target", "куплено", "--drop", "стадия", "--folds", "4")

    assert list(figures) == ["rows", "folds", "auc", "brier", "features", "seconds"]
    assert (figures["rows"], figures["folds"], figures["features"]) == (400, 4, 4)
    assert 0.70 < figures["auc"] < 0.90
    assert figures["brier"] < 0.22
    assert "№: left out" in remarks
    again, _remarks = _evaluate(path, "--target", "куплено", "--drop", "стадия", "--folds", "4")
    assert again["auc"] == figures["auc"]


def test_folds_computed_side_by_side_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _table(tmp_path / "leads.csv")
    one_by_one, _remarks = _evaluate(path, "--target", "куплено", "--drop", "стадия")
    monkeypatch.setattr("crm.rules.scoring.foretelling.MANY_ROWS", 100)

    at_once, _remarks = _evaluate(path, "--target", "куплено", "--drop", "стадия")

    assert (at_once["auc"], at_once["brier"]) == (one_by_one["auc"], one_by_one["brier"])


def test_a_leaking_column_is_named(tmp_path: Path) -> None:
    figures, remarks = _evaluate(_table(tmp_path / "leads.csv"), "--target", "куплено")

    assert figures["auc"] > 0.99
    assert "Most telling alone: стадия" in remarks


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--target", "нет такой"], "no column “нет такой”"),
        (["--target", "куплено", "--drop", "нет такой"], "no column “нет такой”"),
        (["--target", "источник", "--positive", "почта"], "never stands"),
        (["--target", "город"], "--positive"),
        (["--target", "стадия"], "in every row"),
        (["--target", "куплено", "--folds", "300"], "300 folds need"),
        (["--target", "куплено", "--folds", "1"], "two folds"),
        ([], "--target"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_status_2(tmp_path: Path, args: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as refusal:
        _evaluate(_table(tmp_path / "leads.csv"), *args)

    assert refusal.value.returncode == 2


def test_a_file_that_is_no_table_is_refused_with_status_2(tmp_path: Path) -> None:
    workbook = tmp_path / "leads.csv"
    workbook.write_bytes(b"PK\x03\x04 no table")
    for path in (workbook, tmp_path / "missing.csv"):
        with pytest.raises(CommandError) as refusal:
            _evaluate(path, "--target", "куплено")
        assert refusal.value.returncode == 2


@pytest.mark.skipif(not REAL.exists(), reason="the real file is not part of the project")
def test_real_leads_are_foretold_as_well_as_they_honestly_can_be() -> None:
    figures, _remarks = _evaluate(REAL, "--target", "Converted", "--drop", *LEAKS)

    assert figures["auc"] >= 0.865
    assert figures["brier"] <= 0.143
    assert figures["auc"] < 0.90
