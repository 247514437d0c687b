"""Which words a text holds, for counting."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]{3,30}")
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+")

_ENGLISH = """
the and for are you your our with that this have has from will was were not but can could would please hello dear thanks
thank regards best about what which when how into there their them they all any been more than
"""
_RUSSIAN = """
это как для что или при нас вас вам нам мне меня есть был была были будет если они она его где так уже еще добрый день
здравствуйте спасибо пожалуйста
"""
SAY_NOTHING = frozenset((_ENGLISH + _RUSSIAN).split())
"""Words that every text holds."""


def words_of(text: str) -> tuple[str, ...]:
    """Return the distinct words of a text, folded, without addresses and without words that say nothing."""
    folded = _ADDRESS.sub(" ", text).lower().replace("ё", "е")
    return tuple(dict.fromkeys(word for word in _WORD.findall(folded) if word not in SAY_NOTHING))
