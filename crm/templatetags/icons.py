"""Icons: one `<use>` each, out of the sprite that `manage.py build_assets` makes from static/icons.txt."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """Draw the icon `name` with further classes `css`; with a `label` it speaks, without it is decoration."""
    storage: str = settings.STORAGES["staticfiles"]["BACKEND"]
    return _drawn(_sprite(settings.STATIC_URL, storage), name, css, label)


@lru_cache(maxsize=8)  # asked for by every icon of every page, and the same until the settings change
def _sprite(_static_url: str, _storage: str) -> str:
    return static("icons.svg")


@lru_cache(maxsize=2_000)  # a board draws the same few icons hundreds of times
def _drawn(sprite: str, name: str, css: str, label: str) -> SafeString:
    classes = f"icon {css}".strip()
    address = f"{sprite}#{name}"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', classes, label, address
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', classes, address)
