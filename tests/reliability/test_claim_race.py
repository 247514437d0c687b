"""Two reps take one free lead at the same instant, over HTTP: one has it, the other is told who."""

from __future__ import annotations

from collections import Counter

import pytest

from crm.models import AuditEntry, Team, User
from tests.factories import LeadFactory
from tests.processes import WebServer
from tests.reliability.browsing import Browser, at_once

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

ROUNDS = 20


def test_of_two_who_claim_one_lead_one_wins_and_the_other_is_told_who(
    web_server: WebServer, north: Team, rep: User, colleague: User
) -> None:
    people = {rep: Browser.of(web_server.port, rep), colleague: Browser.of(web_server.port, colleague)}
    leads = [LeadFactory(team=north, owner=None) for _round in range(ROUNDS)]
    won: Counter[str] = Counter()
    for lead in leads:
        path = f"/leads/{lead.pk}/claim/"
        claims = [
            lambda browser=browser, path=path: browser.post(path, **{"HX-Request": "true"})
            for browser in people.values()
        ]
        answers = dict(zip(people, at_once(claims), strict=True))

        lead.refresh_from_db()
        assert lead.owner in people
        (other,) = set(people) - {lead.owner}
        assert (answers[lead.owner].status, answers[other].status) == (200, 409)
        assert f"{lead.owner.name} took this lead first." in answers[other].body
        changes = AuditEntry.objects.about("lead", lead.pk).filter(action="changed", before__has_key="owner_id")
        assert changes.count() == 1
        won[lead.owner.name] += 1
    print(f"\n{ROUNDS} races: {dict(won)}")
