"""The board's first view and one move at 10,000 and 100,000 open deals, as ratios to an empty authenticated page."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SIZES = (10_000, 100_000)
ROUNDS = 60
OWNERS = 40


def fill(count: int) -> None:
    """Make `count` open deals of 40 owners in six stages, most of them with a next step."""
    from django.db import connection
    from fractional_indexing import generate_n_keys_between

    from crm.models import Company, Team, User
    from pipeline.models import Deal, Pipeline, StageTotal

    if Deal.objects.exists():
        return
    team = Team.objects.create(name="Everybody")
    User.objects.create(email="manager@bench.test", name="Mara Manager", role="manager")
    team.leaders.add(User.objects.get(email="manager@bench.test"))
    User.objects.bulk_create(
        [User(email=f"rep{number}@bench.test", name=f"Rep {number}", team=team) for number in range(OWNERS)]
    )
    Company.objects.bulk_create([Company(name=f"Company {number}") for number in range(1_000)])
    pipeline = Pipeline.objects.get(slug="sales")
    stages = list(pipeline.stages.filter(kind="open").order_by("position").values_list("pk", flat=True))
    ranks = list(generate_n_keys_between(None, None, count))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE laid (n int PRIMARY KEY, rank text)")
        cursor.execute("INSERT INTO laid SELECT * FROM unnest(%s::int[], %s::text[])", [list(range(count)), ranks])
        cursor.execute(
            """
            WITH owners AS (SELECT array_agg(id) AS ids FROM crm_user WHERE role = 'rep'),
                 companies AS (SELECT array_agg(id) AS ids FROM crm_company),
            made AS (
                INSERT INTO pipeline_deal (name, pipeline_id, stage_id, rank, outcome, owner_id, company_id, amount, currency,
                    tags, created_at, recorded_at, stage_entered_at, loss_note, competitor, version, next_step_at, last_touch_at,
                    expected_close_on)
                SELECT 'Deal ' || n, %s, (%s::bigint[])[1 + n %% %s], rank, 'open', owners.ids[1 + n %% %s],
                    companies.ids[1 + n %% 1000], 100 + n %% 9000, 'EUR', '{}', now() - interval '9 days', now(),
                    now() - interval '9 days', '', '', 1,
                    CASE WHEN n %% 10 < 8 THEN now() + make_interval(hours => (n %% 400) - 20) END,
                    now() - make_interval(days => n %% 12),
                    CASE WHEN n %% 7 > 0 THEN current_date - 30 + (n * 13) %% 300 END
                FROM laid, owners, companies
                RETURNING id, stage_id, created_at
            )
            INSERT INTO pipeline_stagevisit (deal_id, stage_id, entered_at, direction, recorded_at)
            SELECT id, stage_id, created_at, 'start', now() FROM made
            """,
            [pipeline.pk, stages, len(stages), OWNERS],
        )
        cursor.execute("ANALYZE")
    StageTotal.objects.compact()


def measure(count: int) -> dict[str, float]:
    """Return the median seconds of each request at `count` open deals."""
    from bench.serving import Visitor, medians, serving, session_for, use_database

    use_database(f"board-{count}")
    fill(count)
    from pipeline.models import Deal, Stage

    ids = iter(Deal.objects.filter(stage__slug="meeting", version=1).values_list("pk", flat=True)[: ROUNDS + 5])
    to = Stage.objects.get(slug="proposal").pk
    with serving() as port:
        visitor = Visitor(port, session_for("manager@bench.test"))

        def view(path: str) -> Any:
            def ask() -> float:
                seconds, status, _body = visitor.ask(path)
                assert status == 200, (path, status)
                return seconds

            return ask

        def move() -> float:
            pk = next(ids)
            fields = f"to={to}&version=1&key={uuid.uuid4()}"
            seconds, status, body = visitor.ask(
                f"/deals/{pk}/move/", fields, **{"X-Board": "drag", "HX-Request": "true"}
            )
            assert status == 200, (status, body[:300])
            return seconds

        return medians(
            {
                "bare": view("/bench/bare/"),
                "empty": view("/bench/empty/"),
                "board": view("/board/sales/"),
                "by owner": view("/board/sales/?by=owner"),
                "by month": view("/board/sales/?by=month"),
                "move": move,
            },
            ROUNDS,
        )


def main() -> None:
    """Measure each size in a process of its own, and print the ratios."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    found = {}
    for count in SIZES:
        output = subprocess.run([sys.executable, __file__, str(count)], check=True, capture_output=True, text=True)
        found[count] = json.loads(output.stdout.splitlines()[-1])
    shown = ("board", "by owner", "by month", "move")
    heads = "".join(f" {name:>9} {'÷ empty':>9}" for name in shown)
    print(f"{'open deals':>12} {'bare':>9} {'empty':>9}{heads}")
    for count, times in found.items():
        cells = [f"{times[name] * 1000:7.1f}ms" for name in ("bare", "empty")]
        cells += [f"{times[name] * 1000:7.1f}ms {times[name] / times['empty']:9.2f}" for name in shown]
        print(f"{count:>12,} {' '.join(cells)}")
    small, large = (found[count] for count in SIZES)
    for name in shown:
        growth = (large[name] / large["empty"]) / (small[name] / small["empty"])
        print(f"{name}: {growth:.2f} times at ten times the deals")


if __name__ == "__main__":
    main()
