"""Conditions as a tree: groups (all, any, none of) of conditions and further groups, checked before they are kept.

A condition is `{"field": …, "op": …, "value": …}`, a group `{"join": "all" | "any" | "none", "of": […]}`. A node's path
is the way to it from the root, "0": "0.2.1" is the second of the third.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.rules.segments.fields import Operator, SegmentField, field_named
from crm.rules.segments.refusals import ConditionsRefused, WrongValue

JOINS = ("all", "any", "none")
ROOT = "0"
DEEPEST = 4
"""Groups within groups, the outermost included."""
MOST_CONDITIONS = 40

Node = Mapping[str, Any]
Tree = dict[str, Any]


def is_group(node: object) -> bool:
    """Whether `node` joins others."""
    return isinstance(node, Mapping) and "of" in node


def children(node: Node, path: str) -> Iterator[tuple[str, Any]]:
    """Walk the nodes right below a group, each with its path."""
    below = node.get("of")
    if isinstance(below, list):
        yield from ((f"{path}.{number}", child) for number, child in enumerate(below))


def leaves(node: Node) -> Iterator[Node]:
    """Walk the conditions of a checked tree."""
    if not is_group(node):
        yield node
        return
    for _path, child in children(node, ROOT):
        yield from leaves(child)


def parts(about: str, leaf: object) -> tuple[SegmentField, Operator]:
    """Return the field and operator that a condition names; WrongValue where there is no such thing."""
    if not isinstance(leaf, Mapping):
        raise WrongValue(_("This is no condition."))
    field = field_named(about, leaf.get("field"))
    if field is None:
        raise WrongValue(_("There is no such field. Choose another."))
    operator = field.kind.operator(leaf.get("op"))
    if operator is None:
        raise WrongValue(_("“%(field)s” cannot be compared like this. Choose again.") % {"field": field.label})
    return field, operator


def checked(raw: object, *, about: str) -> Tree:
    """Return `raw` as a tree that can be kept and asked; ConditionsRefused says all that is wrong with it."""
    tree, wrong = read(raw, about=about)
    if wrong or tree is None:
        raise ConditionsRefused(wrong)
    return tree


def read(raw: object, *, about: str) -> tuple[Tree | None, dict[str, str]]:
    """Return what of `raw` can be asked, None where nothing can, and what is wrong with the rest by its path."""
    wrong: dict[str, str] = {}
    tree = _group(raw, ROOT, about, wrong, depth=1) if is_group(raw) else None
    if tree is None:
        wrong.setdefault(ROOT, _("Say at least one condition."))
    elif len(list(leaves(tree))) > MOST_CONDITIONS:
        wrong.setdefault(ROOT, _("%(most)s conditions at most.") % {"most": MOST_CONDITIONS})
        return None, wrong
    return tree, wrong


def _group(node: Any, path: str, about: str, wrong: dict[str, str], *, depth: int) -> Tree | None:
    """Check a group and what is in it; an empty one says nothing, so nothing stays of it."""
    if node.get("join") not in JOINS:
        wrong[path] = _("Say whether all, any or none of these hold.")
        return None
    if depth > DEEPEST:
        wrong[path] = _("Groups go %(most)s deep at most.") % {"most": DEEPEST}
        return None
    kept = []
    for below, child in children(node, path):
        found = (
            _group(child, below, about, wrong, depth=depth + 1)
            if is_group(child)
            else _leaf(child, below, about, wrong)
        )
        if found is not None:
            kept.append(found)
    return {"join": node["join"], "of": kept} if kept else None


def _leaf(node: Any, path: str, about: str, wrong: dict[str, str]) -> Tree | None:
    try:
        field, operator = parts(about, node)
        if operator.takes == "nothing":
            return {"field": field.key, "op": operator.key}
        return {"field": field.key, "op": operator.key, "value": field.kind.clean(field, operator, texts(node))}
    except WrongValue as error:
        wrong[path] = str(error)
        return None


def texts(leaf: Node) -> list[str]:
    """Return what a condition compares with as a form would send it."""
    value = leaf.get("value", [])
    return [str(part) for part in (value if isinstance(value, list) else [value])]
