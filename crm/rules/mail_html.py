"""HTML of mails: what may stand in it, its plain text, and its dress for mail programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import css_inline
import nh3
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from markdownify import MarkdownConverter

TAGS = frozenset({
    "a", "abbr", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "hr", "i", "img", "li", "ol",
    "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
})  # fmt: skip
THEIR_TAGS = set(TAGS | {"caption", "center", "dd", "dl", "dt", "h5", "h6", "small"})
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
OURS, THEIRS = frozenset({"http", "https", "mailto", "tel"}), frozenset({"http", "https", "mailto", "tel", "cid"})
_BLANK_LINES = re.compile(r"\n{3,}")
_LINE_ENDS = re.compile(r"[ \t]+\n")


def clean(html: str) -> str:
    """Return what of `html` may be in a mail of ours: text and its shape, links, pictures; nothing that runs."""
    return nh3.clean(html, tags=set(TAGS), attributes=ATTRIBUTES, url_schemes=set(OURS), link_rel=None).strip()


def clean_theirs(html: str) -> str:
    """Return what may be shown of mail that came in: text and its shape, pictures that came along, no others."""
    return nh3.clean(
        html, tags=THEIR_TAGS, attributes=ATTRIBUTES, url_schemes=set(THEIRS), link_rel="noopener noreferrer nofollow",
        attribute_filter=_unless_remote,
    ).strip()  # fmt: skip


def shown(html: str, *, pictures: Mapping[str, str]) -> SafeString:
    """Return what came in for a page that shows it alone: cleaned once more, with `pictures` (by Content-ID) in it."""

    def drawn(tag: str, attribute: str, value: str) -> str | None:
        return pictures.get(value[4:]) if (tag, attribute) == ("img", "src") else value

    whole = nh3.clean(
        clean_theirs(html), tags=THEIR_TAGS, attributes=ATTRIBUTES, url_schemes={*THEIRS, "data"}, link_rel=None,
        attribute_filter=_without_data(drawn),
    )  # fmt: skip
    return mark_safe(whole)  # noqa: S308 (cleaned just above)


def _without_data(draw: Callable[[str, str, str], str | None]) -> Callable[[str, str, str], str | None]:
    """Let data: addresses into pictures that we put there, and nowhere else."""
    return lambda tag, name, value: None if value.lower().startswith("data:") else draw(tag, name, value)


def _unless_remote(tag: str, attribute: str, value: str) -> str | None:
    return None if (tag, attribute) == ("img", "src") and not value.lower().startswith("cid:") else value


class _Plain(MarkdownConverter):
    """Text as people type it: a link's address in brackets behind it, no marks around words."""

    def convert_a(self, el: Any, text: str, parent_tags: set[str]) -> str:  # noqa: ARG002 (the base class's signature)
        address = (el.get("href") or "").removeprefix("mailto:")
        return text if address in {"", text.strip()} else f"{text} ({address})"

    def convert_img(self, el: Any, text: str, parent_tags: set[str]) -> str:  # noqa: ARG002
        return el.get("alt") or ""


def plain(html: str) -> str:
    """Return `html` as plain text: links with their address, lists with dashes, no other marks."""
    converter = _Plain(
        bullets="-", strong_em_symbol="", escape_asterisks=False, escape_underscores=False, escape_misc=False
    )
    text = converter.convert(html)
    return _BLANK_LINES.sub("\n\n", _LINE_ENDS.sub("\n", text)).strip()


def dressed(html: str, *, unsubscribe_url: str = "") -> str:
    """Return the whole document that is sent: cleaned text in a plain frame, its styles on each element."""
    body = mark_safe(clean(html))  # noqa: S308 (cleaned in this very line)
    page = render_to_string("emails/letter.html", {"body": body, "unsubscribe_url": unsubscribe_url})
    return css_inline.inline(page, load_remote_stylesheets=False)


def framed(html: str) -> str:
    """Return the document that a sandboxed frame of a page shows: cleaned text, whose links open elsewhere.

    The frame inherits the page's content security policy: nothing in it runs, no picture from elsewhere is loaded.
    """
    return render_to_string("emails/framed.html", {"body": mark_safe(clean(html))})  # noqa: S308 (cleaned right here)
