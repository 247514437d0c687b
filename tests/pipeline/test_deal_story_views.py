"""The sentences of a deal's timeline, and its filter and pages."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from crm.models import User
from crm.rules.activities import log_activity
from pipeline.models import Deal, LossReason, Stage
from pipeline.rules.deals import edit_deal
from pipeline.rules.moving import Loss, lose_deal, move_deal, undo_move
from tests.factories import ActivityFactory, CompanyFactory, DealFactory, FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db

Stages = dict[str, Stage]


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def deal(rep: User, stages: Stages, now: dt.datetime) -> Deal:
    return DealFactory(owner=rep, amount=Decimal(68000), created_at=now - dt.timedelta(days=10, hours=1))


def lines(client: Client, record: object, **query: object) -> list[str]:
    """The entries of the record's timeline as texts, newest first, without their times."""
    page = client.get(record.get_absolute_url(), query).content.decode()  # type: ignore[attr-defined]
    entries = re.findall(r'<li class="entry[^>]*>(.*?)<time', page, re.DOTALL)
    return [" ".join(strip_tags(entry).split()) for entry in entries]


def test_moves_edits_and_losses_are_sentences(
    client: Client, deal: Deal, rep: User, manager: User, stages: Stages, now: dt.datetime
) -> None:
    moved = move_deal(deal, to=stages["meeting"], seen_version=1, by=rep, now=now)
    company = CompanyFactory(name="Halden", owner=rep)
    edited = edit_deal(moved, fields={"amount": Decimal(73500), "company": company}, seen_version=2, by=manager)
    loss = Loss(LossReason.objects.get(name="Price"), note="Too dear", competitor="Termalis")
    lose_deal(edited, loss=loss, seen_version=3, by=rep, now=now)
    client.force_login(rep)

    assert lines(client, deal) == [
        "Lost Price by you, Termalis Too dear",
        "Amount €68,000 → €73,500 by Mara Manager",
        "Company — → Halden by Mara Manager",
        "Moved Prospecting → Meeting by you, after 10 d",
        "Opened in Prospecting",
    ]


def test_undone_move_and_undone_loss_are_shown_as_undone(
    client: Client, deal: Deal, rep: User, stages: Stages, now: dt.datetime
) -> None:
    moved = move_deal(deal, to=stages["fulfilment"], seen_version=1, by=rep, now=now)
    back = undo_move(moved, seen_version=moved.version, by=rep, now=now)
    reason = LossReason.objects.get(name="Price")
    lost = lose_deal(back, loss=Loss(reason), seen_version=back.version, by=rep, now=now)
    undo_move(lost, seen_version=lost.version, by=rep, now=now)
    client.force_login(rep)

    assert lines(client, deal) == [
        "Lost Price by you undone",
        "Won Prospecting → Fulfilment by you, after 10 d undone",
        "Opened in Prospecting",
    ]


def test_reopened_deal_says_so(client: Client, deal: Deal, rep: User, stages: Stages, now: dt.datetime) -> None:
    reason = LossReason.objects.get(name="Price")
    lost = lose_deal(deal, loss=Loss(reason), seen_version=1, by=rep, now=now - dt.timedelta(days=1))
    move_deal(lost, to=stages["prospecting"], seen_version=2, by=rep, now=now)
    client.force_login(rep)

    assert lines(client, deal)[:2] == ["Reopened by you", "Lost Price by you"]


def test_loss_from_before_the_deal_came_here_is_told(client: Client, rep: User, stages: Stages) -> None:
    lost_at = timezone.now() - dt.timedelta(days=3)
    deal = DealFactory(owner=rep, lost_at=lost_at, created_at=lost_at - dt.timedelta(days=9))
    client.force_login(rep)

    assert lines(client, deal)[0] == "Lost"


def test_touches_follow_ups_and_what_was_said_to_the_lead(
    client: Client, rep: User, colleague: User, stages: Stages, now: dt.datetime
) -> None:
    lead = LeadFactory(owner=rep, name="Irina Kim")
    ActivityFactory(subject=lead, author=colleague, at=now - dt.timedelta(days=20), body="First words")
    deal = DealFactory(owner=rep, lead=lead)
    fields = {"kind": "email", "direction": "in", "response": "positive", "body": "Fine for us"}
    log_activity(deal, fields=fields, by=rep, now=now)
    FollowUpFactory(subject=deal, assignee=rep, title="Call back", done_at=now, done_by=rep, outcome="Reached")
    client.force_login(rep)

    told = lines(client, deal)

    assert "The customer wrote positive Edit Fine for us" in told
    assert "You did what was planned Call back Reached" in told
    assert told[-1] == "Carl Colleague called Irina Kim · Irina Kim First words"


def test_filter_and_pages(client: Client, deal: Deal, rep: User, now: dt.datetime) -> None:
    for number in range(25):
        at = now - dt.timedelta(minutes=number)
        log_activity(deal, fields={"kind": "call", "body": f"call {number:02}", "at": at}, by=rep, now=now)
    log_activity(deal, fields={"kind": "note", "body": "a note"}, by=rep, now=now)
    client.force_login(rep)

    assert len(lines(client, deal)) == 20
    assert [line[-7:] for line in lines(client, deal, show="touches", page=2)] == [f"call {n}" for n in range(20, 25)]
    assert lines(client, deal, show="changes") == ["Opened in Prospecting"]
    url = deal.get_absolute_url()
    headers = {"HX-Request": "true", "HX-Target": "timeline-more"}
    rest = client.get(url, {"show": "touches", "page": 2}, headers=headers).content.decode()
    assert rest.strip().startswith("<li")
    for query in ({"show": "gossip"}, {"page": "0"}, {"page": "x"}, {"page": "999"}):
        assert client.get(url, query).status_code == 404


def test_name_one_may_not_see_stays_unnamed(client: Client, deal: Deal, rep: User, admin: User, outsider: User) -> None:
    secret = CompanyFactory(name="Secret Oils", owner=outsider)
    edited = edit_deal(deal, fields={"company": secret}, seen_version=1, by=admin)
    edit_deal(edited, fields={"company": None}, seen_version=2, by=admin)
    client.force_login(rep)

    page = client.get(deal.get_absolute_url()).content.decode()

    assert "Secret Oils" not in page
    assert "another record" in page
