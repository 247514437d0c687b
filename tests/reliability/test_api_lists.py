"""A page of the API asks for the same however long the list: keyset pages, no counting.

API_LIST_DEALS=100000 is the full size; the suite runs a small one. What PostgreSQL reads for a page is counted, not
timed: how long that takes says more about the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import User
from pipeline.models import Deal, Stage, StageVisit
from tests.api import Program, token_of
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db

MANY = int(os.environ.get("API_LIST_DEALS", "3000"))
A_FEW_PAGES = 500
"""Rows: far more than a page holds, far fewer than the list."""


def grow_to(count: int, deal: Deal) -> None:
    """Copy the deal until there are `count`."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no triggers: only the list is measured
        columns = [field.column for field in Deal._meta.local_concrete_fields if field.column not in {"id", "search"}]
        columns = [name for name in columns if name not in {"recorded_at", "external_id"} and "key" not in name]
        names = ", ".join(columns)
        cursor.execute(
            f"INSERT INTO pipeline_deal (recorded_at, {names}) SELECT recorded_at - n * interval '1 minute', {names}"
            " FROM pipeline_deal, generate_series(1, %s) n WHERE id = %s",
            [count - Deal.objects.count(), deal.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE pipeline_deal")


def queries_of(program: Program, path: str) -> list[str]:
    """Return what the database is asked for a page."""
    with CaptureQueriesContext(connection) as asked:
        program.get(path)
    return [query["sql"] for query in asked]


def rows_read(program: Program, path: str) -> int:
    """Return how many rows PostgreSQL reads for a page's deals, those it throws away included."""
    queries = [sql for sql in queries_of(program, path) if 'FROM "pipeline_deal"' in sql and "LIMIT" in sql]
    assert queries
    read = 0
    for sql in queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.replace("%", "%%"))
            found = cursor.fetchone()[0]
        plan = json.loads(found) if isinstance(found, str) else found
        read += sum(_read_by(node) for node in _nodes(plan[0]["Plan"]))
    return read


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def _read_by(node: dict[str, Any]) -> int:
    if node.get("Relation Name") != "pipeline_deal":
        return 0
    return int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


def deep_page(program: Program, pages: int) -> str:
    """Return the address of a page far down."""
    path = "/deals?limit=200"
    for _ in range(pages):
        path = program.get(path)["next"].removeprefix("/api/v1")
    return path.replace("limit=200", "limit=50")


def test_page_costs_the_same_however_long_the_list(rep: User, stages: dict[str, Stage], settings: object) -> None:
    settings.API_REQUESTS_PER_MINUTE = 10**6  # type: ignore[attr-defined]
    deal = DealFactory(owner=rep, stage=stages["meeting"])
    program = Program(token_of(rep))
    grow_to(MANY, deal)

    first, deep = rows_read(program, "/deals"), rows_read(program, deep_page(program, min(MANY // 250, 50)))

    print(f"of {MANY} deals {first} are read for the first page, {deep} for one far down")
    assert StageVisit.objects.count() < MANY  # the copies have no stays: only the list is asked
    assert not any("COUNT(" in sql.upper() for sql in queries_of(program, "/deals"))
    assert first < A_FEW_PAGES
    assert deep < A_FEW_PAGES
