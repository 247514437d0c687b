"""How a lead is drawn: its response clock, and the tag of its status."""

import datetime as dt
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crm.models import Lead
from crm.rules.response_clock import Clocks, ResponseClock
from crm.templatetags.drawings import clock_ring
from crm.templatetags.formats import day, duration_exact, moment, number
from crm.templatetags.icons import icon

register = template.Library()

MOST_COUNTED = 1_000
"""Further nobody counts leads, or pages through them: who has more narrows the list, or exports it."""

CLOCKS = {"late": "is-late", "short": "is-short", "running": "is-running", "answered_late": "was-late"}
PICTURES = {
    "late": "alert-circle-filled",
    "answered": "check",
    "answered_late": "clock",
    "back": "zzz",
    "stopped": "minus",
}
"""Of clocks that do not run; those that do draw what is left of them."""

TAGS = {Lead.Status.NEW: "is-accent", Lead.Status.QUALIFIED: "is-green", Lead.Status.CONVERTED: "is-green"}


@register.simple_tag
def response_clock(lead: Lead, clocks: Clocks) -> SafeString:
    """Draw how long the lead waits for its answer, or waited.

    By Python, for a list draws dozens of clocks, and a template weighs every case of each.
    """
    clock = clocks.read(lead)
    words, rest = _clock_words(lead, clock, clocks.now), _resting_until(clock, clocks.now)
    return format_html(
        '<span class="clock {}">{}<span>{}{}</span></span>',
        CLOCKS.get(clock.state, ""),
        _clock_picture(clock),
        words,
        format_html("<small>{}</small>", rest) if rest else "",
    )


@register.inclusion_tag("crm/_response_clock.html")
def response_clock_box(lead: Lead, clocks: Clocks) -> dict[str, Any]:
    """Draw the clock of the lead in hand, with the goal and when it came in."""
    clock, now = clocks.read(lead), clocks.now
    words, rest = _clock_words(lead, clock, now, boxed=True), _resting_until(clock, now)
    return {"lead": lead, "clock": clock, "now": now, "picture": _clock_picture(clock), "words": words, "rest": rest}


def _clock_picture(clock: ResponseClock) -> SafeString:
    name = PICTURES.get(clock.state)
    return icon(name) if name else clock_ring(clock.left)


def _resting_until(clock: ResponseClock, now: dt.datetime) -> str:
    """Say when a resting clock runs on; nothing where it does not rest."""
    if clock.resumes_at is None:
        return ""
    return format_html(_("rests until %(resumes)s") % {"resumes": "{}"}, moment(clock.resumes_at, now, inside=True))


def _clock_words(lead: Lead, clock: ResponseClock, now: dt.datetime, *, boxed: bool = False) -> str:
    match clock.state:
        case "back" if lead.nurture_until:
            return format_html(_("back on %(on)s") % {"on": "{}"}, day(lead.nurture_until, now))
        case "back":
            return _("put aside")
        case "stopped":
            return _("not answered")
        case "late":
            words = _("%(length)s late")
        case "answered" | "answered_late":
            words = _("answered in %(length)s")
        case "resting" if boxed and clock.resumes_at:
            words = _("%(length)s of working time left to answer")
        case _:
            words = _("%(length)s left to answer") if boxed else _("%(length)s left")
    return words % {"length": duration_exact(clock.length)}


@register.filter
def status_tag(lead: Lead) -> str:
    """Name the colour of the tag that says the lead's status."""
    return TAGS.get(lead.status, "")  # type: ignore[call-overload]


@register.filter
def status_name(lead: Lead) -> str:
    """Name the lead's status; Django's own way makes a table of all of them for every row."""
    return str(Lead.Status(lead.status).label)


@register.filter
def counted(count: int) -> str:
    """Write a number that was counted to one more than `MOST_COUNTED`: "38", "1,000+"."""
    return f"{number(MOST_COUNTED)}+" if count > MOST_COUNTED else number(count)
