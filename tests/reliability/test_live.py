"""The stream that rings the bell, from a real server: told at once, to one person only, and no burden to a stop."""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client

from crm.models import Notification, User
from tests.factories import LeadFactory
from tests.processes import WebServer

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]


class Listener:
    """A browser that holds the stream open."""

    def __init__(self, server: WebServer, person: User | None) -> None:
        headers = {}
        if person is not None:
            client = Client()
            client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
            self.session = client.session
            headers["Cookie"] = f"{settings.SESSION_COOKIE_NAME}={self.session.session_key}"
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._connection.request("GET", "/live/", headers=headers)
        self.answer = self._connection.getresponse()

    def bells(self) -> Iterator[str]:
        """What the stream says, one by one, until it ends."""
        for line in self.answer:
            if line.startswith(b"data: "):
                yield line.removeprefix(b"data: ").decode().strip()


def ring(person: User) -> Notification:
    subject = LeadFactory(owner=person)
    key = f"test:{Notification.objects.count()}"
    return Notification.objects.create(user=person, subject=subject, text="Call", kind="reminder", dedupe_key=key)


def test_a_notice_reaches_an_open_page_within_two_seconds(web_server: WebServer, rep: User, colleague: User) -> None:
    mine, theirs = Listener(web_server, rep).bells(), Listener(web_server, colleague).bells()
    assert (next(mine), next(theirs)) == ("0-0", "0-0")

    before = time.monotonic()
    notice = ring(rep)

    assert next(mine) == f"1-{notice.pk}"
    assert time.monotonic() - before < 15  # asking now and then would take 30
    other = ring(colleague)
    assert next(theirs) == f"1-{other.pk}"


def test_strangers_and_crowds_are_told_not_to_ask_again(web_server: WebServer, rep: User) -> None:
    assert Listener(web_server, None).answer.status == 204
    workers, most = 2, 8
    answers = [Listener(web_server, rep) for _number in range(workers * most + 4)]
    assert {listener.answer.status for listener in answers} == {200, 204}


def test_pages_answer_while_many_streams_are_open(web_server: WebServer, rep: User, colleague: User) -> None:
    held = [Listener(web_server, person) for person in (rep, colleague) for _number in range(8)]
    connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=30)
    for _number in range(20):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
    assert held


def test_open_streams_do_not_hold_up_a_stop(web_server: WebServer, rep: User) -> None:
    listener = Listener(web_server, rep)
    bells = listener.bells()
    next(bells)
    assert web_server.process is not None

    before = time.monotonic()
    web_server.process.send_signal(signal.SIGTERM)
    web_server.process.wait(timeout=40)

    assert time.monotonic() - before < 20  # the grace for requests is 30
    assert list(bells) == []
