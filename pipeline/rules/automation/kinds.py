"""What a stage rule can do: kinds of action, each declared once with the parameters it takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.rules.errors import RuleError
from pipeline.models import Deal, RuleFiring, StageAction

Words = str | Promise


class NotDone(RuleError):
    """An action had no reason or no way to be done; `why` is a code of `words.REASONS`, `detail` names what."""

    code = "not_done"

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(detail or why)
        self.why, self.detail = why, detail


class WrongParameter(RuleError):
    """A parameter's value cannot be; `name` says whose."""

    code = "wrong_parameter"

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


# --- Parameters -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One thing an action is told; `read` makes of what was stored what the action works with, or refuses."""

    name: str
    label: Words
    help: Words = ""
    is_required: bool = True

    def read(self, stored: Any) -> Any:
        """Return the value of what was stored; WrongParameter where that cannot be one."""
        if stored in (None, ""):
            if self.is_required:
                raise WrongParameter(self.name, _("Say this."))
            return None
        return self._read(stored)

    def _read(self, stored: Any) -> Any:
        raise NotImplementedError

    def _refuse(self) -> WrongParameter:
        return WrongParameter(self.name, _("This is none of the possible values."))


@dataclass(frozen=True, kw_only=True)
class OneOf(Parameter):
    """One of a few words."""

    choices: tuple[tuple[str, Words], ...]

    def _read(self, stored: Any) -> str:
        if not isinstance(stored, str) or stored not in dict(self.choices):
            raise self._refuse()
        return stored


@dataclass(frozen=True, kw_only=True)
class Row(Parameter):
    """One row of a table, stored by its id; `rows` are those an admin may choose from."""

    rows: Callable[[], Any]

    def _read(self, stored: Any) -> Any:
        if not isinstance(stored, int) or isinstance(stored, bool) or not 0 < stored < 2**63:
            raise self._refuse()
        found = self.rows().filter(pk=stored).first()
        if found is None:
            raise self._refuse()
        return found


@dataclass(frozen=True, kw_only=True)
class Whole(Parameter):
    """A whole number."""

    least: int = 0
    most: int = 3650

    def _read(self, stored: Any) -> int:
        if not isinstance(stored, int) or isinstance(stored, bool) or not self.least <= stored <= self.most:
            raise self._refuse()
        return stored


@dataclass(frozen=True, kw_only=True)
class Line(Parameter):
    """A line of text."""

    longest: int = 200

    def _read(self, stored: Any) -> str:
        if not isinstance(stored, str) or len(stored) > self.longest or "\x00" in stored:
            raise self._refuse()
        return stored.strip()


# --- Kinds ----------------------------------------------------------------------------------------------------------


@dataclass
class Act:
    """For what an action is done: a firing, and its deal, which actions bring up to date."""

    firing: RuleFiring
    action: StageAction
    deal: Deal
    now: dt.datetime


Values = Mapping[str, Any]


def _no_objection(_values: Values) -> None:
    return None


@dataclass(frozen=True)
class ActionKind:
    """One kind of action.

    `run` does it inside the firing's transaction and returns names of what it did; a refusal by a RuleError is written
    down, and the other actions go on. It writes rows and never talks to a network. `check` refuses what the parameters
    cannot be together. `hinders` says before anything is done why it could not be done for a deal (a code), or "".
    Admins are offered kinds in the order of `place`.
    """

    key: str
    label: Words
    run: Callable[[Act, Values], str]
    parameters: tuple[Parameter, ...] = ()
    check: Callable[[Values], None] = _no_objection
    hinders: Callable[[Deal, Values], str] = field(default=lambda _deal, _values: "")
    place: int = 100

    def read(self, stored: Any) -> dict[str, Any]:
        """Return the parameters' values out of what was stored; WrongParameter for anything that cannot be."""
        known = stored if isinstance(stored, dict) else {}
        values = {parameter.name: parameter.read(known.get(parameter.name)) for parameter in self.parameters}
        self.check(values)
        return values

    def store(self, values: Values) -> dict[str, Any]:
        """Return values as they are stored, checked on the way."""
        stored = {name: getattr(value, "pk", value) for name, value in values.items() if value not in (None, "")}
        self.read(stored)
        return {parameter.name: stored[parameter.name] for parameter in self.parameters if parameter.name in stored}


_kinds: dict[str, ActionKind] = {}


def register(kind: ActionKind) -> ActionKind:
    """Make the kind known: to the admin, to firings, to rehearsals."""
    _kinds[kind.key] = kind
    return kind


def all_kinds() -> Mapping[str, ActionKind]:
    """Every kind by its key, in the order in which admins are offered them."""
    return dict(sorted(_kinds.items(), key=lambda pair: pair[1].place))


def kind_of(action: StageAction) -> ActionKind | None:
    """Return the kind of an action; None for one that nobody declares (any more)."""
    return _kinds.get(action.kind)
