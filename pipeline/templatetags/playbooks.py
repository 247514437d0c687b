"""How a playbook is drawn: plain text of an admin, whose numbered lines are a list."""

import re
from itertools import groupby

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

NUMBERED = re.compile(r"\s*\d+[.)]\s+")


@register.filter
def playbook(text: str) -> SafeString:
    """Draw paragraphs, and lists of the lines that begin with a number: "1. Open with the price"."""
    lines = [line for line in text.splitlines() if line.strip()]
    parts = (
        _list(list(group)) if is_list else _paragraphs(list(group))
        for is_list, group in groupby(lines, key=lambda line: bool(NUMBERED.match(line)))
    )
    return format_html_join("", "{}", ((part,) for part in parts))


def _list(lines: list[str]) -> SafeString:
    return format_html(
        "<ol>{}</ol>", format_html_join("", "<li>{}</li>", ((NUMBERED.sub("", line, count=1),) for line in lines))
    )


def _paragraphs(lines: list[str]) -> SafeString:
    return format_html_join("", "<p>{}</p>", ((line,) for line in lines))
