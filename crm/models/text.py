"""Text that is searched and text that exists in two languages."""

from __future__ import annotations

import re
from typing import Any

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower, NullIf, Replace
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

PHONE_LIKE = re.compile(r"[+\d][\d\s().\-–]*")
FEWEST_DIGITS = 5
"""Fewer are a house number or a year, and found as a text."""


def folded(text: str) -> str:
    """Fold a search text as the `search` columns are folded: lower case, ё as е."""
    return text.strip().lower().replace("ё", "е")


class Joined(Func):
    """Join texts with line ends; immutable, as a generated column demands (`concat_ws` is not)."""

    template = "(%(expressions)s)"
    arg_joiner = " || E'\\n' || "


class OneSpelling(Func):
    """A name in the one spelling that stands for its many: “Sergey”, “Sergei” and «Сергей» are one."""

    function = "crm_one_spelling"
    output_field = models.TextField()


class Digits(Func):
    """The digits alone of a phone number."""

    function = "regexp_replace"
    template = "%(function)s(%(expressions)s, '[^0-9]', '', 'g')"
    output_field = models.TextField()


def search_column(*fields: str, names: tuple[str, ...] = (), phone: str = "") -> models.GeneratedField:
    """A stored column with the folded text of `fields`, for trigram search and for sorting names.

    Of `names` it holds the one spelling as well, and of `phone` the digits: `search_terms` looks for these.
    """
    texts: list[Combinable] = [F(name) for name in fields] + [OneSpelling(F(name)) for name in names]
    if phone:
        texts.append(Digits(F(phone)))
    return models.GeneratedField(
        expression=Replace(Lower(texts[0] if len(texts) == 1 else Joined(*texts)), Value("ё"), Value("е")),
        output_field=models.TextField(),
        db_persist=True,
    )


def holds_text(text: str, *columns: str) -> Q:
    """The condition that one of the search `columns` holds each word of `text`, in any spelling; or its number."""
    digits = _phone_digits(text)
    words = Q()
    for word in folded(text).split():
        spelled = NullIf(OneSpelling(Value(word)), Value(""))
        words &= _any_holds(columns, word, spelled)
    return words | _any_holds(columns, *digits) if digits else words


def _any_holds(columns: tuple[str, ...], *sought: Any) -> Q:
    found = Q()
    for column in columns:
        for value in sought:
            found |= Q(**{f"{column}__contains": value})
    return found


def _phone_digits(text: str) -> list[str]:
    """What to look for where `text` is (the beginning of) a phone number; a number at home begins with 8 or 0."""
    if not PHONE_LIKE.fullmatch(text.strip()):
        return []
    digits = re.sub(r"\D", "", text)
    if len(digits) < FEWEST_DIGITS:
        return []
    return [digits, digits[1:]] if digits[0] in "80" else [digits]


class Bilingual(models.Model):
    """Something an admin names in English and in Russian."""

    name = models.CharField(_("name"), max_length=120)
    name_ru = models.CharField(_("name in Russian"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the language being spoken; the English one where the Russian is empty."""
        is_russian = (get_language() or "").startswith("ru")
        return self.name_ru if is_russian and self.name_ru else self.name
