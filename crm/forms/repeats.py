"""How often something repeats: the usual ways to choose from, and any RFC 5545 rule for those who know one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.forms.inputs import DayInput
from crm.rules.recurring import BadRule, Repeat, parts_of, read_rule

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LAST_SAFE_DAY = 28
"""Later days are not in every month: there the last that is."""
OWN = "own"
REPEATS = {
    "": gettext_lazy("Once"),
    "daily": gettext_lazy("Every day"),
    "workdays": gettext_lazy("Monday to Friday"),
    "weekly": gettext_lazy("Every week, on chosen days"),
    "monthly_day": gettext_lazy("Every month, on this date"),
    "monthly_weekday": gettext_lazy("Every month, on this weekday of the month"),
    "yearly": gettext_lazy("Every year"),
    OWN: gettext_lazy("By a rule of its own"),
}


class RepeatFields(forms.Form):
    """The fields with which a plan says how it repeats; `repeat_said` is the answer for the rule."""

    repeat = forms.ChoiceField(label=gettext_lazy("Repeats"), choices=list(REPEATS.items()), required=False)
    every = forms.IntegerField(label=gettext_lazy("Every so many"), min_value=1, max_value=999, required=False)
    days = forms.MultipleChoiceField(
        label=gettext_lazy("On"),
        choices=[(day, WEEKDAYS_ABBR[index]) for index, day in enumerate(DAYS)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    repeat_until = forms.DateField(label=gettext_lazy("Until"), required=False, widget=DayInput)
    repeat_count = forms.IntegerField(label=gettext_lazy("So many times"), min_value=1, max_value=9_999, required=False)
    rule = forms.CharField(
        label=gettext_lazy("Rule"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("As RFC 5545 writes it: FREQ=MONTHLY;BYDAY=-1FR is the last Friday of each month."),
    )
    skips_days_off = forms.BooleanField(
        label=gettext_lazy("If it is not a working day: on the next one"), required=False
    )

    def clean(self) -> dict[str, Any]:
        """Make one rule of the fields, or say which of them is wrong."""
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["said_rule"] = ""
        due = cleaned.get("due")
        if not cleaned.get("repeat") or due is None:
            return cleaned
        if cleaned.get("repeat_until") and cleaned.get("repeat_count"):
            self.add_error("repeat_count", ValidationError(_("Say until when or how many times, not both."), "both"))
            return cleaned
        if cleaned.get("repeat_until") and cleaned["repeat_until"] < due.local.date():
            self.add_error("repeat_until", ValidationError(_("It would end before it begins."), "past"))
            return cleaned
        try:
            cleaned["said_rule"] = read_rule(_rule_of(cleaned, due.local))
        except BadRule as refusal:
            self.add_error("rule", ValidationError(refusal.message, refusal.code))
        return cleaned

    def repeat_said(self) -> Repeat | None:
        """Return how it repeats; None once."""
        said = self.cleaned_data
        return Repeat(said["said_rule"], said["skips_days_off"]) if said["said_rule"] else None


def initial_of(repeat: Repeat | None, due: dt.datetime) -> dict[str, Any]:
    """Return what the fields show of a rule: the usual way it is, or the rule itself."""
    if repeat is None:
        return {"repeat": ""}
    parts = parts_of(repeat.rule)
    until, count = parts.pop("UNTIL", ""), parts.pop("COUNT", "")
    shown: dict[str, Any] = {
        "rule": repeat.rule,
        "skips_days_off": repeat.skips_days_off,
        "repeat_until": dt.date.fromisoformat(until) if until else None,
        "repeat_count": count or None,
        "every": parts.get("INTERVAL"),
        "days": parts.get("BYDAY", "").split(",") if parts["FREQ"] == "WEEKLY" else [],
    }
    bare = ";".join(f"{name}={part}" for name, part in parts.items())
    for key in list(REPEATS)[1:-1]:
        if read_rule(_rule_of({**shown, "repeat": key, "repeat_until": None, "repeat_count": None}, due)) == bare:
            return {**shown, "repeat": key, "rule": ""}
    return {**shown, "repeat": OWN}


def _rule_of(said: dict[str, Any], due: dt.datetime) -> str:
    """Return the rule that the fields mean for something first due then."""
    if said["repeat"] == OWN:
        return said.get("rule") or ""
    bodies = {
        "daily": "FREQ=DAILY",
        "workdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        "weekly": f"FREQ=WEEKLY;BYDAY={','.join(said.get('days') or [DAYS[due.weekday()]])}",
        "monthly_day": f"FREQ=MONTHLY;{_on_date(due)}",
        "monthly_weekday": f"FREQ=MONTHLY;BYDAY={_nth(due)}{DAYS[due.weekday()]}",
        "yearly": f"FREQ=YEARLY;BYMONTH={due.month};{_on_date(due)}",
    }
    rule = bodies[said["repeat"]]
    if said.get("every"):
        rule += f";INTERVAL={said['every']}"
    if said.get("repeat_until"):
        rule += f";UNTIL={said['repeat_until']:%Y%m%d}"
    return rule + (f";COUNT={said['repeat_count']}" if said.get("repeat_count") else "")


def _on_date(due: dt.datetime) -> str:
    if due.day <= LAST_SAFE_DAY:
        return f"BYMONTHDAY={due.day}"
    days = ",".join(str(day) for day in range(LAST_SAFE_DAY, due.day + 1))
    return f"BYMONTHDAY={days};BYSETPOS=-1"


def _nth(due: dt.datetime) -> int:
    """Which of its weekdays in the month a day is; the fifth is the last."""
    nth = (due.day - 1) // 7 + 1
    return nth if nth < 5 else -1


# --- In words -------------------------------------------------------------------------------------------------------


def in_words(repeat: Repeat) -> str:
    """Return how it repeats, as a person says it."""
    parts = parts_of(repeat.rule)
    words = _frequency(parts["FREQ"], int(parts.get("INTERVAL", 1)))
    if days := [WEEKDAYS_ABBR[DAYS.index(day)] for day in parts.get("BYDAY", "").split(",") if day in DAYS]:
        words = _("%(often)s on %(days)s") % {"often": words, "days": ", ".join(str(day) for day in days)}
    if "UNTIL" in parts:
        last = date_format(dt.date.fromisoformat(parts["UNTIL"]), "DATE_FORMAT")
        words = _("%(often)s until %(day)s") % {"often": words, "day": last}
    if "COUNT" in parts:
        times = ngettext("%(count)d time", "%(count)d times", int(parts["COUNT"])) % {"count": int(parts["COUNT"])}
        words = f"{words}, {times}"
    return words


def _frequency(frequency: str, interval: int) -> str:
    words = {
        "DAILY": ngettext("every day", "every %(n)d days", interval),
        "WEEKLY": ngettext("every week", "every %(n)d weeks", interval),
        "MONTHLY": ngettext("every month", "every %(n)d months", interval),
        "YEARLY": ngettext("every year", "every %(n)d years", interval),
    }
    return words[frequency] % {"n": interval} if "%" in words[frequency] else words[frequency]
