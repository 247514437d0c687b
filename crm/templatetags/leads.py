"""How a lead is drawn: its response clock, and the tag of its status."""

import datetime as dt
from typing import Any

from django import template

from crm.models import Lead
from crm.models.response_clock import response_clock as read_clock

register = template.Library()

TAGS = {Lead.Status.NEW: "is-accent", Lead.Status.QUALIFIED: "is-green", Lead.Status.CONVERTED: "is-green"}


@register.inclusion_tag("crm/_response_clock.html")
def response_clock(lead: Lead, now: dt.datetime, *, boxed: bool = False) -> dict[str, Any]:
    """Draw how long the lead waits for its answer, or waited; `boxed` with the goal and when it came in."""
    clock = read_clock(lead, now)
    return {"lead": lead, "clock": clock, "now": now, "boxed": boxed, "goal": lead.respond_by - lead.created_at}


@register.filter
def status_tag(lead: Lead) -> str:
    """Name the colour of the tag that says the lead's status."""
    return TAGS.get(lead.status, "")  # type: ignore[call-overload]
