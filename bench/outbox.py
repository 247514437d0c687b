"""10,000 reminders due at the same moment: how late they leave with two workers, beside the bare cost of a mail."""

from __future__ import annotations

import datetime as dt
import json
import smtplib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

REMINDERS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PEOPLE = 100
FLOOR = 300
SINK = Path(__file__).resolve().parent.parent / "tests" / "reliability" / "smtp_sink.py"
WORKER = "import django; django.setup(); from crm import jobs; from crm.rules.delivering import deliver_due; print(dict(deliver_due(seconds=600)))"


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
    import os

    from django.db import connection

    with tempfile.NamedTemporaryFile() as ledger:
        sink = subprocess.Popen([sys.executable, str(SINK), ledger.name], stdout=subprocess.PIPE, text=True)
        assert sink.stdout
        port = int(sink.stdout.readline())
        bare = floor(port)
        due_at = dt.datetime.now(dt.UTC).replace(microsecond=0)
        fill(due_at)
        environment = {
            **os.environ,
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "VORONKA_ENV": "test",
            "DATABASE_URL": _url(),
        }
        began = time.perf_counter()
        workers = [subprocess.Popen([sys.executable, "-c", WORKER], env=environment) for _number in range(2)]
        for worker in workers:
            worker.wait()
        seconds = time.perf_counter() - began
        sink.kill()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM crm_outboxrow WHERE state = 'sent'")
            (sent,) = cursor.fetchone()
    print(
        json.dumps(
            {
                "reminders": REMINDERS,
                "sent": sent,
                "seconds": round(seconds, 1),
                "a_second": round(sent / seconds),
                "floor_ms": round(bare * 1000, 2),
                "ratio": round(seconds / sent / bare, 1),
            }
        )
    )


def _url() -> str:
    from django.db import connection

    found = connection.settings_dict
    return f"postgresql://{found['USER']}@/{found['HOST']}/{found['NAME']}"


if __name__ == "__main__":
    main()
