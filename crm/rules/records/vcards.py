"""vCards (2.1, 3.0, 4.0) as a CSV file, a card a line; its columns are the vocabulary “vCard”."""

from __future__ import annotations

import contextlib
import csv
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import vobject
from vobject.base import ParseError, VObjectError

from crm.rules.records.decoding import detect_encoding

# It reports every line it cannot read, with what strangers wrote in it.
logging.getLogger("vobject").setLevel(logging.CRITICAL)

HEADER = ("FN", "ORG", "TITLE", "EMAIL 1", "EMAIL 2", "EMAIL 3", "TEL 1", "TEL 2", "TEL 3", "UID", "NOTE")
LONGEST_CARD = 4 << 20
"""Characters of a card, photograph included; what is beyond is not read."""
PLAINEST = ("BEGIN", "END", "VERSION", "N", "FN", "TEL", "EMAIL")
BROKEN = (ParseError, VObjectError, ValueError, AttributeError, IndexError, LookupError)
PICTURES = ("PHOTO", "LOGO", "SOUND", "KEY", "PROFILE")  # a profile stops the parser, and says nothing


def is_vcard(path: Path) -> bool:
    """Whether a file begins like a vCard, in whatever encoding."""
    with path.open("rb") as stream:
        head = stream.read(200).replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").lstrip()
    return head[:11].upper() == b"BEGIN:VCARD"


def write_as_csv(vcards: Path, target: Path) -> None:
    """Write each card to `target` as a line; one that cannot be read becomes a line without a name."""
    encoding = detect_encoding(vcards)
    with (
        vcards.open(encoding=encoding.name, errors="replace", newline=None) as source,
        target.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(_row(card) for card in _cards(source))


def _cards(source: Any) -> Iterator[str]:
    """The texts of the cards, without their pictures; a card within a card belongs to the outer one."""
    lines: list[str] = []
    depth = length = 0
    is_picture = goes_on = False
    while line := source.readline(LONGEST_CARD):
        word = line.strip().upper()
        depth += word == "BEGIN:VCARD"
        # Old programs do not indent the lines of a picture: what has no colon and continues nothing is one.
        is_stray = ":" not in line and line[:1] not in " \t" and not goes_on
        is_picture = is_stray or _property(line) in PICTURES or (is_picture and line[:1] in " \t")
        goes_on = line.rstrip("\r\n").endswith("=")
        if depth == 1 and not is_picture and length < LONGEST_CARD:
            lines.append(line)
            length += len(line)
        if word == "END:VCARD" and depth:
            depth -= 1
            if not depth:
                yield "".join(lines)
                lines, length = [], 0


def _property(line: str) -> str:
    """The name of the property that a line begins, without its group."""
    return line.partition(":")[0].partition(";")[0].rpartition(".")[2].strip().upper()


def _row(text: str) -> list[str]:
    """A card's cells; of one that cannot be read whole, what its plainest lines say, else its text as a note."""
    card = None
    for attempt in (text, _plainest(text)):
        with contextlib.suppress(*BROKEN):
            card = card or vobject.readOne(attempt, allowQP=True, ignoreUnreadable=True)
    if card is None:
        return [""] * (len(HEADER) - 1) + [" ".join(text.split())[:500]]
    mails, phones = (_several(card, name) for name in ("email", "tel"))
    return [
        _name(card) or _first(card, "org"),
        _first(card, "org"),
        _first(card, "title"),
        *mails,
        *phones,
        _first(card, "uid"),
        _first(card, "note"),
    ]


def _plainest(text: str) -> str:
    """The lines of a card that say who it is, where others hold bytes that are no text."""
    return "".join(line for line in text.splitlines(keepends=True) if _property(line) in PLAINEST)


def _name(card: Any) -> str:
    """The formatted name; else the parts of the name, as they are spoken."""
    if written := _first(card, "fn"):
        return written
    parts = getattr(getattr(card, "n", None), "value", None)
    if parts is None or isinstance(parts, str):
        return _flat(parts)
    return " ".join(_flat(getattr(parts, part, "")) for part in ("given", "additional", "family")).strip()


def _first(card: Any, name: str) -> str:
    lines = card.contents.get(name, [])
    return _flat(lines[0].value) if lines else ""


def _several(card: Any, name: str) -> list[str]:
    """The first three values of a property, the preferred first."""
    lines = sorted(card.contents.get(name, []), key=lambda line: "pref" not in str(line.params).lower())
    values = [_flat(line.value).removeprefix("tel:").removeprefix("mailto:") for line in lines][:3]
    return values + [""] * (3 - len(values))


def _flat(value: object) -> str:
    """A value in one line: of a list (an organisation and its departments) the first."""
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    if isinstance(value, list | tuple):  # a comma in a vCard 2.1 separates nothing
        value = ",".join(map(str, value))
    return " ".join(str(value or "").split())
