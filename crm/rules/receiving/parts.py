"""The parts of a message: its text, its HTML, its files; however deep, however broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

from crm.rules.receiving.texts import decoded, header, shown

DEEPEST = 50
"""Nobody nests further who wants to be read."""
MOST_PARTS, MOST_FILES = 300, 50
LONGEST_TEXT, LONGEST_HTML = 200_000, 500_000
_BARE_NAME = re.compile(r"name\s*=\s*\"?([^\";]{1,255})", re.IGNORECASE)
_INLINE_TEXTS = frozenset({"text/plain", "text/html", "text/x-amp-html", "text/watch-html"})


@dataclass(frozen=True)
class FoundFile:
    """A file of a message, as it was sent; its declared type is its sender's word alone."""

    name: str
    declared_type: str
    content: bytes
    content_id: str = ""


@dataclass
class Contents:
    """What a message holds; `calendars` are its invitations and answers to them."""

    text: str = ""
    html: str = ""
    files: list[FoundFile] = field(default_factory=list)
    calendars: list[bytes] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


def contents_of(message: Message) -> Contents:
    """Gather the text, the HTML and the files of a message; messages within it are files."""
    found = Contents()
    for part in leaves(message):
        _gather(part, found)
    found.text, found.html = found.text[:LONGEST_TEXT], found.html[:LONGEST_HTML]
    return found


def leaves(message: Message) -> Iterator[Message]:
    """Walk the parts that are no containers, without recursion, as far as anybody would write them."""
    waiting, seen = [(message, 0)], 0
    while waiting and seen < MOST_PARTS:
        part, depth = waiting.pop()
        seen += 1
        is_container = part.get_content_maintype() == "multipart" and part.is_multipart()
        if is_container and depth < DEEPEST:
            waiting += [(each, depth + 1) for each in reversed(within(part))]
        elif not is_container:
            yield part


def within(part: Message) -> list[Message]:
    """Return the messages that a part holds; asking a part that holds a text decodes it, and may fail."""
    inner = part.get_payload() if part.is_multipart() else []
    return [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []


def _gather(part: Message, found: Contents) -> None:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        _gather_message(part, found)
        return
    content = payload_of(part)
    if kind == "text/calendar" and len(found.calendars) < MOST_FILES:
        found.calendars.append(content)
    if kind in _INLINE_TEXTS and not _is_file(part):
        _gather_text(kind, decoded(content, str(part.get_content_charset() or "")), found)
    elif content and len(found.files) < MOST_FILES and not kind.startswith(("message/delivery", "message/feedback")):
        found.files.append(FoundFile(_name_of(part, kind), kind, content, _content_id(part)))


def _gather_text(kind: str, text: str, found: Contents) -> None:
    text = shown(text.replace("\r\n", "\n").replace("\r", "\n"))
    if kind == "text/plain":
        found.text = f"{found.text}\n\n{text}" if found.text and text.strip() else found.text or text
    elif kind == "text/html" and not found.html:
        found.html = text


def _gather_message(part: Message, found: Contents) -> None:
    inner = within(part)
    if not inner:
        return
    found.messages.append(inner[0])
    if len(found.files) < MOST_FILES:
        subject = header(inner[0].get("Subject", "")) or "message"
        found.files.append(FoundFile(_tidy(f"{subject[:80]}.eml"), "message/rfc822", flat(inner[0])))


def flat(message: Message) -> bytes:
    """Return a message as it is written; nothing where that cannot be."""
    try:
        return message.as_bytes()
    except (UnicodeError, LookupError, ValueError, RecursionError, KeyError):
        return b""


def payload_of(part: Message) -> bytes:
    """Return what a part holds, decoded as far as that can be."""
    for is_decoded in (True, False):
        try:
            content = part.get_payload(decode=is_decoded)
        except (ValueError, LookupError, AssertionError):
            continue
        if isinstance(content, bytes):
            return content
        if isinstance(content, str):
            return content.encode("utf-8", "surrogateescape")
    return b""


def _is_file(part: Message) -> bool:
    said = str(part.get("Content-Disposition", "")).lower()
    return said.startswith("attachment") or bool(_file_name(part))


def _file_name(part: Message) -> str:
    raw = " ".join(value for name, value in part.raw_items() if name.lower() in {"content-disposition", "content-type"})
    if not raw.isascii():  # bytes as they are, which no standard allows
        found = _BARE_NAME.search(header(raw))
        return found[1].strip() if found else ""
    try:
        return str(part.get_filename() or "")
    except (ValueError, LookupError, TypeError, UnicodeError):
        return ""


def _name_of(part: Message, kind: str) -> str:
    name = _tidy(header(_file_name(part)))
    return name or f"file.{kind.rpartition('/')[2].rpartition('-')[2][:10]}"


def _tidy(name: str) -> str:
    """The last part of a path, without what no folder takes."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join("_" if letter in '<>:"|?*' else letter for letter in last).strip(" .")[-150:]


def _content_id(part: Message) -> str:
    return str(part.get("Content-ID", "")).strip().strip("<>")[:200]
