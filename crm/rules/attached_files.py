"""Files to attach: what they are is found by looking into them, and their names lead nowhere and deceive nobody."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from crm.rules.errors import RuleError

MOST_BYTES = 10 * 1024 * 1024
"""Of all files of one letter: what mail servers commonly take."""
MOST_FILES = 20
LONGEST_NAME = 150
UNKNOWN = "application/octet-stream"


class FileRefused(RuleError):
    """The file can run, or is another thing than its name says (422)."""

    code = "file_refused"


class TooLarge(RuleError):
    """The files together are larger than mail servers take."""

    code = "too_large"


@dataclass(frozen=True)
class File:
    """Something to attach: contents with a name and a type found by looking at them."""

    name: str
    content_type: str
    content: bytes


PROGRAMS = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
RUNNABLE = frozenset({
    "ade", "adp", "app", "appx", "bat", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "inf", "ins", "iso", "jar",
    "js", "jse", "lnk", "mjs", "msc", "msi", "msix", "msp", "pif", "ps1", "psm1", "reg", "scr", "sct", "sh", "sys",
    "vb", "vbe", "vbs", "wsc", "wsf", "wsh", "xll",
})  # fmt: skip
"""Mail servers refuse these, and people should."""

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"ID3", "audio/mpeg"),
    (4, b"ftyp", "video/mp4"),
    (0, OLE, "application/x-ole-storage"),
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
PARTS = {"word/": f"{_OFFICE}.wordprocessingml.document", "xl/": f"{_OFFICE}.spreadsheetml.sheet",
         "ppt/": f"{_OFFICE}.presentationml.presentation"}  # fmt: skip
NAMED_TYPES = {
    "pdf": {"application/pdf"}, "png": {"image/png"}, "jpg": {"image/jpeg"}, "jpeg": {"image/jpeg"},
    "gif": {"image/gif"}, "webp": {"image/webp"}, "tif": {"image/tiff"}, "tiff": {"image/tiff"},
    "docx": {PARTS["word/"]}, "xlsx": {PARTS["xl/"]}, "pptx": {PARTS["ppt/"]}, "odt": {f"{_OPEN}.text"},
    "ods": {f"{_OPEN}.spreadsheet"}, "odp": {f"{_OPEN}.presentation"}, "zip": {"application/zip"},
    "doc": {"application/x-ole-storage", "application/rtf"}, "xls": {"application/x-ole-storage"},
    "ppt": {"application/x-ole-storage"}, "rtf": {"application/rtf"}, "txt": {"text/plain"}, "csv": {"text/plain"},
}  # fmt: skip
"""What a file of this name must be; other names may hold anything that does not run."""
TEXT_TYPES = {"csv": "text/csv", "ics": "text/calendar", "vcf": "text/vcard"}
OLE_TYPES = {"doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint"}

_PATH = re.compile(r"[/\\]")
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')


def read_file(name: str, content: bytes) -> File:
    """Return what was handed over under a safe name, its type found by content; FileRefused or TooLarge."""
    name = safe_name(name)
    extension = PurePosixPath(name).suffix.lstrip(".").lower()
    found = _type_of(content)
    if content.startswith(PROGRAMS) or extension in RUNNABLE:
        raise FileRefused(_("“%(name)s” is a program; those are not sent.") % {"name": name})
    if extension in NAMED_TYPES and found not in NAMED_TYPES[extension]:
        words = _("“%(name)s” is not what its name says. Save it anew in its program, and attach that.")
        raise FileRefused(words % {"name": name})
    if len(content) > MOST_BYTES:
        raise TooLarge(_("“%(name)s” is larger than 10 MB. Send a link to it.") % {"name": name})
    return File(name, _written_type(found, extension), content)


def refuse_too_much(files: Iterable[File]) -> None:
    """Raise TooLarge where the files of one letter are larger together than mail servers take, or too many."""
    sizes = [len(file.content) for file in files]
    if sum(sizes) > MOST_BYTES or len(sizes) > MOST_FILES:
        raise TooLarge(_("The files are larger than 10 MB together, or too many. Leave one out, or send a link."))


def safe_name(name: str) -> str:
    """Return the last part of a name without what could steer: paths, control characters, turned reading direction."""
    last = _PATH.split(unicodedata.normalize("NFC", name))[-1]
    plain = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    plain = _NOT_IN_NAMES.sub("_", " ".join(plain.split())).strip(". ")
    stem, dot, extension = plain.rpartition(".")
    if len(plain) > LONGEST_NAME:
        plain = f"{stem[: LONGEST_NAME - 20]}{dot}{extension[:19]}" if dot else plain[:LONGEST_NAME]
    return plain or "file"


def _type_of(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        return _type_of_zip(content)
    for offset, mark, kind in SIGNATURES:
        if content[offset : offset + len(mark)] == mark:
            return kind
    return "text/plain" if _is_text(content) else UNKNOWN


def _type_of_zip(content: bytes) -> str:
    """Look at the names inside alone; nothing is unpacked but the few bytes in which OpenDocument names itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()[:1000]
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
                return archive.read("mimetype").decode("ascii", "replace")
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError):
        return UNKNOWN
    found = (kind for part, kind in PARTS.items() if any(name.startswith(part) for name in names))
    return next(found, "application/zip") if "[Content_Types].xml" in names else "application/zip"


def _is_text(content: bytes) -> bool:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # UTF-16, as spreadsheets write it
    return not any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in content[:4096])


def _written_type(found: str, extension: str) -> str:
    if found == "text/plain":
        return TEXT_TYPES.get(extension, UNKNOWN if extension in {"html", "htm", "svg", "xml", "xhtml"} else found)
    return OLE_TYPES.get(extension, UNKNOWN) if found == "application/x-ole-storage" else found
