"""`manage.py kpis`: the JSON that other programs rely on, and what it says to what it does not understand."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from metrics.kpis import KPIS
from metrics.management.commands.document_kpis import PAGE, page
from metrics.models import Spend
from tests.factories import CompanyFactory, LeadSourceFactory
from tests.metrics.lives import at, lose, win

pytestmark = pytest.mark.django_db

JUNE = ("--from", "2026-06-01", "--to", "2026-07-01")


def kpis(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("kpis", *JUNE, "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_the_shape_of_the_answer(rep):
    win(at(6, 10), "2360.91", owner=rep, created_at=at(6, 1))
    lose(at(6, 10), 10, owner=rep)
    answer = kpis()
    assert answer["period"] == {"from": "2026-06-01", "to": "2026-07-01", "timezone": "UTC", "currency": "EUR"}
    assert list(answer["kpis"]) == list(KPIS)
    assert answer["kpis"]["won_value"] == {"value": "2360.91", "unit": "money", "n": 1}
    assert answer["kpis"]["average_deal_size"] == {
        "value": "2360.91", "unit": "money", "median": "2360.91", "p90": "2360.91", "n": 1,
    }  # fmt: skip
    assert answer["kpis"]["sales_cycle"] == {"value": 9.0, "unit": "days", "median": 9.0, "p90": 9.0, "n": 1}
    assert answer["kpis"]["cac"] == {
        "value": None, "unit": "money", "reason": "no spend recorded in the period", "n": 0,
    }  # fmt: skip
    assert {"value", "unit", "numerator", "denominator", "low", "high", "n"} == set(answer["kpis"]["win_rate"])
    funnel = answer["kpis"]["stage_conversion"]
    assert funnel["unit"] == "ratio"
    assert funnel["stages"][0]["stage"] == "prospecting"


def test_a_null_always_has_a_reason():
    for key, result in kpis()["kpis"].items():
        for part in result.get("stages", [result]):
            if part.get("value", part.get("median")) is None:
                assert part["reason"], key


def test_filters_by_the_names_people_use(rep, north, sales):
    source = LeadSourceFactory(name="Fair", name_ru="Выставка", slug="fair")
    win(at(6, 10), owner=rep, source=source)
    win(at(6, 10))
    for arguments in (
        ("--owner", "RITA@example.test"), ("--team", "north"), ("--source", "fair"), ("--source", "Fair"),
        ("--source", "выставка"),
    ):  # fmt: skip
        assert kpis(*arguments)["kpis"]["won_deals"]["value"] == 1, arguments
    assert kpis("--pipeline", "sales")["kpis"]["won_deals"]["value"] == 2
    assert kpis("--pipeline", "sales")["kpis"]["new_leads"]["reason"].startswith("not available by pipeline")


def test_groups(rep, colleague):
    for owner in (rep, rep, colleague):
        win(at(6, 10), owner=owner)
    groups = kpis("--by", "owner")["groups"]
    assert [(group["key"], group["label"], group["kpis"]["won_deals"]["value"]) for group in groups] == [
        ("carl@example.test", "Carl Colleague", 1), ("rita@example.test", "Rita Rep", 2),
    ]  # fmt: skip
    assert [group["key"] for group in kpis("--by", "month")["groups"]] == ["2026-06"]


def test_as_somebody_one_sees_what_they_see(rep, outsider):
    win(at(6, 10), owner=rep, company=CompanyFactory())
    Spend.objects.create(on=dt.date(2026, 6, 1), amount=10)
    assert kpis("--as", outsider.email)["kpis"]["won_deals"]["value"] == 0
    assert kpis("--as", outsider.email)["kpis"]["cac"]["value"] is None
    assert kpis()["kpis"]["cac"]["value"] == "10.00"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--pipeline", "nope"), "No pipeline 'nope'. There is: sales."),
        (("--owner", "nobody@example.test"), "No owner 'nobody@example.test'."),
        (("--team", "nope"), "No team 'nope'. There is: none yet."),
        (("--source", "nope"), "No source 'nope'."),
        (("--as", "nobody@example.test"), "No user 'nobody@example.test'."),
        (("--to", "2026-06-01"), "--to must be after --from"),
        (("--from", "1 June"), "'1 June' is not a day; write it as YYYY-MM-DD."),
        (("--from", "2026-02-30"), "'2026-02-30' is not a day"),
        (("--by", "weather"), "invalid choice: 'weather'"),
    ],
)
def test_what_it_does_not_understand_it_says(sales, arguments, message):
    with pytest.raises(CommandError) as refused:
        kpis(*arguments)
    assert message in str(refused.value)


def test_for_people_it_prints_lines(rep, capsys):
    win(at(6, 10), 50, owner=rep)
    out = io.StringIO()
    call_command("kpis", *JUNE, "--by", "owner", stdout=out)
    text = out.getvalue()
    assert "Won deals" in text
    assert "— (no spend recorded in the period)" in text
    assert "Rita Rep" in text


def test_the_page_of_definitions_is_as_the_code_counts():
    assert PAGE.read_text(encoding="utf-8") == page(), "run manage.py document_kpis"
