"""Says conditions as a sentence: "Source is Fair and score above 60 and no call in the last 7 days"."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm.models import User
from crm.rules.segments.refusals import WrongValue
from crm.rules.segments.tree import Node, is_group, parts


def sentence(tree: Node, *, about: str, reader: User | None) -> str:
    """Return the conditions in the language being spoken; names that `reader` may not see are not said."""
    return _capital(_said(tree, about, reader))


def _said(node: Any, about: str, reader: User | None, *, is_inner: bool = False) -> str:
    if not is_group(node):
        return _condition(node, about, reader)
    said = [_said(child, about, reader, is_inner=True) for child in node["of"]]
    joined = (_(" and ") if node["join"] == "all" else _(" or ")).join(said)
    if node["join"] == "none":
        return _("none of this: (%(conditions)s)") % {"conditions": joined}
    return f"({joined})" if is_inner and len(said) > 1 else joined


def _condition(leaf: Any, about: str, reader: User | None) -> str:
    try:
        field, operator = parts(about, leaf)
    except WrongValue:
        return _("a condition that no longer exists")
    value = "" if operator.takes == "nothing" else field.kind.words(field, operator, leaf["value"], reader)
    return str(operator.says) % {"field": _small(str(field.says or field.label)), "value": value}


def _small(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
