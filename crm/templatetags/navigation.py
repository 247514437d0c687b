"""What the page around a page needs: where one is, and which theme to paint with."""

from functools import lru_cache
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.templatetags.icons import icon

register = template.Library()

HERE = format_html(' aria-current="{}"', "page")
THEMES = ("auto", "light", "dark")


@register.simple_tag(takes_context=True)
def place(context: dict[str, Any], url_name: str, icon_name: str, label: str, count: int | str = "") -> str:
    """Link to one of the product's places, marked when the present page lies in it."""
    request: HttpRequest | None = context.get("request")
    try:
        url = reverse(url_name)
    except NoReverseMatch:
        return ""
    path = request.path if request else ""
    is_here = path == "/" if url == "/" else path.startswith(url)
    return _drawn(url, icon(icon_name), str(label), count or "", is_here)


@lru_cache(maxsize=1_000)  # every page draws the same places, most of them twice
def _drawn(url: str, drawing: SafeString, label: str, count: int | str, is_here: bool) -> SafeString:  # noqa: FBT001
    return format_html(
        '<a class="place" href="{}"{}>{}<span>{}</span>{}</a>',
        url,
        HERE if is_here else "",
        drawing,
        label,
        format_html('<span class="count">{}</span>', count) if count else "",
    )


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """Name the theme: the person's own, before login the one the browser remembers, else as the device says."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return "auto"
    chosen = getattr(context.get("user"), "theme", None) or request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else "auto"
