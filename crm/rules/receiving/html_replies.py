"""Text of HTML as mail programs show it: lines where they break, quotations marked as in plain mail."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

import nh3

from crm.rules.receiving.new_text import new_text_of

LONGEST = 500_000
DEEPEST = 400
"""Parsers take the longer for each element the more are open around it; nobody's mail is nested so deep."""
LONGEST_DEEP = 20_000
_TAGS, _TAG_NAMES = re.compile(r"<[^<>]{0,2000}>"), re.compile(r"<(/?)([a-zA-Z][\w:-]{0,30})")
_NEVER_OPEN = frozenset({
    "area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p", "source",
    "tbody",
    "td", "tfoot", "th", "thead", "tr", "wbr",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2",
    "h3", "h4",
    "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul",
})  # fmt: skip
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table"})
_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_KEPT = _BLOCKS | {"br", "span", "td", "th", "b", "strong", "img", "a", "wbr"}
_SIGNATURE = re.compile(r"\b(?:gmail_signature|moz-signature|AppleMailSignature|ms-outlook-mobile-signature)\b")
_QUOTE_BEGINS = re.compile(r"\b(?:divRplyFwdMsg|appendonsend|stopSpelling|zwchr|OutlookMessageHeader|yahoo_quoted)\b")
_DIVIDER = "-----Original Message-----"
_BLANKS = re.compile(r"[ \t\r\n\f]+")


def new_text_of_html(html: str) -> str:
    """Return what is new in a reply that has no plain text."""
    return new_text_of(text_of_html(html, is_reply=True))


def text_of_html(html: str, *, is_reply: bool = False) -> str:
    """Return HTML as plain text; of a reply the quotations that mail programs mark are marked, signatures left out."""
    if is_too_deep(html):
        return unescape(_TAGS.sub(" ", html[:LONGEST_DEEP]))
    marks = {"*": {"class", "id", "data-signatureblock"}}
    whole = nh3.clean(html[:LONGEST], tags=set(_KEPT), attributes=marks, link_rel=None)
    reader = _Reader(is_reply=is_reply)
    reader.feed(whole)
    reader.close()
    return reader.text()


def is_too_deep(html: str) -> bool:
    """Whether more elements stand open within each other than anybody would write."""
    opened: Counter[str] = Counter()
    depth = 0
    for closing, name in _TAG_NAMES.findall(html):
        tag = name.lower()
        if tag in _NEVER_OPEN or (closing and not opened[tag]):
            continue
        step = -1 if closing else 1
        opened[tag] += step
        depth += step
        if depth > DEEPEST:
            return True
    return False


class _Reader(HTMLParser):
    """Writes lines as a mail program would draw them; whole HTML from nh3 alone."""

    def __init__(self, *, is_reply: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._is_reply = is_reply
        self._lines: list[str] = []
        self._line = ""
        self._depth = 0
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, a quotation, or what is left out."""
        if self._hidden:
            self._hidden += [tag] if tag not in _VOID else []
            return
        named = dict(attrs)
        marks = f"{named.get('class') or ''} {named.get('id') or ''}"
        if self._is_reply and tag not in _VOID and (_SIGNATURE.search(marks) or "data-signatureblock" in named):
            self._hidden.append(tag)
            return
        if tag == "br" or tag in _BLOCKS:
            self._break()
        if self._is_reply and _QUOTE_BEGINS.search(marks):
            self._lines.append(_DIVIDER)
        if tag == "blockquote":
            self._depth += 1
        elif tag == "li":
            self._line = "- "
        elif tag in {"td", "th"} and self._line:
            self._line += " "

    def handle_endtag(self, tag: str) -> None:
        """End a line or a quotation."""
        if self._hidden:
            if tag in self._hidden:
                while self._hidden and self._hidden.pop() != tag:
                    pass
            return
        if tag in _BLOCKS:
            self._break()
        if tag in _SPACED:
            self._lines.append(self._prefix().rstrip())
        if tag == "blockquote":
            self._depth = max(self._depth - 1, 0)

    def handle_data(self, data: str) -> None:
        """Write on."""
        if not self._hidden:
            text = _BLANKS.sub(" ", data)
            self._line += text.lstrip(" ") if not self._line else text

    def text(self) -> str:
        """Return what was written."""
        self._break()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip()

    def _break(self) -> None:
        if self._line.strip():
            self._lines.append(self._prefix() + self._line.replace("\xa0", " ").rstrip())
        elif self._line:
            self._lines.append(self._prefix().rstrip())
        self._line = ""

    def _prefix(self) -> str:
        return "> " * min(self._depth, 5) if self._is_reply else ""
