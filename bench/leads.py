"""The lead inbox and list, first page, at 20,000 and 200,000 leads, as ratios to an empty authenticated page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SIZES = (20_000, 200_000)
ROUNDS = 60
OWNERS = 40
REASONS = [
    {"feature": "start", "value": "", "points": 30},
    {"feature": "source", "value": "known", "points": 12},
    {"feature": "message_length", "value": "0", "points": -8},
    {"feature": "phone", "value": "yes", "points": 5},
]
"""Why a lead has its score: two of them stand in each row."""
PAGES = {
    "inbox": ("manager@bench.test", "/leads/"),
    "list": ("manager@bench.test", "/leads/?view=all"),
    "rep's inbox": ("rep0@bench.test", "/leads/"),
}


def fill(count: int) -> None:
    """Make `count` leads of 40 reps over two years: 30% are still worked, 1% waits, 70% have answers."""
    from django.db import connection

    from crm.models import Campaign, Lead, LeadSource, Team, User

    if Lead.objects.exists():
        return
    team = Team.objects.create(name="Everybody")
    User.objects.create(email="manager@bench.test", name="Mara Manager", role="manager")
    team.leaders.add(User.objects.get(email="manager@bench.test"))
    User.objects.bulk_create(
        [User(email=f"rep{number}@bench.test", name=f"Rep {number}", team=team) for number in range(OWNERS)]
    )
    sources = [LeadSource.objects.create(name=f"Source {number}", slug=f"bench-{number}") for number in range(8)]
    for number, source in enumerate(sources):
        Campaign.objects.create(name=f"Campaign {number}", source=source)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH owners AS (SELECT array_agg(id) AS ids FROM crm_user WHERE role = 'rep'),
                 sources AS (SELECT array_agg(id) AS ids FROM crm_leadsource)
            INSERT INTO crm_lead (name, company_name, email, phone, message, source_id, owner_id, team_id, status,
                created_at, answer_by, escalated_at, first_response_at, qualified_at, converted_at, disqualified_at,
                nurture_until, score, score_reasons, version)
            SELECT 'Lead ' || n, 'Company ' || n %% 5000, 'person' || n || '@example.test', '+49 30 ' || 100000 + n,
                CASE WHEN n %% 3 = 0 THEN 'We want to double what we dry and ask for a quote by October.' ELSE '' END,
                sources.ids[1 + n %% 8], CASE WHEN kind > 0 OR n %% 400 > 0 THEN owners.ids[1 + n %% %(owners)s] END,
                %(team)s,
                CASE WHEN kind = 0 THEN 'new' WHEN kind < 15 THEN 'working' WHEN kind < 22 THEN 'qualified'
                     WHEN kind < 30 THEN 'nurturing' WHEN kind < 70 THEN 'disqualified' ELSE 'converted' END,
                came, came + interval '1 hour', came, CASE WHEN kind > 0 THEN came + interval '40 minutes' END,
                CASE WHEN kind BETWEEN 15 AND 21 OR kind >= 70 THEN came + interval '2 days' END,
                CASE WHEN kind >= 70 THEN came + interval '3 days' END,
                CASE WHEN kind BETWEEN 30 AND 69 THEN came + interval '1 day' END,
                CASE WHEN kind BETWEEN 22 AND 29 THEN current_date + n %% 90 END, n %% 100, %(reasons)s, 1
            FROM (
                SELECT n, (n / %(owners)s) %% 100 AS kind, now() - n * interval '2 years' / %(count)s AS came
                FROM generate_series(0, %(count)s - 1) n
            ) laid, owners, sources
            """,
            {"owners": OWNERS, "team": team.pk, "count": count, "reasons": json.dumps(REASONS)},
        )
        # What was found out about those who were spoken with: 71% of the leads, of a checklist of five.
        cursor.execute(
            """
            INSERT INTO crm_qualifyinganswer (lead_id, question_id, answer, note, answered_at)
            SELECT lead.id, question.id, CASE WHEN lead.id % 3 > 0 THEN 'yes' ELSE 'no' END, '', lead.created_at
            FROM crm_lead lead CROSS JOIN crm_qualifyingquestion question
            WHERE lead.status NOT IN ('new', 'nurturing') AND (lead.id + question.id) % 10 < 7
            """
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(count: int) -> dict[str, float]:
    """Return the median seconds of each page at `count` leads."""
    from bench.serving import Visitor, medians, serving, session_for, use_database

    use_database(f"leads-{count}")
    fill(count)
    with serving() as port:
        visitors = {email: Visitor(port, session_for(email)) for email in {email for email, _path in PAGES.values()}}

        def view(email: str, path: str) -> Any:
            def ask() -> float:
                seconds, status, _body = visitors[email].ask(path)
                assert status == 200, (path, status)
                return seconds

            return ask

        manager = "manager@bench.test"
        floors = {"bare": view(manager, "/bench/bare/"), "empty": view(manager, "/bench/empty/")}
        return medians(floors | {name: view(*page) for name, page in PAGES.items()}, ROUNDS)


def main() -> None:
    """Measure each size in a process of its own, and print the ratios."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    found = {}
    for count in SIZES:
        output = subprocess.run([sys.executable, __file__, str(count)], check=True, capture_output=True, text=True)
        found[count] = json.loads(output.stdout.splitlines()[-1])
    print(f"{'leads':>10} {'bare':>9} {'empty':>9} " + " ".join(f"{name:>12} {'÷ empty':>8}" for name in PAGES))
    for count, times in found.items():
        floors = " ".join(f"{times[name] * 1000:7.1f}ms" for name in ("bare", "empty"))
        cells = [f"{times[name] * 1000:10.1f}ms {times[name] / times['empty']:8.2f}" for name in PAGES]
        print(f"{count:>10,} {floors} {' '.join(cells)}")
    small, large = (found[count] for count in SIZES)
    for name in PAGES:
        growth = (large[name] / large["empty"]) / (small[name] / small["empty"])
        print(f"{name}: {growth:.2f} times at ten times the leads")


if __name__ == "__main__":
    main()
