"""The embedded servers: shared, stopped when nobody is left, and none the worse for kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

from config import embedded
from config.embedded.server import socket_folder

pytestmark = [
    pytest.mark.reliability,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]


@pytest.fixture(params=["plain", "a folder, with ‘odd’ signs"])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A PostgreSQL in a folder of its own."""
    monkeypatch.setenv("VORONKA_VAR", str(tmp_path / request.param))
    server = embedded.EmbeddedPostgres("pg", durable=False)
    yield server
    server.stop(even_if_used=True)
    assert server.wait_until_stopped()
    shutil.rmtree(server.socket_folder, ignore_errors=True)  # a closed folder's socket lies outside of it


def _ask(server: embedded.EmbeddedPostgres, question: str) -> object:
    connection = psycopg2.connect(host=str(server.socket_folder), user="postgres", dbname=embedded.DATABASE_NAME)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def _postmaster(server: embedded.EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def _wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_finds_cyrillic_words_in_any_case(server: embedded.EmbeddedPostgres) -> None:
    server.ensure()
    _ask(server, "CREATE EXTENSION pg_trgm")

    assert _ask(server, "SELECT show_trgm('Ёлка') <> '{}'")
    assert _ask(server, "SELECT 'ЁЛКА' ILIKE 'ёлка'")


def test_two_processes_share_it_and_the_last_one_out_lets_it_stop(server: embedded.EmbeddedPostgres) -> None:
    server.ensure()
    code = (
        "from config import embedded; s = embedded.EmbeddedPostgres('pg', durable=False); s.ensure(); "
        "print((s.data / 'postmaster.pid').read_text().split()[0], flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert int(other.stdout.readline()) == _postmaster(server)

    server.stop()  # this process does not need it any more; the other one does
    assert not server.wait_until_stopped(seconds=1.5)
    assert _ask(server, "SELECT 1") == 1

    other.kill()  # and cannot say good-bye
    other.wait()
    assert server.wait_until_stopped(seconds=30)


@pytest.mark.parametrize("victim", ["server", "keeper", "both"])
def test_after_kill_9_it_comes_back_with_every_row(server: embedded.EmbeddedPostgres, victim: str) -> None:
    server.ensure()
    _ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    pids = {"server": _postmaster(server), "keeper": int((server.folder / "keeper.lock").read_text())}
    for pid in pids.values() if victim == "both" else [pids[victim]]:
        os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: not server.is_ready() or _postmaster(server) != pids["server"])

    server.ensure()

    assert _ask(server, "SELECT answer FROM kept") == 42


def test_a_pid_file_that_names_a_stranger_is_dropped(server: embedded.EmbeddedPostgres) -> None:
    server.ensure()
    server.stop(even_if_used=True)
    assert server.wait_until_stopped()
    stranger = "\n".join([str(os.getpid()), str(server.data), "0", "5432", "", "", "", "ready   "])
    (server.data / "postmaster.pid").write_text(stranger)

    server.ensure()

    assert _ask(server, "SELECT 1") == 1


def test_nobody_else_may_enter_the_socket_folder(server: embedded.EmbeddedPostgres) -> None:
    server.ensure()

    assert server.socket_folder.stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_moves_the_socket_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VORONKA_VAR", str(tmp_path / ("long" * 40)))

    assert len(str(socket_folder("pg"))) < 90
    assert socket_folder("pg") != socket_folder("valkey")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs somebody else to run PostgreSQL")
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_root_without_user_namespaces_lets_nobody_run_it(is_open: bool) -> None:
    place = Path(tempfile.mkdtemp())  # not pytest's, whose folders are closed to others all the way down
    place.chmod(0o755 if is_open else 0o700)
    code = (
        "import psycopg2; from config import embedded; s = embedded.postgres(test=True); s.ensure(); "
        "c = psycopg2.connect(host=str(s.socket_folder), user='postgres', dbname='voronka').cursor(); "
        "c.execute('SHOW data_directory'); print(c.fetchone()[0], s.data.resolve().owner(), s.socket_folder); "
        "s.stop(even_if_used=True); s.wait_until_stopped()"
    )

    result = subprocess.run(
        [sys.executable, "tests/config/without_namespaces.py", sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=os.environ | {"VORONKA_VAR": str(place / "var")},
        capture_output=True,
        text=True,
        check=False,
    )

    folder, owner, sockets = result.stdout.split() or ("", result.stderr, "")
    assert owner == "nobody"
    assert folder.startswith(str(place) if is_open else "/var/tmp/voronka-")
    for made in {place, Path(folder), Path(sockets)} - {Path()}:
        shutil.rmtree(made, ignore_errors=True)
