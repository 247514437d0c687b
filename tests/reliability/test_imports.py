"""An import whose workers are killed in the middle: every good row lands once, every bad one is reported."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from crm.models import ImportRun, Lead, User
from crm.rules.importing.answers import Answers
from crm.rules.importing.carrying import carry_on
from crm.rules.importing.deciding import answer_questions, start_import
from crm.rules.importing.uploading import store_upload
from tests.factories import UserFactory
from tests.reliability.conftest import Crew, Process, wait_until

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

# Small enough for every change; the promise by hand: RELIABILITY_IMPORT_ROWS=100000 RELIABILITY_IMPORT_KILLS=5.
ROWS = int(os.environ.get("RELIABILITY_IMPORT_ROWS", "5000"))
KILLS = int(os.environ.get("RELIABILITY_IMPORT_KILLS", "3"))
ONE_BAD_IN = 20
MOST_RESIDENT_KB = 450_000
"""Of one worker process, its code included, however many rows the file has."""


def is_bad(number: int) -> bool:
    return number % ONE_BAD_IN == 7


def pieces() -> Iterator[bytes]:
    yield b"Name,E-mail,Phone,Company,Lead source,Created\n"
    for number in range(ROWS):
        address = f"no address {number}" if is_bad(number) else f"lead{number}@example.test"
        phone = f"+3712{number:07}"
        yield f"Lead {number},{address},{phone},Company {number % 997},Fair,2024-05-{number % 28 + 1:02}\n".encode()


def chunks() -> Iterator[bytes]:
    """The file in the pieces in which an upload comes."""
    held = b""
    for piece in pieces():
        held += piece
        if len(held) > 1 << 20:
            yield held
            held = b""
    yield held


def ready_to_import(person: User) -> ImportRun:
    """An import that was read, answered and checked, and may begin."""
    assert not Lead.objects.exists(), "leads that another run left behind would be taken for these"
    now = timezone.now()
    run = store_upload(name="leads.csv", pieces=chunks(), kind="leads", by=person, now=now)
    began = time.monotonic()
    carry_on(run.pk, seconds=60)
    run.refresh_from_db()
    print(f"\nread in {time.monotonic() - began:.1f} s")
    run = answer_questions(run, Answers.of(run.file.answers), owner=person, by=person)
    began = time.monotonic()
    while carry_on(run.pk, seconds=15):
        pass
    run = ImportRun.objects.get(pk=run.pk)
    print(f"checked in {time.monotonic() - began:.1f} s: {run.file.findings['counts']}")
    return start_import(run, duplicates="update", decisions={}, by=person, now=now)


def resident_kb(worker: Process) -> int:
    """The most memory any process of a worker has held so far."""
    assert worker.process is not None
    most = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
            if os.getpgid(int(status.parent.name)) == worker.process.pid:
                most = max(most, *(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM")))
        except (OSError, ValueError, TypeError):
            continue
    return most


def test_an_import_survives_the_death_of_its_workers(crew: Crew) -> None:
    person = UserFactory()
    run = ready_to_import(person)
    began = time.monotonic()
    crew.beat()
    worker = crew.worker(concurrency=1)
    last, kills, memory = 0, 0, 0

    def has_moved() -> bool:
        run.refresh_from_db()
        return run.last_line > last or run.state != "running"

    while kills < KILLS:
        assert wait_until(has_moved, 60 + ROWS / 200, every=0.02), crew.log()
        if run.state != "running":
            break
        memory = max(memory, resident_kb(worker))
        worker.kill()
        kills += 1
        run.refresh_from_db()
        last = run.last_line + max(0, (ROWS - run.last_line) // (2 * (KILLS - kills + 1)) - 1_000)
        worker.start()

    def has_ended() -> bool:
        nonlocal memory
        memory = max(memory, resident_kb(worker))
        run.refresh_from_db()
        return run.state != "running"

    assert wait_until(has_ended, 60 + ROWS / 100, every=0.2), crew.log()
    bad = [number + 2 for number in range(ROWS) if is_bad(number)]
    seconds = time.monotonic() - began
    print(
        f"{ROWS} rows, {kills} kills: {run.created} created, {run.updated} updated, "
        f"{run.unchanged} unchanged, {run.skipped} skipped, {run.failed} refused, "
        f"{ROWS / seconds:.0f} rows/s, {seconds:.0f} s, at most {memory // 1024} MB resident"
    )
    assert run.state == "done", run.stop_reason
    assert kills == KILLS
    assert (run.created, run.failed) == (ROWS - len(bad), len(bad))
    assert (run.updated, run.unchanged, run.skipped) == (0, 0, 0)
    assert list(run.refusals.order_by("line").values_list("line", flat=True)) == bad
    there = Counter(Lead.objects.values_list("email", flat=True))
    wanted = Counter(f"lead{number}@example.test" for number in range(ROWS) if not is_bad(number))
    assert list(wanted - there)[:20] == [], f"{(wanted - there).total()} good rows are missing"
    assert list(there - wanted)[:20] == [], f"{(there - wanted).total()} records are there too often"
    assert memory < MOST_RESIDENT_KB


def test_a_flushed_broker_loses_no_import(crew: Crew) -> None:
    """Nobody sends for a worker; the sweep finds the import in PostgreSQL."""
    run = ready_to_import(UserFactory())
    crew.worker()
    crew.beat()
    assert wait_until(lambda: ImportRun.objects.get(pk=run.pk).state == "done", 60 + ROWS / 100), crew.log()
