"""How a lead is drawn: its response clock, and the tag of its status."""

from typing import Any

from django import template

from crm.models import Lead
from crm.rules.response_clock import Clocks
from crm.templatetags.formats import number

register = template.Library()

MOST_COUNTED = 1_000
"""Further nobody counts leads, or pages through them: who has more narrows the list, or exports it."""

TAGS = {Lead.Status.NEW: "is-accent", Lead.Status.QUALIFIED: "is-green", Lead.Status.CONVERTED: "is-green"}


@register.inclusion_tag("crm/_response_clock.html")
def response_clock(lead: Lead, clocks: Clocks, *, boxed: bool = False) -> dict[str, Any]:
    """Draw how long the lead waits for its answer, or waited; `boxed` with the goal and when it came in."""
    return {"lead": lead, "clock": clocks.read(lead), "now": clocks.now, "boxed": boxed}


@register.filter
def status_tag(lead: Lead) -> str:
    """Name the colour of the tag that says the lead's status."""
    return TAGS.get(lead.status, "")  # type: ignore[call-overload]


@register.filter
def counted(count: int) -> str:
    """Write a number that was counted to one more than `MOST_COUNTED`: "38", "1,000+"."""
    return f"{number(MOST_COUNTED)}+" if count > MOST_COUNTED else number(count)
