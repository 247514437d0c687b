"""How a person is drawn: by their initials, in a circle that says the whole name."""

from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.models import User
from crm.templatetags.formats import initials

register = template.Library()


@register.simple_tag(takes_context=True)
def person_mark(context: dict[str, Any], person: User | None, size: int = 20) -> SafeString | str:
    """Draw `person` (nothing where there is none) `size` pixels wide (20, 24, 28); oneself is tinted."""
    if person is None:
        return ""
    request = context.get("request")
    return _drawn(str(person), size, is_mine=request is not None and person == request.user)


@lru_cache(maxsize=2_000)  # a list draws the same few people in every row
def _drawn(name: str, size: int, *, is_mine: bool) -> SafeString:
    return format_html(
        '<span class="initials initials-{0}{1}" title="{2}" aria-label="{2}" role="img">{3}</span>',
        size,
        " is-mine" if is_mine else "",
        name,
        initials(name),
    )
