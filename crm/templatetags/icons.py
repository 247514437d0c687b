"""Icons: one `<use>` each, out of the sprite that `manage.py build_assets` makes from static/icons.txt."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """Draw the icon `name` with further classes `css`; with a `label` it speaks, without it is decoration."""
    classes = f"icon {css}".strip()
    address = f"{static('icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', classes, label, address
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', classes, address)
