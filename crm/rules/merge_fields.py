"""Merge fields: `{{ person.first_name }}` in a text becomes a value. They are looked up, never run as a template.

One pass over the author's text: what a value contains (braces, tags, anything) is never looked at again. A field may
say what to write where there is no value: `{{ person.first_name | colleague }}`. Without that a missing value refuses.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Contact, Lead, User
from crm.rules.errors import RuleError

PLACE = re.compile(r"\{\{\s*(?P<key>[a-z_]+\.[a-z_]+)\s*(?:\|(?P<otherwise>[^{}|]*))?\}\}")
_BRACES = re.compile(r"\{\{.{0,40}", re.DOTALL)


class UnknownField(RuleError):
    """The text names a field that does not exist, or its braces are broken."""

    code = "unknown_field"


class MissingValue(RuleError):
    """A field has no value for this record, and the text does not say what to write then."""

    code: ClassVar[str] = "missing_value"

    def __init__(self, message: str, keys: tuple[str, ...]) -> None:
        super().__init__(message)
        self.keys = keys


@dataclass(frozen=True)
class Merge:
    """Whose values are taken: the record written about, the person written to, the one who writes; in what language."""

    subject: Any
    person: Lead | Contact
    sender: User
    language: str = "en"


@dataclass(frozen=True)
class MergeField:
    """One field: its key in a text, its name for people, and how its value is read ("" is none)."""

    key: str
    label: str | Promise
    read: Callable[[Merge], str]


_fields: dict[str, MergeField] = {}


def register(*fields: MergeField) -> None:
    """Make the fields known; apps above add those of their records."""
    _fields.update({field.key: field for field in fields})


def all_fields() -> Mapping[str, MergeField]:
    """Every field by its key, in the order in which they were declared."""
    return _fields


def check_text(text: str) -> None:
    """Raise UnknownField where `text` names a field that does not exist or has braces that are no field."""
    for place in PLACE.finditer(text):
        if place["key"] not in _fields:
            raise UnknownField(_("There is no merge field “%(field)s”.") % {"field": place["key"]})
    if left := _BRACES.search(PLACE.sub("", text)):
        raise UnknownField(_("These braces are no merge field: “%(text)s”.") % {"text": left[0]})


def merged(text: str, merge: Merge, *, is_html: bool) -> str:
    """Return `text` with its fields replaced, escaped where it `is_html`; UnknownField or MissingValue."""
    check_text(text)
    missing: dict[str, None] = {}

    def value(place: re.Match[str]) -> str:
        found = _fields[place["key"]].read(merge).strip()
        if found:
            return html.escape(found) if is_html else found
        otherwise = (place["otherwise"] or "").strip()  # the author's own, as the text around it
        if not otherwise:
            missing[place["key"]] = None
        return otherwise

    result = PLACE.sub(value, text)
    if missing:
        names = ", ".join(str(_fields[key].label) for key in missing)
        words = _("There is no value for: %(fields)s. Fill it in, or say in the text what to write instead.")
        raise MissingValue(words % {"fields": names}, tuple(missing))
    return result


def _first_word(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.split() else ""


def _company_name(merge: Merge) -> str:
    if isinstance(merge.person, Lead):
        return merge.person.company_name
    return merge.person.company.name if merge.person.company else ""


register(
    MergeField("person.name", gettext_lazy("Full name"), lambda merge: merge.person.name),
    MergeField("person.first_name", gettext_lazy("First name"), lambda merge: _first_word(merge.person.name)),
    MergeField("person.email", gettext_lazy("E-mail"), lambda merge: merge.person.email),
    MergeField("person.position", gettext_lazy("Position"), lambda merge: getattr(merge.person, "position", "")),
    MergeField("company.name", gettext_lazy("Company"), _company_name),
    MergeField("sender.name", gettext_lazy("Your name"), lambda merge: merge.sender.name),
    MergeField("sender.first_name", gettext_lazy("Your first name"), lambda merge: _first_word(merge.sender.name)),
    MergeField("sender.email", gettext_lazy("Your e-mail"), lambda merge: merge.sender.email),
)
