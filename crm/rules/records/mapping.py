"""What a file's columns and words mean: a mapping in TOML, or our own column names."""

import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.utils.translation import gettext as _

from crm.rules.records.errors import MappingRefused
from crm.rules.records.reading import normal_name

DATE_FORMATS = ("iso", "dmy", "mdy")
EVERYTHING_ELSE = "*"
_TEXTS = ("date_format", "decimal_mark", "timezone", "currency", "encoding")


Theirs = tuple[tuple[str, ...], ...]
"""Their columns for one of ours: the first of these that holds a text is taken, the columns inside one are joined."""
Places = tuple[tuple[int, ...], ...]
"""The same as places in a header."""


@dataclass(frozen=True)
class Mapping:
    """Which of their columns is which of ours, and which of their words is which of ours."""

    columns: dict[str, Theirs] = field(default_factory=dict)
    """ours → theirs; empty: columns are recognised by our own names."""
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    """ours → {theirs in lower case → ours}; "*" stands for everything else."""
    date_format: str | None = None
    decimal_mark: str | None = None
    timezone: str | None = None
    currency: str | None = None
    encoding: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.timezone or settings.TIME_ZONE)

    def translate(self, column: str, text: str) -> str:
        """What a cell of our `column` says in our words."""
        words = self.values.get(column)
        if words is None:
            return text
        return words.get(text.casefold(), words.get(EVERYTHING_ELSE, text))

    @property
    def names(self) -> list[str]:
        """Every column of theirs that it names."""
        return [name for theirs in self.columns.values() for joined in theirs for name in joined]

    def match(self, header: tuple[str, ...], known: tuple[str, ...]) -> dict[str, Places]:
        """Our column names → places in the file's header.

        Raises MappingRefused for a column that is not of this kind or not in the file.
        """
        positions = {name: position for position, name in reversed(list(enumerate(map(normal_name, header))))}
        if not self.columns:
            return {name: ((positions[name],),) for name in known if name in positions}
        self._refuse_strangers(known)
        exact = {name: position for position, name in reversed(list(enumerate(header)))}
        found = {name: exact.get(name.strip(), positions.get(normal_name(name))) for name in self.names}
        if missing := [name for name, position in found.items() if position is None]:
            raise MappingRefused(
                _("The file has no column %(missing)s. Its columns are: %(header)s.")
                % {"missing": listed(missing), "header": listed(header)}
            )
        places = {name: position for name, position in found.items() if position is not None}
        return {
            ours: tuple(tuple(places[name] for name in joined) for joined in theirs)
            for ours, theirs in self.columns.items()
        }

    def _refuse_strangers(self, known: tuple[str, ...]) -> None:
        if strangers := [name for name in (*self.columns, *self.values) if name not in known]:
            raise MappingRefused(
                _("The mapping names %(strangers)s. The columns of this kind are: %(known)s.")
                % {"strangers": listed(strangers), "known": listed(known)}
            )


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Names in quotation marks, with commas."""
    return ", ".join(f"“{name}”" for name in names)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping from a TOML file; raises MappingRefused with what is wrong in it and where."""
    try:
        return parse_mapping(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise MappingRefused(
            _("%(path)s cannot be opened: %(reason)s.") % {"path": path, "reason": error.strerror}
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingRefused(_("%(path)s is not TOML: %(reason)s.") % {"path": path, "reason": error}) from error


def parse_mapping(document: Table[str, Any]) -> Mapping:
    """Check a mapping that was read from TOML (or came from a form) and take it over."""
    if strangers := [name for name in document if name not in (*_TEXTS, "columns", "values")]:
        raise MappingRefused(
            _("The mapping has %(strangers)s. It may have: %(known)s.")
            % {"strangers": listed(strangers), "known": listed([*_TEXTS, "columns", "values"])}
        )
    columns = {ours: _theirs(theirs, ours) for ours, theirs in _table(document.get("columns", {}), "columns").items()}
    values = {
        str(column): {
            theirs if theirs == EVERYTHING_ELSE else theirs.strip().casefold(): ours for theirs, ours in words.items()
        }
        for column, table in _table(document.get("values", {}), "values").items()
        for words in [_texts(table, f"values.{column}")]
    }
    texts = _texts({name: document[name] for name in _TEXTS if name in document}, "")
    mapping = Mapping(columns=columns, values=values, **texts)
    _refuse_unknown_formats(mapping)
    return mapping


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MappingRefused(_("[%(name)s] in the mapping is not a table.") % {"name": name})
    return value


def _theirs(value: object, ours: str) -> Theirs:
    """A column's name, a list of names of which the first with a text is taken, or of lists that are joined."""
    alternatives = [value] if isinstance(value, str) else value
    if isinstance(alternatives, list | tuple) and alternatives:
        joined = [(one,) if isinstance(one, str) else one for one in alternatives]
        if all(isinstance(one, list | tuple) and one and all(isinstance(n, str) for n in one) for one in joined):
            return tuple(tuple(one) for one in joined)
    raise MappingRefused(_("%(names)s in the mapping: write the value in quotation marks.") % {"names": listed([ours])})


def _texts(value: object, name: str) -> dict[str, str]:
    table = _table(value, name)
    if wrong := [key for key, text in table.items() if not isinstance(text, str)]:
        raise MappingRefused(
            _("%(names)s in the mapping: write the value in quotation marks.") % {"names": listed(wrong)}
        )
    return table


def _refuse_unknown_formats(mapping: Mapping) -> None:
    if mapping.date_format not in (None, *DATE_FORMATS):
        raise MappingRefused(_("`date_format` in the mapping is one of: %(known)s.") % {"known": listed(DATE_FORMATS)})
    if mapping.decimal_mark not in (None, ".", ","):
        raise MappingRefused(_("`decimal_mark` in the mapping is one of: %(known)s.") % {"known": listed((".", ","))})
    try:
        mapping.zone  # noqa: B018 - asked for its exception
    except (ZoneInfoNotFoundError, ValueError):
        raise MappingRefused(_('`timezone` in the mapping is an IANA name such as "Europe/Berlin".')) from None
    if mapping.currency is not None and not (
        len(mapping.currency) == 3 and mapping.currency.isalpha() and mapping.currency.isupper()
    ):
        raise MappingRefused(_('`currency` in the mapping is three capital letters, such as "USD".'))
