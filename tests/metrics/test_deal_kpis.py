"""Won, lost and open deals: boundaries, corrections, unknown times, currencies."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction

from crm.models import ExchangeRate
from metrics.scope import Period
from pipeline.models import Deal, DealAmountChange, LossReason, StageProbabilityChange
from pipeline.rules.moving import Loss, lose_deal, move_deal
from tests.factories import UserFactory
from tests.metrics.lives import JULY, JUNE, at, figures, live, lose, win

pytestmark = pytest.mark.django_db


def test_a_period_holds_its_first_instant_and_not_its_last():
    win(at(6, 1), 1)
    win(at(7, 1) - dt.timedelta(microseconds=1), 2)
    win(at(7, 1), 4)
    lose(at(6, 1))
    lose(at(7, 1))
    june = figures()
    assert (june["won_deals"].value, june["won_value"].value, june["lost_deals"].value) == (2, Decimal(3), 1)
    assert figures(JULY)["won_value"].value == Decimal(4)


def test_days_follow_the_organisations_clock_through_a_change_of_it(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    win(dt.datetime(2026, 3, 28, 23, tzinfo=dt.UTC), created_at=at(3, 1))  # Sunday 00:00 in Berlin, winter time
    win(dt.datetime(2026, 3, 29, 21, 59, tzinfo=dt.UTC), created_at=at(3, 1))  # Sunday 23:59, summer time
    win(dt.datetime(2026, 3, 29, 22, tzinfo=dt.UTC), created_at=at(3, 1))  # Monday
    sunday = Period(dt.date(2026, 3, 29), dt.date(2026, 3, 30))
    assert figures(sunday)["won_deals"].value == 2


def test_a_deal_counts_once_as_what_it_is_now(stages, sales):
    """Lost, reopened, won: won only; won, moved back: neither."""
    owner = UserFactory()
    deal = live([("P", at(5, 1))], 100, owner=owner)
    reason = LossReason.objects.first()
    deal = lose_deal(deal, loss=Loss(reason), seen_version=deal.version, by=owner, now=at(6, 5))
    assert figures()["lost_deals"].value == 1
    deal = move_deal(deal, to=stages["fulfilment"], seen_version=deal.version, by=owner, now=at(6, 9))
    june = figures()
    assert (june["lost_deals"].value, june["won_deals"].value) == (0, 1)
    deal = move_deal(deal, to=stages["close"], seen_version=deal.version, by=owner, now=at(6, 12))
    june = figures()
    assert (june["won_deals"].value, june["open_deals"].value) == (0, 1)
    move_deal(deal, to=stages["fulfilment"], seen_version=deal.version, by=owner, now=at(7, 3))
    assert figures()["won_deals"].value == 0
    assert figures(JULY)["won_deals"].value == 1


def test_the_bin_counts_nowhere():
    for deal in (win(at(6, 5)), lose(at(6, 5)), live([("P", at(6, 1))], 10)):
        Deal.objects.filter(pk=deal.pk).update(deleted_at=at(6, 6))
    june = figures()
    assert [june[key].value for key in ("won_deals", "lost_deals", "open_deals")] == [0, 0, 0]
    assert all(stage.n == 0 for key in ("stage_conversion", "stage_duration") for stage in june[key].stages)


def test_unknown_creation_stays_out_of_cycles_and_is_counted():
    win(at(6, 11), created_at=at(6, 1))
    win(at(6, 11), created_at=None)
    cycle = figures()["sales_cycle"]
    assert (cycle.value, cycle.n, cycle.excluded) == (10.0, 1, 1)


def test_a_cycle_of_unknown_beginnings_alone_is_null_with_a_reason():
    win(at(6, 11), created_at=None)
    june = figures()
    assert june["sales_cycle"].value is None
    assert june["sales_cycle"].reason
    assert june["velocity"].value is None
    assert june["velocity"].reason == june["sales_cycle"].reason


def test_percentiles_are_interpolated():
    for days in (1, 2, 3, 4, 10):
        win(at(6, 11), days * 10, created_at=at(6, 11) - dt.timedelta(days=days))
    june = figures()
    assert (june["sales_cycle"].median, june["sales_cycle"].p90) == (3.0, pytest.approx(7.6))
    size = june["average_deal_size"]
    assert (size.value, size.median, size.p90) == (Decimal(40), Decimal(30), Decimal("76.00"))


def test_the_median_of_money_is_exact():
    win(at(6, 2), "0.05")
    win(at(6, 3), "0.10")
    assert figures()["average_deal_size"].median == Decimal("0.08")  # 0.075, halves up; a float would say 0.07


def test_an_unknown_amount_is_not_zero():
    win(at(6, 2), 100)
    win(at(6, 3), None)
    june = figures()
    assert (june["won_deals"].value, june["won_value"].value) == (2, Decimal(100))
    assert (june["average_deal_size"].value, june["average_deal_size"].n, june["average_deal_size"].excluded) == (
        Decimal(100), 1, 1,
    )  # fmt: skip


def test_no_losses_no_ratio():
    win(at(6, 2))
    june = figures()
    assert (june["win_rate"].value, june["win_loss_ratio"].value) == (1.0, None)
    assert june["win_loss_ratio"].reason


def test_amounts_of_nothing_have_no_share():
    win(at(6, 2), 0)
    lose(at(6, 2), None)
    assert figures()["win_rate_value"].value is None


# --- Open at an instant -----------------------------------------------------------------------------------------------


def test_open_is_created_by_the_instant_and_closed_after_it():
    live([("P", at(7, 1))], 1)  # at the very instant: open
    live([("P", at(7, 1) + dt.timedelta(seconds=1))], 2)
    win(at(7, 1), 4)  # closed at the very instant: not
    win(at(7, 1) + dt.timedelta(seconds=1), 8)
    lose(at(6, 30), 16)
    june = figures()
    assert (june["open_deals"].value, june["open_value"].value) == (2, Decimal(9))


def test_a_period_that_lasts_is_looked_at_now():
    live([("P", at(6, 1))], 1)
    live([("P", at(6, 20))], 2)
    assert figures(now=at(6, 10))["open_deals"].value == 1


def test_open_value_of_the_past_keeps_the_amount_it_had():
    deal = live([("P", at(6, 1))], 100)
    for at_, was in ((at(6, 20), 100), (at(7, 10), 200), (at(8, 10), 300)):
        DealAmountChange.objects.create(deal=deal, at=at_, amount=was, currency="EUR")
    Deal.objects.filter(pk=deal.pk).update(amount=400)
    DealAmountChange.objects.filter(amount=100, at__gt=at(9, 1)).delete()  # what the trigger wrote of this very update
    assert figures()["open_value"].value == Decimal(200)
    assert figures(JULY)["open_value"].value == Decimal(300)


def test_changing_an_amount_today_leaves_the_past_alone():
    deal = live([("P", at(6, 1))], 100)
    before = figures()["open_value"].value
    with transaction.atomic():
        Deal.objects.filter(pk=deal.pk).update(amount=999)
    assert figures()["open_value"].value == before == Decimal(100)


def test_weighted_by_the_stage_and_the_probability_of_the_time(stages):
    live([("P", at(6, 1)), ("R", at(6, 10)), ("C", at(7, 5))], 1000)
    assert figures()["weighted_value"].value == Decimal(500)
    StageProbabilityChange.objects.create(stage=stages["proposal"], at=at(7, 20), before=40)
    assert figures()["weighted_value"].value == Decimal(400)
    assert figures(JULY)["weighted_value"].value == Decimal(850)


def test_a_later_change_of_probability_leaves_the_past_alone(stages):
    live([("P", at(6, 1))], 1000)
    stages["prospecting"].probability = 90
    stages["prospecting"].save()
    assert figures()["weighted_value"].value == Decimal(100)


def test_an_undone_stay_weighs_nothing(stages):
    deal = live([("P", at(6, 1)), ("R", at(6, 10))], 1000)
    deal.visits.filter(stage__slug="proposal").update(reverted_at=at(6, 10))
    deal.visits.filter(stage__slug="prospecting").update(left_at=None)
    Deal.objects.filter(pk=deal.pk).update(stage=stages["prospecting"])
    assert figures()["weighted_value"].value == Decimal(100)


def test_unknown_creation_is_open_since_its_recording():
    deal = live([("P", None)], 10)
    Deal.objects.filter(pk=deal.pk).update(recorded_at=at(7, 15))
    assert figures()["open_deals"].value == 0
    assert figures(JULY)["open_deals"].value == 1


def test_open_is_what_the_deals_themselves_call_open():
    """The statement counts stays; `Deal.objects.open_at` looks at deals."""
    for deal in (
        live([("P", None), ("Q", at(6, 5))]), live([("P", at(6, 1)), ("Q", at(6, 5)), ("P", at(6, 30))]),
        live([("P", at(6, 1)), ("R", at(7, 1))]), win(at(7, 2)), lose(at(7, 1)), lose(at(7, 5), created_at=None),
    ):  # fmt: skip
        Deal.objects.filter(pk=deal.pk).update(recorded_at=at(7, 10))
    for period in (JUNE, JULY):
        assert figures(period)["open_deals"].value == Deal.objects.open_at(period.ends_at).count() > 0


# --- Money in several currencies --------------------------------------------------------------------------------------


def quote(currency: str, **rates: str) -> None:
    for day, rate in rates.items():
        month, number = day.removeprefix("d").split("_")
        ExchangeRate.objects.create(on=dt.date(2026, int(month), int(number)), currency=currency, rate=Decimal(rate))


def test_each_deal_at_the_rate_of_its_day():
    quote("USD", d5_1="0.5", d6_10="0.8", d7_1="0.9")
    win(at(6, 9), 100, currency="USD")  # 50
    win(at(6, 10), 100, currency="USD")  # 80
    win(at(6, 20), 100)  # 100
    lose(at(6, 15), 100, currency="USD")  # 80
    live([("P", at(6, 1))], 1000, currency="USD")  # 900 on the day the period ends
    june = figures()
    assert june["won_value"].value == Decimal(230)
    assert june["average_deal_size"].median == Decimal(80)
    assert june["win_rate_value"].numerator == Decimal(230)
    assert june["win_rate_value"].denominator == Decimal(310)
    assert june["open_value"].value == Decimal(900)
    assert june["weighted_value"].value == Decimal(90)


def test_the_day_of_a_rate_is_the_organisations(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    quote("USD", d6_9="0.5", d6_10="0.8")
    win(at(6, 9, 16), 100, currency="USD")  # already the tenth in Tokyo
    assert figures()["won_value"].value == Decimal(80)


def test_a_missing_rate_is_named_and_never_one():
    quote("USD", d6_15="0.8")
    win(at(6, 10), 100, currency="USD")
    win(at(6, 20), 100, currency="USD")
    june = figures()
    for key in ("won_value", "average_deal_size", "win_rate_value", "velocity"):
        assert june[key].value is None
        assert "USD" in june[key].reason
        assert "2026-06-10" in june[key].reason
    assert june["average_deal_size"].median is None
    assert (june["won_deals"].value, june["win_rate"].value) == (2, 1.0)


def test_a_missing_rate_of_open_deals_names_the_day_asked_about():
    live([("P", at(6, 1))], 1000, currency="USD")
    assert figures()["open_value"].reason == "no exchange rate for USD on 2026-07-01"
    assert figures()["open_deals"].value == 1


def test_an_unknown_amount_needs_no_rate():
    win(at(6, 10), None, currency="USD")
    win(at(6, 10), 5)
    assert figures()["won_value"].value == Decimal(5)


# --- Whose ------------------------------------------------------------------------------------------------------------


def test_a_win_belongs_to_who_closed_it():
    winner, heir = UserFactory(), UserFactory()
    deal = win(at(6, 10), owner=winner, closing_owner=winner)
    Deal.objects.filter(pk=deal.pk).update(owner=heir)
    assert figures(owner=winner)["won_deals"].value == 1
    assert figures(owner=heir)["won_deals"].value == 0
    win(at(6, 10), owner=heir)  # imported: nobody noted who closed it
    assert figures(owner=heir)["won_deals"].value == 1


def test_the_shape_of_json():
    for number in range(7):
        (win if number < 4 else lose)(at(6, 2), 10)
    assert figures()["win_rate"].as_json() == {
        "value": 0.5714, "unit": "ratio", "numerator": 4, "denominator": 7, "low": 0.2505, "high": 0.8418, "n": 7,
    }  # fmt: skip
    assert figures(JUNE)["won_value"].as_json() == {"value": "40.00", "unit": "money", "n": 4}
