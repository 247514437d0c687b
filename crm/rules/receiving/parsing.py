"""A message as it came over the wire, understood: who wrote what to whom, in answer to what."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass, field, replace
from email.message import Message
from email.utils import parsedate_to_datetime

from crm.rules import mail_html
from crm.rules.receiving.html_replies import is_too_deep, new_text_of_html, text_of_html
from crm.rules.receiving.messages import message_of
from crm.rules.receiving.new_text import new_text_of
from crm.rules.receiving.parts import Contents, FoundFile, contents_of
from crm.rules.receiving.texts import LONGEST_HEADER, addresses, decoded, header, message_ids, shown

Pair = tuple[str, str]
"""A name and an address."""
LONGEST_ID = 500
MOST_REFERENCES = 100
_ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Forwarded-To")
_BARE_FROM = re.compile(rb"^From:[^\r\n]{0,500}?([\w.+-]{1,64}@[\w.-]{1,190})", re.IGNORECASE | re.MULTILINE)
_BARE_SUBJECT = re.compile(rb"^Subject:[ \t]*([^\r\n]{0,300})", re.IGNORECASE | re.MULTILINE)
_BARE_HEADERS = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Mail:
    """One message that came in. `headers` have names in lower case; `at` is what it says of its time, if anything."""

    key: str
    headers: dict[str, list[str]]
    sender: Pair
    to: list[Pair]
    cc: list[Pair]
    delivered_to: list[str]
    subject_line: str
    message_id: str
    in_reply_to: list[str]
    references: list[str]
    at: dt.datetime | None
    contents: Contents = field(default_factory=Contents)
    text: str = ""
    html: str = ""
    new_text: str = ""
    message: Message = field(default_factory=Message, repr=False)
    is_cut: bool = False

    def header(self, name: str) -> str:
        """Return what the first header of that name says, "" without one."""
        return header(next(iter(self.headers.get(name.lower(), ())), ""))


def parse(raw: bytes, *, is_cut: bool = False) -> Mail:
    """Understand a message; whatever is wrong with it, what can be read of it is."""
    try:
        message = message_of(raw)
        contents = contents_of(message)
    except (RecursionError, ValueError, LookupError, AssertionError, TypeError):
        # Broken beyond the parser: what stands behind the headers is taken for its text.
        head, body = (*_BARE_HEADERS.split(raw, maxsplit=1), b"")[:2]
        message, contents = message_of(head + b"\n\n"), Contents(text=header(decoded(body[:LONGEST_HEADER])))
    return _written(_addressed(message, raw), contents, is_cut=is_cut)


def not_understood(raw: bytes) -> Mail:
    """Return what can be said of a message without understanding it: what its first lines say, and its original."""
    top = raw[:LONGEST_HEADER]
    sender, subject = _BARE_FROM.search(top), _BARE_SUBJECT.search(top)
    return Mail(
        key=hashlib.sha256(raw).hexdigest(),
        headers={},
        sender=("", _plain(sender[1].decode("ascii", "replace").lower()) if sender else ""),
        to=[],
        cc=[],
        delivered_to=[],
        subject_line=_plain(subject[1].decode("utf-8", "replace")) if subject else "",
        message_id="",
        in_reply_to=[],
        references=[],
        at=None,
        contents=Contents(files=[FoundFile("original.eml", "message/rfc822", raw)]),
        is_cut=True,
    )


def unreadable(mail: Mail, raw: bytes) -> Mail:
    """Return what can be said of a message that cannot be kept as it is, and its original."""
    return replace(
        not_understood(raw),
        key=mail.key,
        sender=(_plain(mail.sender[0]), _plain(mail.sender[1])),
        to=mail.to,
        cc=mail.cc,
        delivered_to=mail.delivered_to,
        subject_line=_plain(mail.subject_line),
        at=mail.at,
    )


def _plain(text: str) -> str:
    return shown(text)[:200]


def _addressed(message: Message, raw: bytes) -> Mail:
    headers: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), []).append(str(value)[:LONGEST_HEADER])
    senders = addresses(headers.get("from", [])) or addresses(headers.get("sender", []))
    message_id = next(iter(_ids(headers, "message-id")), "")
    sender = senders[0] if senders else ("", "")
    return Mail(
        key=_key(message_id, sender[1], raw),
        headers=headers,
        sender=sender,
        to=addresses(headers.get("to", [])),
        cc=addresses(headers.get("cc", [])),
        delivered_to=[address for name in _ENVELOPE for _n, address in addresses(headers.get(name.lower(), []))],
        subject_line=header(next(iter(headers.get("subject", ())), ""))[:500],
        message_id=message_id,
        in_reply_to=_ids(headers, "in-reply-to"),
        references=_ids(headers, "references")[-MOST_REFERENCES:],
        at=_date(headers),
        message=message,
    )


def _written(mail: Mail, contents: Contents, *, is_cut: bool) -> Mail:
    html = "" if is_too_deep(contents.html) else mail_html.clean_theirs(contents.html)
    text = contents.text.strip()
    return replace(
        mail,
        contents=contents,
        html=html,
        text=text or text_of_html(contents.html),
        new_text=new_text_of(text) if text else new_text_of_html(contents.html),
        is_cut=is_cut,
    )


def _key(message_id: str, sender: str, raw: bytes) -> str:
    """Tell messages apart: by Message-ID and sender, since anybody can write another's Message-ID."""
    known = f"{message_id}\n{sender}".encode(errors="replace") if message_id else raw
    return hashlib.sha256(known).hexdigest()


def _ids(headers: dict[str, list[str]], name: str) -> list[str]:
    text = " ".join(headers.get(name, ()))[:LONGEST_HEADER]
    found = message_ids(text)
    return found or [shown(word)[:LONGEST_ID] for word in text.split()[:1] if name == "message-id"]


def _date(headers: dict[str, list[str]]) -> dt.datetime | None:
    try:
        at = parsedate_to_datetime(header(next(iter(headers.get("date", ())), ""))[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return at.astimezone(dt.UTC) if 1990 < at.year < 2100 else None
