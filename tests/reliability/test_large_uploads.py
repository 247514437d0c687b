"""Twenty uploads of half a gigabyte at once: refused before they are read, and the server's memory stays flat."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from crm.models import User
from tests.processes import Process, WebServer
from tests.reliability.browsing import Answer, Browser, at_once

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

UPLOADS = 20
BYTES = 500 << 20
PIECE = b"Name,E-mail\n" * 5_461
AT_ONCE_SECONDS = 10.0
MOST_MORE_KB = 40_000
"""Of all processes of the server together: twenty uploads hold no more than a few network buffers each."""


def upload(browser: Browser, port: int) -> tuple[Answer, int]:
    """Begin to send a file as a browser does; return the answer, and how many bytes had been taken until it came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    started = time.monotonic()
    connection.putrequest("POST", "/imports/new/")
    form = {"Content-Type": "multipart/form-data; boundary=line", "Content-Length": str(BYTES)}
    for name, value in (browser.headers | form).items():
        connection.putheader(name, value)
    connection.endheaders(b'--line\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n')
    taken = 0
    assert connection.sock is not None
    connection.sock.settimeout(0.2)
    try:
        while taken < BYTES and not _has_answered(connection):
            taken += connection.sock.send(PIECE)
    except (TimeoutError, BrokenPipeError, ConnectionResetError):
        pass  # it takes no more, which is what is wanted: the answer lies ready
    connection.sock.settimeout(60)
    answer = connection.getresponse()
    return Answer(answer.status, time.monotonic() - started, answer.read().decode()), taken


def _has_answered(connection: http.client.HTTPConnection) -> bool:
    import select

    return bool(select.select([connection.sock], [], [], 0)[0])


def resident_kb(server: Process) -> int:
    """What all processes of the server hold now."""
    assert server.process is not None
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if os.getpgid(int(status.parent.name)) == server.process.pid:
                lines = status.read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
        except (OSError, ValueError):
            continue
    return total


@pytest.fixture
def highest(web_server: WebServer) -> Iterator[list[int]]:
    """The most the server has held since the test began, looked at again and again."""
    seen = [0]
    is_over = Event()

    def look() -> None:
        while not is_over.wait(0.02):
            seen[0] = max(seen[0], resident_kb(web_server))

    thread = Thread(target=look)
    thread.start()
    yield seen
    is_over.set()
    thread.join()


def test_twenty_uploads_of_half_a_gigabyte_are_refused_at_once(
    web_server: WebServer, rep: User, highest: list[int]
) -> None:
    browsers = [Browser.of(web_server.port, rep) for _number in range(UPLOADS)]
    for browser in browsers:
        assert browser.get("/imports/new/").status == 200
    before = resident_kb(web_server)

    results = at_once([lambda browser=browser: upload(browser, web_server.port) for browser in browsers])

    after = resident_kb(web_server)
    slowest = max(answer.seconds for answer, _taken in results)
    most = max(taken for _answer, taken in results)
    print(
        f"\n{UPLOADS} uploads of {BYTES >> 20} MB: slowest refusal {slowest:.2f} s, at most {most >> 10} KB of one "
        f"taken, memory {before >> 10} MB before, {highest[0] >> 10} MB at most, {after >> 10} MB after"
    )
    assert {answer.status for answer, _taken in results} == {413}
    assert all("100 MB" in answer.body for answer, _taken in results)
    assert slowest < AT_ONCE_SECONDS
    assert most < BYTES / 10
    assert highest[0] - before < MOST_MORE_KB
    assert browsers[0].get("/imports/new/").status == 200
