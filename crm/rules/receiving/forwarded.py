"""Mail that a person passed on: who wrote it first, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crm.rules.receiving.parsing import Mail
from crm.rules.receiving.texts import addresses, header

_FROM = re.compile(
    r"^[>\s*_]{0,6}(?:from|от|от кого|отправитель)[*_]{0,2}\s?:[*_\s]{0,4}(?P<who>.{3,300}?)[*_]{0,2}\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT = re.compile(
    r"^[>\s*_]{0,6}(?:subject|тема)[*_]{0,2}\s?:[*_\s]{0,4}(?P<what>.{1,300}?)\s*$", re.IGNORECASE | re.MULTILINE
)
_PASSED_ON = re.compile(r"\s*(?:fwd?|wg|tr|пересл(?:ано)?|на)\s*:\s*", re.IGNORECASE)
_MAILTO = re.compile(r"\[mailto:([^\]\s]{3,254})\]")
_LABELS = r"from|sent|date|to|cc|subject|reply-to|от|от кого|отправитель|отправлено|дата|дата отправки|кому|копия|тема"
_HEADER_LINE = re.compile(rf"^[>\s*_]{{0,6}}(?:{_LABELS})[*_]{{0,2}}\s?:", re.IGNORECASE)
LONGEST = 30_000


@dataclass(frozen=True)
class Inner:
    """The message that was passed on: its writer, its subject and its text."""

    sender: tuple[str, str]
    subject_line: str
    text: str


def inner_message(mail: Mail) -> Inner | None:
    """Return the message that `mail` passes on, attached or quoted; None where it passes on none."""
    for attached in mail.contents.messages[:1]:
        senders = addresses([str(value) for name, value in attached.raw_items() if name.lower() == "from"])
        if senders:
            return Inner(senders[0], header(attached.get("Subject", ""))[:500], mail.text)
    text = mail.text[:LONGEST]
    found = _FROM.search(text)
    writers = addresses([_MAILTO.sub(r"<\1>", found["who"])]) if found else []
    if found is None or not writers:
        return None
    subject = _SUBJECT.search(text, found.end(), found.end() + 1_500)
    line = header(subject["what"]) if subject else _PASSED_ON.sub("", mail.subject_line, count=1)
    return Inner(writers[0], line[:500], _below_headers(text[found.start() :]))


def _below_headers(text: str) -> str:
    """The text behind the headers that stand at its beginning."""
    lines = text.split("\n")
    last = max((number for number, line in enumerate(lines[:12]) if _HEADER_LINE.match(line)), default=-1)
    return "\n".join(line.lstrip("> ") if line.startswith(">") else line for line in lines[last + 1 :]).strip()
