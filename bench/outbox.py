"""10,000 reminders due at the same moment: how late they leave, by Celery as it runs, beside the bare cost of a mail.

They fall due between two sweeps; a beat and a worker with four processes run since before. The processor seconds are of
everything that took part: the worker, PostgreSQL and the mail server, which with the worker share this machine.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

REMINDERS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PEOPLE = 100
FLOOR = 300
ROOT = Path(__file__).resolve().parent.parent
SINK = ROOT / "tests" / "reliability" / "smtp_sink.py"
AHEAD = 60
"""Seconds until they fall due: enough to write them and to start everything."""
GIVE_UP = 240


def fill(due_at: dt.datetime) -> None:
    """Plan the reminders of a hundred people, all due at `due_at`."""
    from django.contrib.contenttypes.models import ContentType

    from crm.models import FollowUp, Lead, Notification, OutboxAttempt, OutboxRow, Reminder, User
    from crm.rules import outbox
    from crm.rules.reminders import REMINDER, key_of

    for model in (OutboxAttempt, OutboxRow, Notification, Reminder, FollowUp, Lead):
        model.objects.all().delete()
    User.objects.filter(email__endswith="@outbox.test").delete()
    people = User.objects.bulk_create(User(email=f"rep{n}@outbox.test", name=f"Rep {n}") for n in range(PEOPLE))
    leads = Lead.objects.bulk_create(Lead(name=f"Lead {n}", owner=person) for n, person in enumerate(people))
    kind = ContentType.objects.get_for_model(Lead)
    planned = FollowUp.objects.bulk_create(
        FollowUp(
            title=f"Call {n}", subject_type=kind, subject_id=leads[n % PEOPLE].pk, assignee=people[n % PEOPLE],
            due_at=due_at, due_local=due_at, time_zone="UTC",
        )
        for n in range(REMINDERS)
    )  # fmt: skip
    reminders = Reminder.objects.bulk_create(
        Reminder(follow_up=each, fires_local=due_at, fires_at=due_at) for each in planned
    )
    outbox.queue(
        outbox.Intent(REMINDER, key_of(each), each.follow_up.assignee_id, due_at=due_at, payload={"reminder": each.pk})
        for each in reminders
    )


def floor(port: int) -> float:
    """Return the seconds of handing over one small mail on an open connection, without anything of ours."""
    with smtplib.SMTP("127.0.0.1", port) as server:
        began = time.perf_counter()
        for number in range(FLOOR):
            text = f"Message-ID: <{number}@floor>\r\nSubject: x\r\n\r\nx\r\n"
            server.sendmail("a@floor.test", [f"b{number}@floor.test"], text)
    return (time.perf_counter() - began) / FLOOR


def main() -> None:
    """Print how late the reminders left."""
    from bench.serving import use_database

    use_database("outbox")
    from django.db import connection

    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        command = [sys.executable, str(SINK), f"{folder}/ledger"]
        sink = stack.enter_context(_running(command, stdout=subprocess.PIPE, text=True))
        assert sink.stdout
        port = int(sink.stdout.readline())
        bare = floor(port)
        due_at = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=AHEAD)
        fill(due_at)
        environment = {**os.environ, "EMAIL_URL": f"smtp://127.0.0.1:{port}", "VORONKA_ENV": "test", **_servers()}
        celery = [sys.executable, "-m", "celery", "--app", "config", "--quiet"]
        worker = [*celery, "worker", "--concurrency", "4", "--loglevel", "warning"]
        beat = [*celery, "beat", "--loglevel", "warning", "--schedule", f"{folder}/beat", "--pidfile", ""]
        for each in (worker, beat):
            stack.enter_context(_running(each, env=environment, cwd=ROOT))
        time.sleep(max(0.0, (due_at - dt.datetime.now(dt.UTC)).total_seconds() - 1))
        before = _processor_seconds()
        deadline = time.monotonic() + GIVE_UP
        while time.monotonic() < deadline and _lateness()[0] < REMINDERS:
            time.sleep(1)
        processor = _processor_seconds() - before
        sent, first, median, p99, last = _lateness()
        connection.close()
    figures = {
        "reminders": REMINDERS,
        "sent": sent,
        "a_second": round(sent / last),
        "late_s": {"first": round(first, 1), "median": round(median, 1), "p99": round(p99, 1), "last": round(last, 1)},
        "processor_ms_each": round(1000 * processor / sent, 2),
        "floor_ms": round(bare * 1000, 2),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(figures))


@contextlib.contextmanager
def _running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _lateness() -> tuple[int, float, float, float, float]:
    """How many left, and how many seconds late: the first, the median, the 99th in a hundred, the last."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), min(late), percentile_cont(0.5) WITHIN GROUP (ORDER BY late), "
            "percentile_cont(0.99) WITHIN GROUP (ORDER BY late), max(late) "
            "FROM (SELECT extract(epoch FROM finished_at - due_at)::float AS late "
            "FROM crm_outboxrow WHERE state = 'sent') AS rows"
        )
        count, *late = cursor.fetchone()
    return count, *(figure or 0.0 for figure in late)


def _processor_seconds() -> float:
    """What this process's descendants and the embedded servers, which are not, have used so far."""
    from django.conf import settings

    mine, used = {os.getpid()}, 0.0
    ours = str(settings.VAR_DIR)
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda each: int(each.name)):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            is_server = str((folder / "cwd").readlink()).startswith(ours)
        except OSError:
            continue
        if int(fields[1]) in mine or is_server:
            mine.add(int(folder.name))
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def _servers() -> dict[str, str]:
    """The database and the broker, by the addresses that others reach them by."""
    from django.conf import settings
    from django.db import connection

    from config import embedded

    embedded.valkey().ensure()
    found = connection.settings_dict
    database = f"postgresql://{found['USER']}@/{found['HOST']}/{found['NAME']}"
    return {"DATABASE_URL": database, "REDIS_URL": settings.REDIS_URL}


if __name__ == "__main__":
    main()
