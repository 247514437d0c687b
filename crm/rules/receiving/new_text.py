"""What is new in a reply: without what it quotes and without its signature, in English and Russian mail styles.

One pass over the lines, so that no text, however hostile, takes longer than it is long. Quotations in other languages
are found by mail-parser-reply, whose patterns are tried on a bounded piece of the text only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crm.rules.receiving.foreign_quotes import cut_foreign_quote
from crm.rules.receiving.signatures import without_signature

MOST_LINES = 4_000
LONGEST_LINE = 2_000
LONGEST_ATTRIBUTION = 400
MOST_ATTRIBUTION_LINES = 4

_QUOTED = re.compile(r"\s{0,3}(?:>|\|\s)")
_DIVIDER = re.compile(
    r"\s*(?:[-=_*—]{2,}\s*(?:original message|original appointment|forwarded message|forwarded by\b.{0,80}"
    r"|reply message"
    r"|исходное сообщение|оригинальное сообщение|первоначальное сообщение|исходное письмо|начало переадресованного"
    r" сообщения|пересылаемое сообщение|пересланное сообщение|переадресованное сообщение)\s*[-=_*—]*"
    r"|(?:begin forwarded message|начало переадресованного сообщения|исходное сообщение|original message)\s*:?)\s*$",
    re.IGNORECASE,
)
_RULER = re.compile(r"\s*[_—-]{20,}\s*$")
_LABEL = re.compile(
    r"\s*[*_]{0,2}(?P<label>from|sent|date|to|cc|subject|reply-to|от|от кого|отправитель|отправлено|дата|дата отправки"
    r"|кому|копия|тема)[*_]{0,2}\s?:[*_]{0,2}(?:\s|$)",
    re.IGNORECASE,
)
_FROM = frozenset({"from", "от", "от кого", "отправитель"})
_OTHERS = frozenset({"sent", "date", "to", "subject", "отправлено", "дата", "дата отправки", "кому", "тема"})
_ATTRIBUTION_END = re.compile(r"(?:[:：]|wrote|написал(?:\(а\)|а|и)?|пишет)\s*$", re.IGNORECASE)
_VERB = re.compile(r"\b(?:wrote|writes|написал(?:\(а\)|а|и)?|пишет|писал(?:\(а\)|а)?)\s*:?\s*$", re.IGNORECASE)
_WHEN = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\b\d{1,2}:\d{2}\b|\b(?:19|20)\d\d\b")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.")
_START = re.compile(
    r"\s*(?:on\b|в (?:пн|вт|ср|чт|пт|сб|вс|пон|втор|сред|чет|пят|суб|вос)|(?:пн|вт|ср|чт|пт|сб|вс)[,.]|\d|"
    r"(?:mon|tue|wed|thu|fri|sat|sun)|(?:пон|втор|сред|четв|пятн|субб|воскр)|[\"«<]?[\w.+-]+@|.{0,80}(?:wrote"
    r"|написал|пишет))",
    re.IGNORECASE,
)
Piece = list[str]


def new_text_of(text: str) -> str:
    """Return what the writer of `text` added to what they answer; "" where they added nothing."""
    lines = [line.rstrip()[:LONGEST_LINE].replace("\xa0", " ") for line in text.split("\n")[:MOST_LINES]]
    pieces = [without_signature(piece) for piece in _own_pieces(lines)]
    said = "\n\n".join("\n".join(piece).strip("\n") for piece in pieces if any(line.strip() for line in piece))
    return re.sub(r"\n{3,}", "\n\n", cut_foreign_quote(said)).strip()


def _own_pieces(lines: list[str]) -> Iterator[Piece]:
    """Yield the runs of lines that are nobody else's words."""
    piece: Piece = []
    number = 0
    while number < len(lines):
        if _begins_unmarked_quote(lines, number):
            break
        if skipped := _attribution_at(lines, number):
            yield piece
            piece, number = [], number + skipped
            if not _is_quoted_soon(lines, number):
                return  # what follows is the quotation itself, without marks
        elif _QUOTED.match(lines[number]):
            yield piece
            piece, number = [], number + 1
        else:
            piece.append(lines[number])
            number += 1
    yield piece


def _begins_unmarked_quote(lines: list[str], number: int) -> bool:
    line = lines[number]
    if _DIVIDER.match(line):
        return True
    if _RULER.match(line):
        return any(_begins_headers(lines, after) for after in range(number + 1, min(number + 4, len(lines))))
    return _begins_headers(lines, number)


def _begins_headers(lines: list[str], number: int) -> bool:
    """Whether the headers of an older message stand here: From and two others, close together."""
    if not _LABEL.match(lines[number]):
        return False
    found = {match["label"].lower() for line in lines[number : number + 8] if (match := _LABEL.match(line))}
    return bool(found & _FROM) and len(found & _OTHERS) >= 2


def _attribution_at(lines: list[str], number: int) -> int:
    """Return how many lines from here say who wrote what follows, and when; 0 where they do not."""
    if not lines[number].strip() or not _START.match(lines[number]):
        return 0
    said = ""
    for count, line in enumerate(lines[number : number + MOST_ATTRIBUTION_LINES], start=1):
        if not line.strip() or _QUOTED.match(line):
            return 0
        said = f"{said} {line.strip()}"
        if len(said) > LONGEST_ATTRIBUTION:
            return 0
        if _ATTRIBUTION_END.search(line):
            return count if _attributes(said) else 0
    return 0


def _attributes(said: str) -> bool:
    has_verb, has_when = _VERB.search(said), _WHEN.search(said)
    return bool((has_verb and (has_when or _ADDRESS.search(said))) or (has_when and _ADDRESS.search(said)))


def _is_quoted_soon(lines: list[str], number: int) -> bool:
    """Whether the next line that says anything is marked as quoted."""
    for line in lines[number : number + 5]:
        if line.strip():
            return bool(_QUOTED.match(line))
    return False
