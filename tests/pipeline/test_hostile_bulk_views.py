"""Many rows changed at once by the careless and the hostile: nothing is lost, and what is taken back is as it was."""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from crm.models import DisqualifyReason, Lead, User
from pipeline.models import Deal, LossReason, Stage
from pipeline.rules import changing_together as rules
from pipeline.rules.locking import seize_pipeline
from pipeline.rules.moving import Loss, MoveDetails, lose_deal, move_deal
from pipeline.views.taking_back import Taking
from tests.bulk import post, told, undo_url
from tests.factories import DealFactory, LeadFactory, UserFactory, sales_pipeline

pytestmark = pytest.mark.django_db
Stages = dict[str, Stage]


@pytest.fixture
def web(client: Client, manager: User, stages: Stages) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def _late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is taken back is taken back after the time in which a move may be undone."""
    monkeypatch.setattr("pipeline.rules.moving.UNDO_WITHIN", dt.timedelta(0))


@pytest.mark.usefixtures("_late")
def test_a_lost_deal_is_not_opened_in_its_stage_by_taking_back(web: Client, rep: User, stages: Stages) -> None:
    deal = DealFactory(owner=rep, stage="meeting")
    loss = Loss(LossReason.objects.create(name="Too dear"))
    deal = lose_deal(deal, loss=loss, seen_version=deal.version, by=rep, now=timezone.now())
    moved = post(web, "change", [deal], stage=stages["proposal"].pk)

    answer = web.post(undo_url(moved))

    assert "can no longer be undone" in " ".join(told(web, answer))
    deal.refresh_from_db()
    assert (deal.stage, deal.outcome) == (stages["proposal"], "open")  # as it was opened, which all can see


@pytest.mark.usefixtures("_late")
def test_a_won_deal_is_not_won_anew_by_taking_back(web: Client, rep: User, stages: Stages) -> None:
    now = timezone.now()
    deal = DealFactory(
        owner=rep, stage="negotiation", amount=Decimal(100), created_at=now - dt.timedelta(days=90),
        stage_entered_at=now - dt.timedelta(days=60),
    )  # fmt: skip
    deal = move_deal(
        deal, to=stages["fulfilment"], seen_version=deal.version, by=rep, now=now - dt.timedelta(days=40),
        details=MoveDetails(is_forced=True),
    )  # fmt: skip
    moved = post(web, "change", [deal], stage=stages["proposal"].pk)

    web.post(undo_url(moved))

    deal.refresh_from_db()
    assert (deal.outcome, deal.won_at) == ("open", None)


@pytest.mark.usefixtures("_late")
def test_an_open_deal_still_goes_back_when_it_took_long(web: Client, rep: User, stages: Stages) -> None:
    deal = DealFactory(owner=rep, stage="meeting")
    web.post(undo_url(post(web, "change", [deal], stage=stages["proposal"].pk)))
    deal.refresh_from_db()
    assert (deal.stage, deal.outcome) == (stages["meeting"], "open")


@pytest.mark.parametrize(("days", "status"), [(30, "nurturing"), (-1, "new")])
def test_a_nurtured_lead_is_nurtured_again(web: Client, rep: User, days: int, status: str) -> None:
    until = timezone.localdate() + dt.timedelta(days=days)
    lead = LeadFactory(owner=rep, status="nurturing", nurture_until=until)
    reason = DisqualifyReason.objects.create(name="No budget")
    answer = post(web, "change", [lead], "leads", disqualify_reason=reason.pk)
    assert "Taken back: 1." in told(web, web.post(undo_url(answer)))
    lead.refresh_from_db()
    assert (lead.status, lead.nurture_until) == (status, until if days > 0 else None)


@pytest.mark.parametrize("query", ["?since=2026-13-45", "?since=2026-02-02&until=2026-01-01", "?q=" + "x" * 201])
def test_filters_nobody_can_read_choose_nothing(web: Client, rep: User, query: str) -> None:
    LeadFactory(owner=rep)
    answer = post(web, "delete", [], "leads", query=query, all="1")
    assert told(web, answer) == ["Nothing found"]
    assert Lead.objects.present().count() == 1


def test_several_tags_are_added_as_the_form_of_one_deal_reads_them(web: Client, rep: User) -> None:
    deal = DealFactory(owner=rep, tags=["hot"])
    post(web, "change", [deal], tags="dairy, hot ,, new")
    deal.refresh_from_db()
    assert deal.tags == ["hot", "dairy", "new"]
    assert post(web, "change", [deal], tags=" , ").status_code == 422


def test_who_is_logged_out_on_the_way_changes_no_further_row(
    web: Client, rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals, keep = [DealFactory(owner=rep) for _ in range(3)], Taking.keep

    def logged_out(taking: Taking, one: rules.Changed) -> None:
        if taking.changed:
            Session.objects.all().delete()  # as deactivating a person does
        keep(taking, one)

    monkeypatch.setattr(Taking, "keep", logged_out)
    assert post(web, "delete", deals).status_code == 400
    assert Deal.objects.present().count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["change", "undo"])
def test_a_bulk_edit_and_an_archived_stage_never_wait_for_each_other(verb: str) -> None:
    """Whoever archives a stage holds the pipeline and then takes its deals: nobody may take them the other way."""
    stages = {stage.slug: stage for stage in sales_pipeline().stages.all()}
    rep, now = UserFactory(), timezone.now()
    deal = DealFactory(owner=rep, stage="meeting")
    fields = {"expected_close_on": dt.date(2030, 5, 5), "stage": stages["proposal"]}
    outcome: list[rules.Changes] = []
    kept: list[rules.Changed] = []

    def change() -> rules.Changes:
        return rules.change_together(
            rules.DEALS, rules.seen_of(rules.DEALS, {deal.pk: Deal.objects.get().version}, by=rep),
            fields=fields, by=rep, now=now, keep=kept.append,
        )  # fmt: skip

    changed = change().changed if verb == "undo" else []

    def edit() -> None:
        try:
            outcome.append(rules.undo_together(rules.DEALS, changed, by=rep, now=now) if changed else change())
        finally:
            connection.close()

    editor = threading.Thread(target=edit)
    with transaction.atomic():
        seize_pipeline(deal.pipeline_id)
        editor.start()
        _wait_for_somebody_at_the_pipeline()
        assert Deal.objects.select_for_update(nowait=True).get(pk=deal.pk)  # else OperationalError: they hold it
    editor.join(timeout=20)

    assert [len(changes.changed) for changes in outcome] == [1]
    deal.refresh_from_db()
    assert deal.stage.slug == ("meeting" if verb == "undo" else "proposal")


def _wait_for_somebody_at_the_pipeline() -> None:
    for _attempt in range(400):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database()))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    pytest.fail("nobody came")
