"""Small drawings as SVG: rings, bars, lines. Their size is data, which no CSS can say where inline style is barred."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from django import template
from django.http import HttpRequest, QueryDict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext

register = template.Library()

WIDTH, HEIGHT, MARGIN = 88.0, 28.0, 3.0  # of a sparkline, in its own units
GAP = 1.5  # between two states of a bar, in percent of its width
LEAST = 5.0  # a state that holds anything is at least this wide
STATES = ("overdue", "today", "planned", "unplanned")  # in their fixed order


class Stage(Protocol):
    """What a ring needs to know of a stage."""

    probability: Decimal
    color: str
    kind: str


@register.simple_tag
def stage_ring(stage: Stage) -> SafeString:
    """Draw a stage's ring filled to its probability; a tick for the stage that means won."""
    return ring(stage.probability, stage.color, stage.kind)


@register.simple_tag
def ring(probability: Decimal | float, color: str, kind: str = "open") -> SafeString:
    """Draw a ring of the stage.color `colour`, filled to `probability` (0 to 100); a tick when `kind` is "won"."""
    if kind == "won":
        return format_html(
            '<svg class="stage-ring stage-{}" viewBox="0 0 14 14" aria-hidden="true">'
            '<circle class="disc" cx="7" cy="7" r="7"/><path class="tick" d="M4.2 7.2l2 2 3.8-4"/></svg>',
            color,
        )
    return format_html(
        '<svg class="stage-ring stage-{}" viewBox="0 0 14 14" aria-hidden="true">'
        '<circle class="ring" cx="7" cy="7" r="6"/>'
        '<circle class="pie" cx="7" cy="7" r="2" pathLength="100" stroke-dasharray="{} 100"'
        ' transform="rotate(-90 7 7)"/></svg>',
        color,
        f"{min(max(float(probability), 0), 100):g}",
    )


@register.simple_tag
def clock_ring(left: float) -> SafeString:
    """Draw the response clock: the share of time `left` (0 to 1) of a ring running out."""
    return format_html(
        '<svg class="clock-ring" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5"/>'
        '<circle class="left" cx="10" cy="10" r="7.5" pathLength="100" stroke-dasharray="{} 100"'
        ' transform="rotate(-90 10 10)"/></svg>',
        f"{min(max(left, 0), 1) * 100:.0f}",
    )


@register.simple_tag
def goal_bar(done: float, pace: float | None = None) -> SafeString:
    """Draw progress to a goal (`done`, 0 to 1) with a stroke where it should stand by now (`pace`)."""
    stroke = ""
    if pace is not None:
        stroke = format_html('<rect class="pace" x="{}%" y="0" width="2" height="12"/>', f"{min(pace, 1) * 100:.1f}")
    return format_html(
        '<svg class="goal" aria-hidden="true"><rect class="ground" y="3" width="100%" height="6" rx="3"/>'
        '<rect class="done" y="3" width="{}%" height="6" rx="3"/>{}</svg>',
        f"{min(max(done, 0), 1) * 100:.1f}",
        stroke,
    )


# --- The bar of next-activity states --------------------------------------------------------------------------------


def _state_words(state: str, count: int) -> str:
    return {
        "overdue": ngettext("{count} overdue", "{count} overdue", count),
        "today": ngettext("{count} today", "{count} today", count),
        "planned": ngettext("{count} planned", "{count} planned", count),
        "unplanned": ngettext("{count} nothing planned", "{count} nothing planned", count),
    }[state].format(count=count)


def _state_shape(state: str, x: float, width: float) -> SafeString:
    """Each state has its own thickness; nothing planned is dashed."""
    if state == "unplanned":
        return format_html('<line class="unplanned" x1="{}%" x2="{}%" y1="3" y2="3"/>', f"{x:.2f}", f"{x + width:.2f}")
    thick = {"overdue": 6, "today": 4, "planned": 2}[state]
    return format_html(
        '<rect class="{}" x="{}%" y="{}" width="{}%" height="{}" rx="{}"/>',
        state,
        f"{x:.2f}",
        3 - thick // 2,
        f"{width:.2f}",
        thick,
        thick // 2,
    )


def _widths(counts: Sequence[int]) -> list[float]:
    """Share 100% less the gaps among the states that hold anything."""
    held = [count for count in counts if count]
    room = 100 - GAP * (len(held) - 1)
    spare = room - LEAST * len(held)
    return [LEAST + spare * count / sum(held) if count else 0 for count in counts]


@register.simple_tag(takes_context=True)
def state_bar(  # noqa: PLR0917 -- the four states in their fixed order, as a template names them
    context: dict[str, Any], overdue: int, today: int, planned: int, unplanned: int, param: str = "state"
) -> SafeString:
    """Draw how many deals are in each next-activity state; each part links to the page filtered by it."""
    request: HttpRequest | None = context.get("request")
    query = request.GET.urlencode() if request else ""
    return _drawn_bar((overdue, today, planned, unplanned), query, param, get_language() or "")


@lru_cache(maxsize=500)  # a board draws one for each column, and most columns are as they were
def _drawn_bar(counts: tuple[int, int, int, int], query: str, param: str, _language: str) -> SafeString:
    parts, x = [], 0.0
    for state, count, width in zip(STATES, counts, _widths(counts), strict=True):
        if not count:
            continue
        words, narrowed = _state_words(state, count), QueryDict(query, mutable=True)
        narrowed[param] = state
        parts.append((narrowed.urlencode(), words, words, _state_shape(state, x, width)))
        x += width + GAP
    links = format_html_join("", '<a href="?{}" aria-label="{}"><title>{}</title>{}</a>', parts)
    return format_html('<svg class="state-bar">{}</svg>', links)


# --- Sparkline ------------------------------------------------------------------------------------------------------


@register.simple_tag
def sparkline(values: Sequence[float | None]) -> SafeString | str:
    """Draw a trend without axes, its last point marked; gaps are passed over. Fewer than two points are no trend."""
    known = [(index, float(value)) for index, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    across = (WIDTH - 2 * MARGIN) / (len(values) - 1)
    up = (HEIGHT - 2 * MARGIN) / (high - low) if high > low else 0
    points = [(MARGIN + index * across, HEIGHT - MARGIN - (value - low) * up) for index, value in known]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    (first_x, _first_y), (last_x, last_y) = points[0], points[-1]
    return format_html(
        '<svg class="sparkline" viewBox="0 0 88 28" aria-hidden="true"><polygon points="{} {},28 {},28"/>'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="2.5"/></svg>',
        line,
        f"{last_x:.1f}",
        f"{first_x:.1f}",
        line,
        f"{last_x:.1f}",
        f"{last_y:.1f}",
    )
