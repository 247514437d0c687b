"""Differences of shares, as people read them. Formatting only."""

from __future__ import annotations

from babel.numbers import format_decimal
from django import template

from crm.templatetags.formats import active_locale

register = template.Library()


@register.filter
def points(difference: float) -> str:
    """Write a difference of two shares in percentage points: "+4.1", "−2,0"."""
    return str(format_decimal(round(difference * 100, 1), format="+0.0;−0.0", locale=active_locale()))
