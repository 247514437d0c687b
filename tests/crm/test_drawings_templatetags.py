"""Rings, bars and lines: their lengths are the data."""

import re
from types import SimpleNamespace

from django.test import RequestFactory

from crm.templatetags import drawings


def test_a_ring_is_filled_to_the_probability() -> None:
    drawn = drawings.stage_ring(SimpleNamespace(probability=35, color="blue", kind="open"))
    assert 'stroke-dasharray="35 100"' in drawn
    assert "stage-blue" in drawn


def test_the_ring_of_a_won_stage_is_a_tick() -> None:
    assert 'class="tick"' in drawings.ring(100, "teal", "won")


def test_the_states_of_a_bar_tile_its_width_and_empty_ones_are_not_drawn() -> None:
    drawn = drawings.state_bar({}, 2, 0, 7, 1)

    widths = [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)%', drawn)]
    ends = [float(end) for end in re.findall(r'x2="([\d.]+)%', drawn)]
    assert len(widths) == 2  # overdue and planned; nothing planned is a dashed line
    assert widths[1] > widths[0]
    assert ends == [100.0]
    assert "today" not in drawn


def test_one_deal_among_a_thousand_can_still_be_seen() -> None:
    drawn = drawings.state_bar({}, 1, 0, 999, 0)
    assert float(re.findall(r'class="overdue"[^>]* width="([\d.]+)%', drawn)[0]) >= drawings.LEAST


def test_a_part_of_the_bar_filters_and_keeps_the_other_filters() -> None:
    request = RequestFactory().get("/board/sales/?owner=3&state=today")
    drawn = drawings.state_bar({"request": request}, 1, 1, 0, 0)
    assert 'href="?owner=3&amp;state=overdue"' in drawn


def test_an_empty_bar_is_empty() -> None:
    assert "<a" not in drawings.state_bar({}, 0, 0, 0, 0)


def test_a_sparkline_needs_two_points_and_passes_over_gaps() -> None:
    assert drawings.sparkline([1]) == ""
    assert drawings.sparkline([None, 3, None]) == ""
    drawn = drawings.sparkline([1, None, 3])
    assert 'points="3.0,25.0 85.0,3.0"' in drawn


def test_a_flat_trend_is_a_flat_line() -> None:
    assert 'points="3.0,25.0 85.0,25.0"' in drawings.sparkline([4, 4])


def test_a_clock_that_ran_out_is_empty() -> None:
    assert 'stroke-dasharray="0 100"' in drawings.clock_ring(-0.4)
