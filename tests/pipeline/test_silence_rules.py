"""Deals without a next step, and deals gone quiet: found, and told once a stay."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from crm.models import User
from crm.rules.daily_digests import Section
from crm.rules.notice_kinds import all_kinds
from pipeline.models import Deal, StayAlert, days_quiet
from pipeline.rules.silence import quiet_deals, unplanned_deals
from tests.factories import ActivityFactory, ContactFactory, DealFactory, FollowUpFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 7, 20, 8, tzinfo=dt.UTC)


def ago(days: int) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


@pytest.fixture
def deal(rep: User) -> Deal:
    """In a stage that is quiet after ten days."""
    deal: Deal = DealFactory(owner=rep, stage="meeting", created_at=ago(30), contact=ContactFactory(owner=rep))
    deal.stage.quiet_days = 10
    deal.stage.save()
    return deal


def is_quiet() -> bool:
    return Deal.objects.quiet(NOW).exists()


def test_a_deal_nobody_answers_in_is_quiet(deal: Deal, rep: User) -> None:
    ActivityFactory(subject=deal, author=rep, at=ago(2))  # ours alone
    ActivityFactory(subject=deal, author=rep, at=ago(2), direction="in", is_automatic=True)
    ActivityFactory(subject=deal, author=rep, at=ago(11), direction="in")
    assert is_quiet()
    assert Deal.objects.in_state("quiet", NOW).get() == deal
    assert Deal.objects.with_contact_at().get().contact_at == ago(11)
    assert days_quiet(ago(11), ago(30), 10, NOW) == 11


@pytest.mark.parametrize(
    "touch", [{"direction": "in"}, {"response": "negative"}, {"kind": "meeting"}], ids=["wrote", "answered", "met"]
)
@pytest.mark.parametrize("is_about", ["deal", "contact"])
def test_both_sides_speaking_ends_the_silence(deal: Deal, rep: User, touch: dict[str, str], is_about: str) -> None:
    ActivityFactory(subject=deal if is_about == "deal" else deal.contact, author=rep, at=ago(9), **touch)
    assert not is_quiet()


def test_a_young_deal_a_closed_one_and_a_patient_stage_are_not_quiet(deal: Deal) -> None:
    assert is_quiet()
    Deal.objects.update(created_at=ago(9))
    assert not is_quiet()
    Deal.objects.update(created_at=ago(30), outcome="lost", lost_at=NOW)
    assert not is_quiet()
    Deal.objects.update(outcome="open", lost_at=None)
    deal.stage.quiet_days = None
    deal.stage.save()
    assert not is_quiet()


def tell(section: Section | None) -> list[str]:
    if section is None:
        return []
    assert section.then is not None
    section.then()
    return [line.text for line in section.lines]


def test_an_owner_is_told_once_a_stay(deal: Deal, rep: User, colleague: User) -> None:
    assert unplanned_deals(colleague, NOW) is None
    assert tell(unplanned_deals(rep, NOW)) == [f"{deal}, in Meeting"]
    assert tell(quiet_deals(rep, NOW)) == [f"{deal}, in Meeting"]
    assert unplanned_deals(rep, NOW) is None
    assert quiet_deals(rep, NOW) is None

    # Planned and unplanned again, spoken to and silent again, in the same stay: nothing new.
    FollowUpFactory(subject=deal, assignee=rep).delete()
    assert unplanned_deals(rep, NOW + dt.timedelta(days=40)) is None
    assert StayAlert.objects.count() == 2


def test_what_was_not_sent_is_told_the_next_day(deal: Deal, rep: User) -> None:
    assert unplanned_deals(rep, NOW) is not None
    assert unplanned_deals(rep, NOW + dt.timedelta(days=1)) is not None


def test_who_switched_it_off_is_not_told(deal: Deal, rep: User, client: Client) -> None:
    client.force_login(rep)
    chosen = {f"{key}-mail": kind.by_mail for key, kind in all_kinds().items()} | {"quiet-mail": "never"}
    settings = {"name": "Rita", "language": "en", "time_zone": "UTC", "theme": "auto", "digest_at": "08:00"}
    assert client.post("/settings/", settings | chosen).status_code == 302

    assert quiet_deals(rep, NOW) is None
    assert tell(unplanned_deals(rep, NOW)) == [f"{deal}, in Meeting"]
    assert client.post("/settings/", settings | chosen | {"quiet-mail": "at_once"}).status_code == 422


def test_the_board_shows_and_filters_them(deal: Deal, rep: User, client: Client) -> None:
    client.force_login(rep)
    other = DealFactory(owner=rep, stage="meeting", created_at=dt.datetime.now(dt.UTC))
    page = client.get("/board/sales/?state=quiet").text
    assert f'id="deal-{deal.pk}"' in page
    assert f'id="deal-{other.pk}"' not in page
    assert "Quiet " in client.get("/board/sales/").text
    assert deal.name in client.get("/deals/?state=quiet").text
