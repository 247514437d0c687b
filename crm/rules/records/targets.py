"""What a column of theirs can be told to be: one of our columns, a part of a name, or a stage that says won or lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.rules.records.context import Kind
from crm.rules.records.mapping import Theirs

PARTS = ("first_name", "middle_name", "last_name")
"""In the order in which they make a name; Russian names read so too."""
TITLE = "title_name"
STAGE_OUTCOME = "stage_outcome"
PSEUDO: dict[str, str | Promise] = {
    "first_name": _("First name"),
    "middle_name": _("Middle name"),
    "last_name": _("Last name"),
    TITLE: _("Name, where there is no other"),
    STAGE_OUTCOME: _("Stage, which also says won or lost"),
}


def targets_of(kind: Kind) -> dict[str, str | Promise]:
    """What columns of a kind can be, with its label, in the order of a form."""
    labels: dict[str, str | Promise] = {name: kind.labels.get(name, name) for name in kind.names}
    if "email" in labels:  # people have names in parts
        labels = {"name": labels.pop("name"), **{name: PSEUDO[name] for name in (*PARTS, TITLE)}, **labels}
    if "outcome" in labels:
        labels[STAGE_OUTCOME] = PSEUDO[STAGE_OUTCOME]
    return labels


def columns_of(chosen: Iterable[tuple[str, str]]) -> dict[str, Theirs]:
    """Our columns from what was chosen for theirs: pairs of their name and a target, the surest first."""
    by_target: dict[str, list[str]] = defaultdict(list)
    for theirs, target in chosen:
        if theirs not in by_target[target]:
            by_target[target].append(theirs)
    parts = tuple(name for part in PARTS for name in by_target.pop(part, []))
    titles = by_target.pop(TITLE, [])
    ends = by_target.pop(STAGE_OUTCOME, [])
    columns: dict[str, Theirs] = {
        target: tuple((name,) for name in theirs) for target, theirs in by_target.items() if target and theirs
    }
    names = (*columns.get("name", ()), *((parts,) if parts else ()), *((title,) for title in titles))
    if names:
        columns["name"] = names
    for target in ("stage", "outcome") if ends else ():
        columns.setdefault(target, tuple((name,) for name in ends))
    return columns
