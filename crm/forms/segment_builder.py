"""Conditions as a plain form: reads them from what was posted, applies a button, lays them out as rows and groups.

Each control's name ends with the path of its node: `join:0`, `field:0.1`, `op:0.1`, `value:0.1`. Buttons send
`do=add:0`, `do=group:0`, `do=remove:0.1`; what is removed leaves a gap that closes when the form is drawn again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.models import User
from crm.rules.segments import SegmentField, field_named, fields_of
from crm.rules.segments.fields import Operator
from crm.rules.segments.tree import DEEPEST, ROOT, Node, children, is_group, texts

MOST_NODES = 120
"""More a form of ours never has; a longer one is cut."""

PLACE = re.compile(r"(join|field):(0(?:\.\d{1,3}){0,6})", re.ASCII)
ACT = re.compile(r"(add|group|remove):(0(?:\.\d{1,3}){0,6})", re.ASCII)
Path = tuple[int, ...]


def read_conditions(posted: QueryDict) -> dict[str, Any]:
    """Return the posted conditions as a tree that nothing has checked yet."""
    places: dict[Path, str] = {}
    for name in posted:
        if (found := PLACE.fullmatch(name)) and len(places) < MOST_NODES:
            places[tuple(int(step) for step in found[2].split("."))] = found[1]
    nodes: dict[Path, dict[str, Any]] = {(0,): {"join": posted.get(f"join:{ROOT}", "all"), "of": []}}
    for path, what in sorted(places.items()):
        above = nodes.get(path[:-1])
        if above is not None and "of" in above:
            nodes[path] = _node(posted, ".".join(map(str, path)), what)
            above["of"].append(nodes[path])
    return nodes[0,]


def _node(posted: QueryDict, path: str, what: str) -> dict[str, Any]:
    if what == "join":
        return {"join": posted.get(f"join:{path}", "all"), "of": []}
    return {
        "field": posted.get(f"field:{path}", ""),
        "op": posted.get(f"op:{path}", ""),
        "value": posted.getlist(f"value:{path}"),
    }


def new_condition(about: str) -> dict[str, Any]:
    """A condition to begin with."""
    first = fields_of(about)[0]
    return {"field": first.key, "op": first.kind.operators[0].key, "value": []}


def changed(tree: dict[str, Any], act: str, *, about: str) -> tuple[dict[str, Any], str]:
    """Return the tree after the button `act`, and the path of what then has the focus; nothing where it names none."""
    pressed = ACT.fullmatch(act)
    if pressed is None:
        return tree, ""
    verb, path = pressed[1], pressed[2]
    steps = [int(step) for step in path.split(".")[1:]]
    where = _walk(tree, steps)
    if verb in {"add", "group"} and is_group(where):
        further = new_condition(about) if verb == "add" else {"join": "any", "of": [new_condition(about)]}
        where["of"].append(further)
        place = f"{path}.{len(where['of']) - 1}"
        return tree, place if verb == "add" else f"{place}.0"
    above = _walk(tree, steps[:-1])
    if verb == "remove" and steps and is_group(above) and steps[-1] < len(above["of"]):
        del above["of"][steps[-1]]
        return tree, path.rpartition(".")[0]
    return tree, ""


def _walk(tree: dict[str, Any], steps: list[int]) -> Any:
    node: Any = tree
    for step in steps:
        if not is_group(node) or step >= len(node["of"]):
            return None
        node = node["of"][step]
    return node


# --- How it is laid out ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """One option of a select."""

    key: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Row:
    """One condition: its field, its operator and, by `widget`, what it compares with."""

    path: str
    fields: list[tuple[str, list[Choice]]]
    operators: list[Choice]
    widget: str
    value: str
    choices: list[Choice]
    unit: str
    label: str
    error: str
    has_focus: bool
    is_group: bool = False


@dataclass(frozen=True)
class Group:
    """A group with its rows and groups, in their order."""

    path: str
    joins: list[Choice]
    children: list[Row | Group]
    error: str
    has_focus: bool
    may_nest: bool
    is_root: bool
    is_group: bool = field(default=True)


def laid_out(tree: Node, *, about: str, reader: User, errors: Mapping[str, str], focus: str = "") -> Group:
    """Return the tree as the template draws it; a row whose field is gone falls back to the first."""
    return _Layout(about, reader, errors, focus).group(tree, ROOT, depth=1)


@dataclass
class _Layout:
    about: str
    reader: User
    errors: Mapping[str, str]
    focus: str
    _offered: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def group(self, node: Node, path: str, *, depth: int) -> Group:
        below = [
            self.group(child, place, depth=depth + 1) if is_group(child) else self.row(child, place)
            for place, child in children(node, path)
        ]
        joins = (("all", _("all of these hold")), ("any", _("any of these holds")), ("none", _("none of these holds")))
        return Group(
            path=path,
            joins=[Choice(key, label, key == node.get("join")) for key, label in joins],
            children=below,
            error=self.errors.get(path, ""),
            has_focus=self.focus == path,
            may_nest=depth < DEEPEST,
            is_root=path == ROOT,
        )

    def row(self, leaf: Node, path: str) -> Row:
        chosen = field_named(self.about, leaf.get("field")) or fields_of(self.about)[0]
        operator = chosen.kind.operator(leaf.get("op")) or chosen.kind.operators[0]
        widget = "nothing" if operator.takes == "nothing" else chosen.kind.widget(operator)
        values = texts(leaf)
        return Row(
            path=path,
            fields=list(self._fields(chosen)),
            operators=[Choice(one.key, str(one.label), one is operator) for one in chosen.kind.operators],
            widget=widget,
            value=_fitting(values, widget),
            choices=self._choices(chosen, set(values)) if widget == "choice" else [],
            unit=_unit(chosen, operator) if widget == "number" else "",
            label=str(chosen.label),
            error=self.errors.get(path, ""),
            has_focus=self.focus == path,
        )

    def _fields(self, chosen: SegmentField) -> Iterator[tuple[str, list[Choice]]]:
        groups: dict[str, list[Choice]] = {}
        for one in fields_of(self.about):
            groups.setdefault(str(one.group), []).append(Choice(one.key, str(one.label), one is chosen))
        yield from groups.items()

    def _choices(self, chosen: SegmentField, values: set[str]) -> list[Choice]:
        if chosen.key not in self._offered:
            rows = chosen.choices(self.reader) if chosen.choices else ()
            self._offered[chosen.key] = [(str(key), str(label)) for key, label in rows]
        known = self._offered[chosen.key]
        hidden = values - {key for key, _label in known} - {""}
        kept = {str(key) for key, _label in chosen.choices(None)} & hidden if hidden and chosen.choices else set()
        unseen = [Choice(key, _("somebody or something you do not see"), is_chosen=True) for key in sorted(kept)]
        return [Choice(key, label, key in values) for key, label in known] + unseen


def _fitting(values: list[str], widget: str) -> str:
    """What was written, unless it was meant for another control."""
    text = values[0] if values else ""
    if widget == "day" and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return ""
    return text


def _unit(chosen: SegmentField, operator: Operator) -> str:
    if operator.key in {"last", "older", "next", "within", "without"}:
        return pgettext("after a number", "days")
    return pgettext("after a number", "times") if chosen.kind.key == "activity" else ""
