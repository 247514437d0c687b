"""Which encoding a file is written in, and whether it is text at all."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _

from crm.rules.records.errors import Unreadable

CHUNK = 1 << 18
HEAD = 4096
SAMPLE = 1 << 16

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is the beginning of this one
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Bytes below a space that no text has: all but tab, line feed, vertical tab, form feed and carriage return.
CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\v\f\r")
# What spreadsheets write when they write neither UTF-8 nor UTF-16.
LEGACY_ENCODINGS = ["cp1251", "cp1252", "cp866", "koi8_r", "mac_cyrillic", "mac_roman"]
# One stray byte in a file that otherwise is UTF-8 damages its row, not the file.
GOOD_FOR_EACH_BAD = 10


@dataclass(frozen=True)
class Encoding:
    """A codec's name and how bytes that are not of it are read."""

    name: str
    errors: str = "strict"


def other_formats() -> dict[bytes, str]:
    """How files begin that people take for CSV, and what they are."""
    return {
        b"PK\x03\x04": _("an Excel or OpenDocument workbook (or another ZIP archive)"),
        b"\xd0\xcf\x11\xe0": _("an old Excel workbook (.xls)"),
        b"%PDF": _("a PDF document"),
        b"\x1f\x8b": _("a gzip archive"),
        b"7z\xbc\xaf": _("a 7-Zip archive"),
        b"{\\rtf": _("an RTF document"),
        b"\x89PNG": _("a picture"),
        b"\xff\xd8\xff": _("a picture"),
        b"GIF8": _("a picture"),
        b"SQLite format 3": _("an SQLite database"),
    }


def markup_formats() -> dict[bytes, str]:
    """How texts begin that are not tables, and what they are."""
    return {
        b"<!doctype": _("a web page"),
        b"<html": _("a web page"),
        b"<?xml": _("an XML document"),
        b"<table": _("a web page"),
        b"{": _("JSON"),
        b"[": _("JSON"),
    }


def refuse_other_formats(path: Path) -> None:
    """Raise Unreadable for a file that is no text table, naming what it looks like."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise Unreadable(
            _("%(path)s cannot be opened: %(reason)s.") % {"path": path, "reason": error.strerror}
        ) from error
    if not head:
        raise Unreadable(_("The file is empty. Expected a CSV file whose first line names its columns."))
    text = head.lstrip(codecs.BOM_UTF8).lstrip().lower()
    for beginning, looks_like in [*other_formats().items(), *markup_formats().items()]:
        if head.startswith(beginning) or text.startswith(beginning):
            raise _looks_like(looks_like)


def _looks_like(what: str) -> Unreadable:
    return Unreadable(
        _(
            "The file looks like %(what)s. Expected a CSV file: text with one record a line; "
            "a spreadsheet writes it by “Save as”, “CSV UTF-8”."
        )
        % {"what": what}
    )


def detect_encoding(path: Path, *, named: str | None = None) -> Encoding:
    """The encoding of a file: as named, by its byte order mark, UTF-8 where it is, else the likeliest old one."""
    if named:
        return _named_encoding(named)
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    for mark, name in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return Encoding(name, "surrogateescape" if name == "utf-8-sig" else "replace")
    if b"\x00" in head and (wide := _wide_encoding(head)):
        return wide
    if sum(byte in CONTROL_BYTES for byte in head) > len(head) // 100:
        raise _looks_like(_("a binary file"))
    good, bad, sample = _utf8_census(path)
    if bad * GOOD_FOR_EACH_BAD <= good or not bad:
        return Encoding("utf-8", "surrogateescape")
    return _legacy_encoding(sample)


def _named_encoding(name: str) -> Encoding:
    try:
        " ".encode(name)  # a codec that is not of text refuses
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        raise Unreadable(_("The mapping's encoding “%(name)s” is unknown.") % {"name": name}) from None
    return Encoding(codec.name, "surrogateescape" if codec.name.startswith("utf-8") else "replace")


def _wide_encoding(head: bytes) -> Encoding | None:
    """UTF-16 without a byte order mark: every line feed is two bytes wide, and what it spells is text."""
    even = head[: len(head) // 2 * 2]
    for name in ("utf-16-le", "utf-16-be"):
        text = even.decode(name, "replace")
        readable = sum(character.isprintable() or character in "\r\n\t" for character in text)
        if readable > 0.95 * len(text) and 0 < head.count(b"\n") <= 2 * text.count("\n"):
            return Encoding(name, "replace")
    return None


def _utf8_census(path: Path) -> tuple[int, int, bytes]:
    """Characters beyond ASCII that are UTF-8, bytes that are not, and a sample of lines with either."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    sample = b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            text = decoder.decode(chunk)
            if text.isascii():
                continue
            strays = sum("\udc80" <= character <= "\udcff" for character in text)
            bad += strays
            good += sum(character > "\x7f" for character in text) - strays
            if len(sample) < SAMPLE:
                sample += b"\n".join(line for line in chunk[: SAMPLE * 4].splitlines() if not line.isascii())[:SAMPLE]
    return good, bad, sample


def _legacy_encoding(sample: bytes) -> Encoding:
    guess = from_bytes(sample, cp_isolation=LEGACY_ENCODINGS).best()
    if guess is None:
        raise Unreadable(
            _(
                "The file's encoding cannot be recognised. Expected UTF-8, UTF-16 or windows-1251; "
                "a mapping may name another as `encoding`."
            )
        )
    return Encoding(guess.encoding, "replace")
