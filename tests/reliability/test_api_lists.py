"""A page of the API costs the same however long the list: keyset pages, no counting.

API_LIST_DEALS=100000 is the full size; the suite runs a small one.
"""

from __future__ import annotations

import os
import statistics
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import User
from pipeline.models import Deal, Stage, StageVisit
from tests.api import Program, token_of
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db

FEW, MANY = 300, int(os.environ.get("API_LIST_DEALS", "3000"))
ROUNDS = 15


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


def milliseconds(program: Program, path: str) -> float:
    """Return the median time of a page."""
    program.get(path)
    spent = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        program.get(path)
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent) * 1000


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
    grow_to(FEW, deal)
    few = milliseconds(program, "/deals")
    grow_to(MANY, deal)
    many, deep = milliseconds(program, "/deals"), milliseconds(program, deep_page(program, min(MANY // 250, 50)))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        program.get("/deals")

    print(f"first page of {FEW}: {few:.1f} ms; of {MANY}: {many:.1f} ms; far down: {deep:.1f} ms")
    assert StageVisit.objects.count() < MANY  # the copies have no stays: only the list is asked
    assert not any("COUNT(" in query["sql"].upper() for query in asked)
    assert many < few * 2 + 20
    assert deep < few * 2 + 20
