"""The metrics page at 10,000 and 100,000 deals, over HTTP and statement by statement: `bench/dashboard.py`.

Half of the deals are demo data (two years of histories, about four stays a deal, more leads than deals, three touches a
deal), half are open ones with one stay, so that tens of thousands are looked at for every point of a trend. The page is
that of a quarter; its trends are asked for by the page afterwards. The floor is a page with nothing on it. The aim is a
page under one second at 100,000 deals on two cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.serving import Visitor, medians, serving, session_for, use_database

SIZES = (10_000, 100_000)
ROUNDS = 7
OPEN_DEALS = """
WITH made AS (
    INSERT INTO pipeline_deal (
        name, pipeline_id, stage_id, rank, outcome, owner_id, amount, currency, tags, created_at, recorded_at,
        stage_entered_at, loss_note, competitor, version)
    SELECT 'Open ' || n, s.pipeline_id, s.id, 'a0', 'open', u.id, 100 + n %% 5000, 'USD', '{}', c.at, c.at, c.at,
           '', '', 1
    FROM generate_series(1, %(count)s) AS n
    JOIN (SELECT id, pipeline_id, row_number() OVER (ORDER BY id) - 1 AS place
          FROM pipeline_stage WHERE kind = 'open') AS s ON s.place = n %% 6
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS reps
          FROM crm_user WHERE role = 'rep') AS u ON u.place = n %% u.reps
    CROSS JOIN LATERAL (SELECT now() - interval '1 hour' * (n %% 8000) AS at) AS c
    RETURNING id, stage_id, created_at)
INSERT INTO pipeline_stagevisit (deal_id, stage_id, entered_at, direction, recorded_at)
SELECT id, stage_id, created_at, 'start', created_at FROM made
"""


def fill(count: int) -> None:
    """Fill the database once."""
    from django.core.management import call_command
    from django.db import connection, transaction

    from pipeline.models import Deal

    if Deal.objects.exists():
        return
    call_command("load_demo", deals=count // 2, stdout=sys.stderr)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OPEN_DEALS, {"count": count - count // 2})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(count: int) -> dict[str, float]:
    """Return the median seconds of each page, and of each part of what the page asks the database."""
    use_database(f"dashboard-{count}")
    fill(count)
    from django.utils import timezone

    from metrics.forms.filters import named_period
    from metrics.scope import Scope

    scope = Scope(named_period("last-quarter", timezone.localdate()))
    parts = medians({name: _timed(call) for name, call in _parts(scope).items()}, ROUNDS)
    address = "/metrics/?period=last-quarter"
    with serving() as port:
        visitor = Visitor(port, session_for("admin@demo.test"))

        def view(path: str, **headers: str) -> Callable[[], float]:
            def ask() -> float:
                seconds, status, body = visitor.ask(path, **headers)
                assert status == 200, (status, body[:300])
                return seconds

            return ask

        pages = {
            "empty": view("/bench/empty/"),
            "page": view(address),
            "trends": view(address, **{"HX-Request": "true", "HX-Target": "trends"}),
        }
        return {**medians(pages, ROUNDS), **parts}


def _parts(scope: Any) -> dict[str, Callable[[], object]]:
    from metrics.engine import breakdown, evaluate, evaluate_over
    from metrics.kpis import KPIS
    from metrics.views.tiles import SHOWN

    tiles = [KPIS[key] for key in SHOWN]
    return {
        "tiles, two periods": lambda: evaluate_over(tiles, scope, [scope.period, scope.period.before()]),
        "funnel": lambda: evaluate([KPIS["stage_conversion"]], scope),
        "time in stages": lambda: evaluate([KPIS["stage_duration"]], scope),
        "win rates": lambda: breakdown([KPIS["win_rate"]], scope, "owner"),
        "trends, twelve periods": lambda: evaluate_over(tiles, scope, scope.period.run_up(12)),
    }


def _timed(call: Callable[[], object]) -> Callable[[], float]:
    def ask() -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    return ask


def main() -> None:
    """Measure each size in a process of its own, and print all of it."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    found: dict[int, dict[str, float]] = {}
    for count in SIZES:
        output = subprocess.run([sys.executable, __file__, str(count)], check=True, stdout=subprocess.PIPE, text=True)
        found[count] = json.loads(output.stdout.splitlines()[-1])
    print(f"{'deals':<24}" + "".join(f"{count:>12,}" for count in SIZES))
    for name in found[SIZES[0]]:
        print(f"{name:<24}" + "".join(f"{found[count][name] * 1000:>9.0f} ms" for count in SIZES))


if __name__ == "__main__":
    main()
