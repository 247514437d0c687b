"""How the import wizard writes values and times."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.translation import ngettext

register = template.Library()


@register.filter
def imported(value: Any) -> str:
    """A value as a record would hold it; a date by its month’s name, so that nobody takes it for another."""
    if value is None or value == "":
        return "—"
    if isinstance(value, dt.datetime):
        moment = timezone.localtime(value)
        return formats.date_format(moment, "DATE_FORMAT" if moment.time() == dt.time() else "DATETIME_FORMAT")
    if isinstance(value, dt.date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, Decimal):
        return formats.number_format(value, use_l10n=True, force_grouping=True)
    return str(value)


@register.filter
def spelled(left: dt.timedelta) -> str:
    """A time in its largest unit: seconds, else minutes."""
    seconds = max(1, round(left.total_seconds()))
    if seconds < 90:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    minutes = round(seconds / 60)
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
