"""Figures over the API are those of the command."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from crm.models import ApiToken, User
from pipeline.models import Stage
from tests.api import Program, token_of
from tests.factories import DealFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db

YEAR = "from=2026-01-01&to=2027-01-01"


def by_command(*options: str) -> object:
    out = io.StringIO()
    call_command("kpis", "--from", "2026-01-01", "--to", "2027-01-01", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def program(admin: User) -> Program:
    return Program(token_of(admin, ApiToken.Scope.READ))


def test_objects_are_those_of_the_command(
    program: Program, admin: User, rep: User, outsider: User, stages: dict[str, Stage]
) -> None:
    source = LeadSourceFactory(slug="fair")
    for owner in (rep, rep, outsider):
        DealFactory(owner=owner, stage=stages["meeting"], amount=100, source=source)
    assert program.get(f"/kpis?{YEAR}") == by_command()
    for option, value in (("owner", rep.email), ("team", "north"), ("source", "FAIR"), ("pipeline", "sales")):
        assert program.get(f"/kpis?{YEAR}&{option}={value}") == by_command(f"--{option}", value)
    for by in ("owner", "month"):
        assert program.get(f"/kpis?{YEAR}&by={by}") == by_command("--by", by)
    own = Program(token_of(rep)).get(f"/kpis?{YEAR}")
    assert own == by_command("--as", rep.email)
    assert own["kpis"]["open_deals"]["value"] == 2


def test_some_kpis_can_be_chosen(program: Program) -> None:
    assert list(program.get(f"/kpis?{YEAR}&kpi=win_rate,open_deals")["kpis"]) == ["win_rate", "open_deals"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-01-01", "to"),
        ("from=2026-01-01&to=soon", "to"),
        ("from=2026-01-01&to=2026-01-01", "to"),
        ("from=1500-01-01&to=2026-01-01", "to"),
        (f"{YEAR}&by=mood", "by"),
        (f"{YEAR}&kpi=mood", "kpi"),
        (f"{YEAR}&owner=nobody@example.test", "owner"),
        (f"{YEAR}&as=rita@example.test", "as"),
    ],
)
def test_wrong_question_is_refused(program: Program, query: str, field: str) -> None:
    assert program.get(f"/kpis?{query}", 422)["field"] == field


def test_people_and_teams_out_of_sight_are_unknown(rep: User, outsider: User) -> None:
    program = Program(token_of(rep))
    refusal = program.get(f"/kpis?{YEAR}&owner={outsider.email}", 422)

    assert outsider.email not in refusal["message"].split("There is:")[1]
    program.get(f"/kpis?{YEAR}&team=South", 422)
