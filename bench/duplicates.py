"""Who may be there already: one question asked closely, at 20,000 and 200,000 leads of people with everyday names."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SIZES = (20_000, 200_000)
ENDINGS = ("", "son", "ova", "berg", "ski", "mann", "ez", "ini", "enko", "sen", "ley", "ton")
"""With them there are some 1,500 surnames, as in a country."""
ASKED = {
    "nobody, by everything": {"name": "Zygmunt Obcowiecki", "email": "z@nowhere.test", "phone": "+48 22 555 01 01"},
    "somebody, by e-mail": {"name": "", "email": "person777@example.test"},
    "a full name": {"name": "Katharina Weber"},
    "mistyped": {"name": "Kathrina Lindbergg"},
    "in Cyrillic": {"name": "Анна Петрова"},
    "a first name": {"name": "Anna"},
    "short": {"name": "Li Wu"},
    "name and company": {"name": "Tom Beckerson", "company": "Company 77"},
}


def fill(count: int) -> None:
    """Make `count` leads with made-up people's names and addresses, forty to a company."""
    from django.db import connection

    from crm.models import Lead
    from metrics.demo import vocabulary as words

    if Lead.objects.exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO crm_lead (name, company_name, email, phone, created_at, answer_by, status, message, version)
            SELECT first[1 + n * 7919 %% cardinality(first)] || ' ' || last[1 + n * 104729 %% cardinality(last)]
                || ending[1 + n / 7 %% cardinality(ending)],
                'Company ' || n %% greatest(%(count)s / 40, 1), 'person' || n || '@example.test',
                '+49 30 ' || 1000000 + n, now() - n * interval '1 minute', now(), 'working', '', 1
            FROM generate_series(0::bigint, %(count)s - 1) n, (SELECT %(first)s, %(last)s, %(ending)s) words (first, last, ending)
            """,
            {
                "count": count,
                "first": words.FIRST_LATIN,
                "last": words.LAST_LATIN + words.LAST_CYRILLIC,
                "ending": list(ENDINGS),
            },
        )
        cursor.execute("VACUUM ANALYZE crm_lead")


def measure(count: int) -> dict[str, tuple[float, int]]:
    """Return for each question the median of its milliseconds, and how many were suspected."""
    from bench.serving import use_database

    use_database(f"duplicates-{count}")
    from crm.rules.duplicates import suspects

    fill(count)
    found = {}
    for name, facts in ASKED.items():
        times = []
        for _round in range(9):
            began = time.perf_counter()
            answer = suspects("lead", seen_by=None, **facts)
            times.append((time.perf_counter() - began) * 1000)
        found[name] = (statistics.median(times), len(answer))
    return found


def main() -> None:
    """Measure each size in a process of its own."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    for count in SIZES:
        output = subprocess.run([sys.executable, __file__, str(count)], check=True, capture_output=True, text=True)
        for name, (milliseconds, suspected) in json.loads(output.stdout.splitlines()[-1]).items():
            print(f"{count:>8,} {name:<24} {milliseconds:8.1f} ms {suspected:4} suspected")


if __name__ == "__main__":
    main()
