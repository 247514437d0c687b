"""What the page around a page needs: where one is, and which theme to paint with."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

register = template.Library()

THEMES = ("auto", "light", "dark")


@register.inclusion_tag("components/place.html", takes_context=True)
def place(context: dict[str, Any], url_name: str, icon: str, label: str, count: int | str = "") -> dict[str, Any]:
    """Link to one of the product's places, marked when the present page lies in it."""
    request: HttpRequest | None = context.get("request")
    try:
        url = reverse(url_name)
    except NoReverseMatch:
        return {"url": ""}
    path = request.path if request else ""
    is_here = path == "/" if url == "/" else path.startswith(url)
    return {"url": url, "icon": icon, "label": label, "count": count or "", "is_here": is_here}


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """Name the theme: the person's own, before login the one the browser remembers, else as the device says."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return "auto"
    chosen = getattr(context.get("user"), "theme", None) or request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else "auto"
