"""Quotations introduced in other languages than ours, by the patterns of mail-parser-reply."""

from __future__ import annotations

import re
from functools import cache

from mailparser_reply.constants import MAIL_LANGUAGES

LONGEST = 6_000
"""The patterns go back and forth over a text; on so much of it they are quick whatever it holds."""
LONGEST_LINE = 300
_HINT = re.compile(r":\s*$", re.MULTILINE)
"""Every introduction ends in a colon, or is a list of labels with one each."""


def cut_foreign_quote(text: str) -> str:
    """Return `text` up to where another message begins; unchanged where nothing introduces one."""
    if len(text) > LONGEST or not _HINT.search(text) or any(len(line) > LONGEST_LINE for line in text.split("\n")):
        return text
    found = _pattern().search(text)
    return text if found is None or not text[: found.start()].strip() else text[: found.start()]


@cache
def _pattern() -> re.Pattern[str]:
    foreign = [words for language, words in MAIL_LANGUAGES.items() if language not in {"en", "ru"}]
    patterns = [str(words["wrote_header"]) for words in foreign if "wrote_header" in words]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.MULTILINE | re.IGNORECASE)
