"""What a file is by its first bytes; what its sender calls it is believed where nothing is at stake."""

from __future__ import annotations

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What may be drawn in a letter."""
UNKNOWN = "application/octet-stream"
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"MZ", "application/x-dosexec"),
    (b"\x7fELF", "application/x-executable"),
    (b"#!", "text/x-shellscript"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"BEGIN:VCALENDAR", "text/calendar"),
    (b"BEGIN:VCARD", "text/vcard"),
)
_WITHIN_ZIP = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_WITHIN_OLE = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
}
_TEXTS = frozenset({"text/plain", "text/csv", "message/rfc822"})


def type_of(content: bytes, *, name: str, declared: str) -> str:
    """Return the type of a file; of containers the name tells more, of plain texts the sender does."""
    ending = name.rpartition(".")[2].lower()
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")  # of a text; no other format begins with blanks
    found = next((kind for beginning, kind in _BEGINNINGS if start.startswith(beginning)), "")
    if found == "application/zip":
        return _WITHIN_ZIP.get(ending, found)
    if found == "application/x-ole-storage":
        return _WITHIN_OLE.get(ending, found)
    if found:
        return found
    return declared if declared in _TEXTS and b"\x00" not in content[:1000] else UNKNOWN
