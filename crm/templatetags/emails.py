"""The mark beside an address that gets no mail."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crm.rules.suppression import suppressed

register = template.Library()


@register.simple_tag
def no_mail(address: str) -> SafeString | str:
    """Say that, and why, an address gets no mail; nothing where mail may go."""
    found = suppressed(address) if address else None
    if found is None:
        return ""
    return format_html(' <span class="tag is-amber">{}: {}</span>', _("gets no mail"), found.get_reason_display())
