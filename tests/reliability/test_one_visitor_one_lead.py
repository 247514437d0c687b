"""One visitor sends one form fifty times at once, over HTTP, against a real gunicorn: there is one lead."""

from __future__ import annotations

import http.client
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlencode

import pytest

from crm.models import Activity, Lead, LeadForm, OutboxRow, Submission, User
from tests.factories import LeadFormFactory, TeamFactory, UserFactory
from tests.processes import WebServer

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

AT_ONCE = 50


def token_from(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/f/contact/")
    found = re.search(r'name="token" value="([^"]+)"', connection.getresponse().read().decode())
    assert found
    return found[1]


def send_at_once(port: int, bodies: list[dict[str, str]]) -> Counter[int]:
    """Send all bodies at the same instant, each on a connection of its own; count the answers by status."""
    start = Barrier(len(bodies))

    def send(body: dict[str, str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        start.wait()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/f/contact/", urlencode(body), headers)
        return connection.getresponse().status

    with ThreadPoolExecutor(len(bodies)) as pool:
        return Counter(pool.map(send, bodies))


@pytest.fixture
def form() -> LeadForm:
    return LeadFormFactory(slug="contact", least_seconds=0, reply_subject="Thanks", reply="We answer soon.")


def test_fifty_copies_are_one_lead(form: LeadForm, web_server: WebServer) -> None:
    said = {"token": token_from(web_server.port), "name": "Anna", "email": "anna@berg.test", "message": "Hello"}
    assert send_at_once(web_server.port, [said] * AT_ONCE) == {302: AT_ONCE}

    assert Lead.objects.count() == 1
    assert Counter(Submission.objects.values_list("state", flat=True)) == {"taken": 1, "merged": AT_ONCE - 1}
    assert (Activity.objects.count(), OutboxRow.objects.filter(kind="form_reply").count()) == (1, 1)


def test_fifty_different_words_of_one_visitor_are_one_lead(form: LeadForm, web_server: WebServer) -> None:
    token = token_from(web_server.port)
    bodies = [
        {"token": token, "name": f"Anna {number}", "email": "Anna@Berg.test", "message": f"Hello {number}"}
        for number in range(AT_ONCE)
    ]
    assert send_at_once(web_server.port, bodies) == {302: AT_ONCE}

    assert (Lead.objects.count(), Activity.objects.count()) == (1, AT_ONCE)


def test_beyond_an_addresses_limit_all_are_kept_out_and_none_is_lost(form: LeadForm, web_server: WebServer) -> None:
    LeadForm.objects.update(most_by_address=20)
    token = token_from(web_server.port)
    bodies = [{"token": token, "name": f"Visitor {number}"} for number in range(AT_ONCE)]
    assert send_at_once(web_server.port, bodies) == {302: AT_ONCE}

    assert Counter(Submission.objects.values_list("state", flat=True)) == {"taken": 20, "kept_out": AT_ONCE - 20}


def test_leads_that_come_in_at_once_go_round_the_team_evenly(form: LeadForm, web_server: WebServer) -> None:
    team = TeamFactory()
    people: list[User] = [UserFactory(team=team) for _person in range(5)]
    LeadForm.objects.update(owner_rule="team", team=team)
    token = token_from(web_server.port)
    send_at_once(web_server.port, [{"token": token, "name": f"Visitor {number}"} for number in range(AT_ONCE)])

    assert Counter(Lead.objects.values_list("owner", flat=True)) == {person.pk: AT_ONCE // 5 for person in people}
