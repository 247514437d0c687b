"""Stage histories from files: the rows of a deal are its life, whatever their order and whoever moved it since."""

from __future__ import annotations

import csv
import datetime as dt

import pytest

from crm.rules.records import course
from crm.rules.records.undoing import undo_import
from metrics.rules.records import KINDS
from pipeline.models import Deal
from pipeline.rules.moving import move_deal
from pipeline.rules.records.stories import check_now
from tests.factories.records import bring_in, counts, reasons
from tests.pipeline.test_records_deals_rules import NOW, day, deals, stays

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales")]
HEADER = "deal,stage,entered_at\n"


def history(*rows: str, **options):
    return bring_in("stage-history", HEADER + "".join(f"{row}\n" for row in rows), now=NOW, **options)


def test_a_history_replaces_the_one_stay_whatever_the_order_of_its_rows(rep):
    deals("1,A,,meeting,2026-06-01,open,,", rep=rep)
    outcome = history(
        "1,proposal,2026-06-09", "1,Prospecting,2026-06-01", "1,QUALIFICATION,2026-06-03", "1,meeting,2026-06-05"
    )
    assert counts(outcome) == (4, 0, 0, 0)
    deal = Deal.objects.get()
    assert stays(deal) == [
        ("prospecting", day(1), day(3)),
        ("qualification", day(3), day(5)),
        ("meeting", day(5), day(9)),
        ("proposal", day(9), None),
    ]
    assert (deal.stage.slug, deal.stage_entered_at) == ("proposal", day(9))
    assert list(deal.visits.order_by("entered_at").values_list("direction", flat=True)) == [
        "start",
        "forward",
        "forward",
        "forward",
    ]


def test_the_same_history_again_changes_nothing_nor_do_the_deals(rep):
    rows = ["1,prospecting,2026-06-01", "1,prospecting,2026-06-02", "1,meeting,2026-06-05", "1,prospecting,2026-06-06"]
    deals("1,A,,meeting,2026-06-01,open,,", rep=rep)
    history(*rows)
    before = (Deal.objects.values().get(), stays(Deal.objects.get()))
    assert [stage for stage, *_times in before[1]] == ["prospecting", "meeting", "prospecting"]
    assert counts(history(*rows)) == (0, 0, 4, 0)
    assert counts(deals("1,A,,meeting,2026-06-01,open,,", rep=rep)) == (0, 0, 1, 0)
    assert (Deal.objects.values().get(), stays(Deal.objects.get())) == before


@pytest.mark.parametrize(
    ("row", "rows", "outcome", "expected"),
    [
        (
            "meeting,2026-06-01,lost,2026-06-09",
            ["prospecting,2026-06-01", "meeting,2026-06-04"],
            "lost",
            [("prospecting", day(1), day(4)), ("meeting", day(4), day(9))],
        ),
        (
            "close,2026-06-01,won,2026-06-09",
            ["prospecting,2026-06-01", "close,2026-06-04"],
            "won",
            [("prospecting", day(1), day(4)), ("close", day(4), day(9))],
        ),
        (
            "fulfilment,2026-06-01,won,2026-06-09",
            ["prospecting,2026-06-01", "close,2026-06-04", "fulfilment,2026-06-08"],
            "won",
            [("prospecting", day(1), day(4)), ("close", day(4), day(8)), ("fulfilment", day(8), None)],
        ),
        (
            "meeting,2026-06-01,open,",
            ["prospecting,2026-06-02", "fulfilment,2026-06-04"],
            "won",
            [("prospecting", day(1), day(4)), ("fulfilment", day(4), None)],
        ),
    ],
)
def test_a_history_ends_as_its_deal_does(rep, row, rows, outcome, expected):
    deals(f"1,A,,{row},", rep=rep)
    assert counts(history(*(f"1,{text}" for text in rows))) == (len(rows), 0, 0, 0)
    deal = Deal.objects.get()
    assert (deal.outcome, stays(deal)) == (outcome, expected)
    if deal.stage.is_won:
        assert deal.won_at == deal.stage_entered_at == expected[-1][1]


def test_a_history_tells_when_a_deal_of_unknown_creation_began_and_may_correct_it(rep):
    deals("1,A,,meeting,,lost,2026-06-09,", rep=rep)
    history("1,meeting,2026-06-05")
    assert Deal.objects.get().created_at == day(5)
    assert counts(history("1,prospecting,2026-06-02", "1,meeting,2026-06-05"))[3] == 0
    assert (Deal.objects.get().created_at, stays(Deal.objects.get())[0]) == (day(2), ("prospecting", day(2), day(5)))


def test_a_first_stage_entered_late_counts_from_the_creation_and_is_said_to(rep):
    deals("1,A,,meeting,2026-06-01,open,,", rep=rep)
    outcome = history("1,prospecting,2026-06-03", "1,meeting,2026-06-05")
    assert "1 deal was created before" in outcome.warnings[0]
    assert stays(Deal.objects.get())[0] == ("prospecting", day(1), day(5))


def test_rows_that_cannot_be_are_refused_and_the_rest_comes_along_in_the_report(rep, tmp_path):
    deals("1,A,,meeting,2026-06-01,lost,2026-06-10,", "2,B,,meeting,2026-06-01,open,,", rep=rep)
    report = tmp_path / "report.csv"
    outcome = history(
        "1,prospecting,2026-06-01",
        "1,nowhere,2026-06-03",
        "1,meeting,2026-05-03",
        "1,meeting,2026-06-11",
        "1,meeting,2026-06-99",
        "1,fulfilment,2026-06-09",
        "9,meeting,2026-06-03",
        "2,meeting,2026-06-01",
        report=report,
    )
    assert counts(outcome) == (1, 0, 1, 6)
    assert reasons(outcome) == [
        (3, "stage"),
        (4, "entered_at"),
        (5, "entered_at"),
        (6, "entered_at"),
        (7, "stage"),
        (8, "deal"),
    ]
    lines = [row["line"] for row in csv.DictReader(report.open(encoding="utf-8-sig"))]
    assert lines == ["2", "3", "4", "5", "6", "7", "8"]
    assert stays(Deal.objects.get(name="A")) == [("prospecting", day(1), day(10))]


def test_moves_that_people_made_here_are_kept(rep, stages):
    deals("1,A,,meeting,2026-06-01,open,,", rep=rep)
    rows = ["1,prospecting,2026-06-01", "1,meeting,2026-06-03"]
    history(*rows)
    deal = Deal.objects.get()
    move_deal(deal, to=stages["qualification"], seen_version=deal.version, by=rep, now=day(12))
    assert counts(history(*rows)) == (0, 0, 2, 0)
    history("1,prospecting,2026-06-01", "1,meeting,2026-06-04")
    assert [stay[:2] for stay in stays(Deal.objects.get())] == [
        ("prospecting", day(1)),
        ("meeting", day(4)),
        ("qualification", day(12)),
    ]
    assert Deal.objects.get().visits.order_by("entered_at").last().moved_by == rep


def test_memory_stays_flat_by_reading_again_and_nothing_is_lost(rep, monkeypatch):
    monkeypatch.setattr(course, "GROUPED_ROWS_IN_MEMORY", 7)
    monkeypatch.setattr(course, "STEP_ROWS", 3)
    deals(*(f"{number},A,,prospecting,2026-06-01,open,," for number in range(10)), rep=rep)
    rows = [
        f"{number},{stage},2026-06-{at:02}"
        for at, stage in ((1, "prospecting"), (4, "meeting"), (8, "close"))
        for number in range(10)
    ]
    assert counts(history(*rows)) == (20, 0, 10, 0)
    assert all(len(stays(deal)) == 3 for deal in Deal.objects.all())


def test_taking_back_puts_the_one_stay_back(rep):
    deals("1,A,,meeting,,lost,2026-06-09,", rep=rep)
    before = Deal.objects.values().get()
    run = history("1,prospecting,2026-06-02", "1,proposal,2026-06-05").run
    undone = undo_import(run, kinds=KINDS, by=None, now=NOW)
    check_now()
    assert (undone.deleted, undone.put_back, undone.kept) == (0, 1, 0)
    assert stays(Deal.objects.get()) == [("meeting", None, day(9))]
    assert Deal.objects.values().get() | {"version": 0} == before | {"version": 0}


def test_taking_back_keeps_what_people_moved_since(rep, stages):
    deals("1,A,,meeting,2026-06-01,open,,", rep=rep)
    run = history("1,prospecting,2026-06-01", "1,meeting,2026-06-03").run
    deal = Deal.objects.get()
    move_deal(deal, to=stages["qualification"], seen_version=deal.version, by=rep, now=day(12))
    assert undo_import(run, kinds=KINDS, by=None, now=NOW).kept == 1
    assert len(stays(Deal.objects.get())) == 3


def test_timestamps_to_the_second_survive(rep):
    deals("1,A,,meeting,2026-06-01T08:00:00,open,,", rep=rep)
    history("1,prospecting,2026-06-01 08:00:00", "1,meeting,2026-06-01 08:00:01", "1,close,2026-06-01 08:00:01")
    assert [stay[1:] for stay in stays(Deal.objects.get())][-1] == (
        dt.datetime(2026, 6, 1, 8, 0, 1, tzinfo=dt.UTC),
        None,
    )
