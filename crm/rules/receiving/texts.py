"""Text out of bytes as mail programs write them: every encoding, those that lie about it, and nothing that hides."""

from __future__ import annotations

import codecs
import re
from email.errors import MessageError
from email.header import decode_header
from email.utils import getaddresses

from charset_normalizer import from_bytes

LONGEST_HEADER = 10_000
"""Of what one header says, more is read by nobody."""
SAMPLE = 50_000
"""So many bytes tell in which encoding a text is."""
_ENCODINGS = ["cp1251", "koi8_r", "cp1252", "iso8859_5", "gb18030", "shift_jis", "euc_kr", "big5"]
_NEIGHBOURS = frozenset({"ascii", "iso8859-1", "cp1252"})
"""What programs claim when they do not know better."""
_HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters, and those that turn the direction of what is read."""
_LETTERS, _ASCII_LETTER = re.compile(rb"[A-Za-z\x80-\xff]+"), re.compile(rb"[A-Za-z]")
_NO_CHARSETS = frozenset({"undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape"})
"""What Python calls encodings as well: one only ever fails, some take the square of the time, none is used in mail."""
_SMALL = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,490}>")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bqBQ]\?[^?]*\?=")


def decoded(content: bytes, charset: str = "") -> str:
    """Return `content` as text: as declared where that can be, else as its bytes suggest."""
    name = _known(charset)
    if name not in _NEIGHBOURS and (text := _strictly(content, name)) is not None:
        return text
    if (text := _strictly(content, "utf-8")) is not None:
        return text
    if cyrillic := _cyrillic(content):
        return content.decode(cyrillic, errors="replace")
    if name in _NEIGHBOURS and name != "ascii":
        return content.decode("cp1252", errors="replace")
    found = from_bytes(content[:SAMPLE], cp_isolation=_ENCODINGS).best()
    return content.decode(found.encoding if found else "cp1252", errors="replace")


def shown(text: str) -> str:
    """Return `text` without what cannot be stored, or would make it read as something else."""
    return _HIDDEN.sub("", text.encode("utf-8", "replace").decode())


def header(value: object) -> str:
    """Return what a header says, decoded, on one line."""
    text = str(value)[:LONGEST_HEADER]
    raw = text.encode("utf-8", "surrogateescape")
    text = decoded(raw) if not raw.isascii() else text
    if _ENCODED_WORD.search(text):
        text = _words(text)
    return " ".join(shown(text).split())


def addresses(values: list[str]) -> list[tuple[str, str]]:
    """Return the (name, address) pairs of address headers; addresses in lower case, nothing that is none."""
    whole = ", ".join(str(value)[:LONGEST_HEADER] for value in values[:50])[: 5 * LONGEST_HEADER]
    pairs = [(header(name), shown(address).strip().lower()) for name, address in _pairs(whole)]
    return [(name[:200], address) for name, address in pairs if _is_address(address)]


def message_ids(text: str) -> list[str]:
    """Return the Message-IDs in a header as they are: they are names, not words, and decoding would change them."""
    return [shown(found) for found in _MESSAGE_ID.findall(text[:LONGEST_HEADER])]


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        found = getaddresses([" ".join(text.split())])
    except (RecursionError, ValueError, LookupError, AttributeError):
        found = []  # brackets within brackets, thousands deep
    if any("@" in address for _name, address in found):
        return found
    return [("", address) for address in re.findall(r"[^\s<>,;:\"()]{1,64}@[^\s<>,;:\"()]{1,255}", text)]


def _is_address(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    return bool(local and at and domain) and len(address) <= 254 and " " not in address


def _words(text: str) -> str:
    try:
        parts = decode_header(text)
    except (MessageError, ValueError, LookupError):
        return text
    return "".join(
        part if isinstance(part, str) else decoded(part, charset or "ascii") for part, charset in _joined(parts)
    )


def _joined(parts: list[tuple[bytes | str, str | None]]) -> list[tuple[bytes | str, str | None]]:
    """Put neighbours of one charset together: some programs cut a word within a letter."""
    joined: list[tuple[bytes | str, str | None]] = []
    for part, charset in parts:
        before = joined[-1] if joined else None
        if before and isinstance(part, bytes) and isinstance(before[0], bytes) and charset and before[1] == charset:
            joined[-1] = (before[0] + part, charset)
        else:
            joined.append((part, charset))
    return joined


def _known(charset: str) -> str:
    name = charset.strip("\"' ").lower()
    try:
        found = codecs.lookup({"cp-1251": "cp1251", "win-1251": "cp1251", "utf8mb4": "utf-8"}.get(name, name)).name
    except (LookupError, ValueError):
        return "ascii"
    return "ascii" if found.replace("-", "_") in _NO_CHARSETS else found


def _strictly(content: bytes, charset: str) -> str | None:
    try:
        return content.decode(charset)
    except (ValueError, LookupError):
        return None


def _cyrillic(content: bytes) -> str:
    """Return the Russian encoding in which `content` reads best; "" where its words are not made of such letters."""
    words = _LETTERS.findall(content[:SAMPLE])
    whole = sum(1 for word in words if len(word) > 1 and not _ASCII_LETTER.search(word))
    mixed = sum(1 for word in words if _ASCII_LETTER.search(word) and not word.isascii())
    if whole <= mixed:
        return ""
    found = {charset: _russian_share(content[:SAMPLE], charset) for charset in ("cp1251", "koi8_r", "cp866")}
    best = max(found, key=lambda charset: found[charset])
    return best if found[best] > 0.5 else ""


def _russian_share(content: bytes, charset: str) -> float:
    """How much of what is not ASCII is Russian in lower case: misread, capitals and small letters change places."""
    others = [letter for letter in content.decode(charset, errors="replace") if not letter.isascii()]
    return sum(1 for letter in others if letter in _SMALL) / max(len(others), 1)
