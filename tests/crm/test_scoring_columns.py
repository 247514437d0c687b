"""What columns of a strange table are taken for."""

from __future__ import annotations

import pytest

from crm.rules.scoring.columns import read_column
from crm.rules.scoring.words import words_of


def _kind(name: str, cells: list[str]) -> str:
    reading = read_column(name, cells)
    return reading.features[0].kind if reading.features else reading.left_out.split(":")[0]


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("visits", ["1", "2", "", "2", "n/a"] * 5, "number"),
        ("sum", ["1 054,50", "12,00", "3,75", "12,00"] * 5, "number"),
        ("price", ["$5.00", "$7.50", "$5.00"] * 5, "number"),
        ("source", ["web", "fair", "", "web"] * 5, "category"),
        ("flag", ["yes", "no"] * 5, "category"),
        ("came", ["2026-01-02", "2026-02-03", "2026-02-03"] * 5, "number"),
        ("came", ["31/12/2025", "01/02/2026", "01/02/2026"] * 5, "number"),
        ("mail", [f"a{number}@firm{number % 3}.example" for number in range(30)], "category"),
        ("wrote", [f"we need a dryer number {number} by spring" for number in range(30)], "words"),
        ("uuid", [f"x{number:x}" for number in range(30)], "its values never repeat"),
        ("lead number", [str(number * 3) for number in range(30)], "its numbers never repeat"),
        ("income", [f"{number * 13.7:.2f}" for number in range(30)], "number"),
        ("nothing", ["", "-", "null"], "it is empty"),
    ],
)
def test_a_column_is_read_as_what_it_holds(name: str, cells: list[str], kind: str) -> None:
    assert _kind(name, cells) == kind


def test_days_tell_their_weekday_and_times_their_hour() -> None:
    features = read_column("came", ["2026-06-01 09:30", "2026-06-06 18:00", "2026-06-06 18:00", ""]).features

    assert [feature.key for feature in features] == ["came", "came (weekday)", "came (hour)"]
    assert features[1].values == ["1", "6", "6", None]
    assert features[2].values == [9.0, 18.0, 18.0, None]


def test_words_are_folded_and_counted_once() -> None:
    assert words_of("Цена? The ЦЕНА, ещё price: ann@example.com") == ("цена", "price")
