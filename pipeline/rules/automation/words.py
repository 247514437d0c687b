"""Firings in the reader's language: codes are stored, words are found when they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pipeline.models import RuleFiring, StageAction
from pipeline.rules.automation.kinds import Line, OneOf, Parameter, Row, Words, WrongParameter, all_kinds

REASONS: dict[str, Words] = {
    # Why a firing did nothing at all
    "undone": gettext_lazy("the move was taken back"),
    "moved_on": gettext_lazy("the deal had moved on"),
    "brief": gettext_lazy("the deal moved on within seconds"),
    "lost": gettext_lazy("the deal was lost"),
    "gone": gettext_lazy("the deal was deleted"),
    "switched_off": gettext_lazy("the rule was switched off"),
    "unmet": gettext_lazy("the deal no longer met the conditions"),
    "circle": gettext_lazy("rules set each other off in a circle"),
    # Why one action was not done
    "no_person": gettext_lazy("the deal has no contact"),
    "no_address": gettext_lazy("the contact has no e-mail address"),
    "suppressed": gettext_lazy("the address gets no more mail"),
    "missing_value": gettext_lazy("the template asks for a value that is missing"),
    "unknown_field": gettext_lazy("the template names a field that does not exist"),
    "too_large": gettext_lazy("the files are too large"),
    "not_allowed": gettext_lazy("the owner may not do this"),
    "owner_left": gettext_lazy("the owner can no longer log in"),
    "not_assignable": gettext_lazy("the person cannot be given work"),
    "nobody": gettext_lazy("there is nobody to choose"),
    "nobody_sees": gettext_lazy("nobody of them may see the deal"),
    "unchanged": gettext_lazy("it was so already"),
    "missing_requirement": gettext_lazy("the stage asks for what the deal does not have"),
    "wrong_stage": gettext_lazy("the deal cannot go to that stage"),
    "wrong_parameter": gettext_lazy("the rule names something that no longer exists"),
    "unknown_kind": gettext_lazy("nobody knows how to do this"),
    # Why nobody was taken into a sequence (crm.rules.sequences.enrolling)
    "enrolled": gettext_lazy("the person is in a sequence already"),
    "twice": gettext_lazy("the person is in a sequence already"),
    "closed": gettext_lazy("the person is disqualified, or a deal already"),
    "not_yours": gettext_lazy("the owner may not do this"),
    "no_sender": gettext_lazy("the owner may not do this"),
    "not_running": gettext_lazy("the sequence is not running"),
}


@dataclass(frozen=True)
class Result:
    """What became of one action: its kind in words, whether it was done, and what or why not."""

    label: str
    is_done: bool
    rest: str


def reason_words(code: str) -> str:
    """Return a code of `REASONS` in words, an unknown one as it is."""
    return str(REASONS.get(code, code))


def results_of(firing: RuleFiring) -> Iterator[Result]:
    """Say what became of each action of a firing."""
    for result in firing.results if isinstance(firing.results, list) else []:
        kind = all_kinds().get(result["kind"])
        why = reason_words(result["why"]) if result.get("why") else ""
        rest = ": ".join(filter(None, (why, result.get("detail", ""))))
        yield Result(str(kind.label if kind else result["kind"]), not why, rest)


def sentence_of(firing: RuleFiring) -> str:
    """Say in one line what became of a firing."""
    if firing.state != RuleFiring.State.DONE:
        state = str(firing.get_state_display())
        return f"{state}: {reason_words(firing.reason)}" if firing.reason else state
    said = (
        (_("%(action)s (%(what)s)") if result.is_done else _("not done: %(action)s (%(what)s)"))
        % {"action": result.label, "what": result.rest}
        if result.rest
        else result.label
        for result in results_of(firing)
    )
    return "; ".join(said) or str(_("the rule has no actions"))


def described(action: StageAction) -> str:
    """Say what an action does, with its parameters."""
    kind = all_kinds().get(action.kind)
    if kind is None:
        return action.kind
    stored = action.parameters if isinstance(action.parameters, dict) else {}
    said = [_value(parameter, stored.get(parameter.name)) for parameter in kind.parameters]
    rest = ", ".join(filter(None, said))
    return f"{kind.label}: {rest}" if rest else str(kind.label)


def _value(parameter: Parameter, stored: object) -> str:
    try:
        value = parameter.read(stored)
    except WrongParameter:
        return "?"
    if value is None:
        return ""
    if isinstance(parameter, OneOf):
        return str(dict(parameter.choices)[value])
    if isinstance(parameter, Row):
        return str(value)
    return f"“{value}”" if isinstance(parameter, Line) else f"{parameter.label}: {value}"
