"""How a lead's score is drawn: a number with its bar, and the facts that it is the sum of, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import template
from django.utils.translation import get_language, gettext_noop, ngettext
from django.utils.translation import gettext as _

from crm.models import Lead

register = template.Library()

HIGH = 70
"""From here on a bar is drawn in the accent colour."""
SHOWN = 3
DETAILED = 120
"""Characters from which on somebody wrote in detail."""


@register.filter
def is_high(score: int) -> bool:
    """Whether a score is one to begin with."""
    return score >= HIGH


@register.filter
def score_start(lead: Lead) -> int | None:
    """Where the sum starts: the score of the average lead, or of one of which no rule says anything."""
    return next((reason["points"] for reason in lead.score_reasons if reason["feature"] == "start"), None)


@register.filter
def score_reasons(lead: Lead, most: int = SHOWN) -> list[dict[str, Any]]:
    """Return the strongest reasons, each as points (with their sign), words, and whether it speaks for the lead."""
    told = [reason for reason in lead.score_reasons if reason["feature"] not in {"start", "rest"}]
    return [_shown(lead, reason) for reason in told[:most]]


@register.filter
def score_rest(lead: Lead) -> str:
    """What all weaker reasons add up to; nothing where there is no such thing."""
    told = [reason for reason in lead.score_reasons if reason["feature"] not in {"start", "rest"}]
    rest = sum(reason["points"] for reason in told[SHOWN:])
    rest += sum(reason["points"] for reason in lead.score_reasons if reason["feature"] == "rest")
    return _signed(rest) if rest else ""


def _shown(lead: Lead, reason: dict[str, Any]) -> dict[str, Any]:
    return {"points": _signed(reason["points"]), "words": _words(lead, reason), "is_good": reason["points"] > 0}


def _signed(points: int) -> str:
    return f"+{points}" if points > 0 else f"−{-points}"


def _words(lead: Lead, reason: dict[str, Any]) -> str:
    """Say a reason in the reader's language; one that a newer version wrote is said by its name."""
    say = _SAYINGS.get(reason["feature"])
    return say(lead, reason) if say else str(reason["feature"])


def _rule(_lead: Lead, reason: dict[str, Any]) -> str:
    is_russian = (get_language() or "").startswith("ru")
    return str((is_russian and reason.get("value_ru")) or reason["value"])


def _source(lead: Lead, reason: dict[str, Any]) -> str:
    if reason["value"] == "unknown" or lead.source is None:
        return _("Source not known")
    return _("Came by: %(source)s") % {"source": lead.source}


def _campaign(lead: Lead, reason: dict[str, Any]) -> str:
    if reason["value"] == "unknown" or lead.campaign is None:
        return _("No campaign")
    return _("Campaign: %(campaign)s") % {"campaign": lead.campaign}


def _message_length(_lead: Lead, reason: dict[str, Any]) -> str:
    length = _number(reason)
    if not length:
        return _("Wrote nothing")
    return _("Wrote in detail") if length >= DETAILED else _("Wrote briefly")


def _said_word(_lead: Lead, reason: dict[str, Any]) -> str:
    return _("Wrote “%(word)s”") % {"word": reason["value"]}


def _age(_lead: Lead, reason: dict[str, Any]) -> str:
    days = _number(reason)
    if not days:
        return _("Came in today")
    return ngettext("In hand for %(days)d day", "In hand for %(days)d days", days) % {"days": days}


def _quiet(_lead: Lead, reason: dict[str, Any]) -> str:
    if reason["value"] == "unknown":
        return _("Has not been in touch since")
    days = _number(reason)
    if not days:
        return _("Got in touch today")
    return ngettext("Silent for %(days)d day", "Silent for %(days)d days", days) % {"days": days}


def _inbound(_lead: Lead, reason: dict[str, Any]) -> str:
    times = _number(reason)
    if not times:
        return _("Has not got in touch again")
    return ngettext("Got in touch %(times)d time", "Got in touch %(times)d times", times) % {"times": times}


def _outbound(_lead: Lead, reason: dict[str, Any]) -> str:
    times = _number(reason)
    if not times:
        return _("We have not been in touch")
    return ngettext("We got in touch %(times)d time", "We got in touch %(times)d times", times) % {"times": times}


def _positive(_lead: Lead, reason: dict[str, Any]) -> str:
    return _("Reacted positively") if _number(reason) else _("No positive reaction yet")


def _negative(_lead: Lead, reason: dict[str, Any]) -> str:
    return _("Reacted negatively") if _number(reason) else _("No negative reaction")


def _number(reason: dict[str, Any]) -> int:
    try:
        return int(float(reason["value"]))
    except ValueError:
        return 0


def _one_of(**words: str) -> Callable[[Lead, dict[str, Any]], str]:
    """Say one of a few values; the words are marked for translation where they stand."""
    return lambda _lead, reason: _(words.get(reason["value"], reason["value"]))


_SAYINGS: dict[str, Callable[[Lead, dict[str, Any]], str]] = {
    "rule": _rule,
    "source": _source,
    "campaign": _campaign,
    "message_length": _message_length,
    "words": _said_word,
    "age_days": _age,
    "quiet_days": _quiet,
    "inbound": _inbound,
    "outbound": _outbound,
    "positive": _positive,
    "negative": _negative,
    "mailbox": _one_of(
        free=gettext_noop("Writes from a free mailbox"),
        own=gettext_noop("Writes from a company's mailbox"),
        unknown=gettext_noop("Left no e-mail address"),
    ),
    "company": _one_of(yes=gettext_noop("Named a company"), no=gettext_noop("Named no company")),
    "phone": _one_of(yes=gettext_noop("Left a phone number"), no=gettext_noop("Left no phone number")),
    "came": _one_of(
        day=gettext_noop("Came in during the working day"),
        evening=gettext_noop("Came in outside working hours"),
        weekend=gettext_noop("Came in at the weekend"),
    ),
    "answered": _one_of(
        soon=gettext_noop("Answered within the hour"),
        day=gettext_noop("Answered within a day"),
        late=gettext_noop("Answered after more than a day"),
        **{"not": gettext_noop("Not answered yet")},
    ),
}
