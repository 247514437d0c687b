"""Suspected pairs as groups to decide at once: whoever is suspected of being the same as one is in its group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crm.models import DuplicateSuspicion, Reason, Strength, User
from crm.rules.duplicates import MODELS

MOST = 500
"""So many pairs are shown, the surest; the next ones follow as these are decided."""
MOST_IN_GROUP = 10
"""A merge takes no more at once."""


@dataclass(frozen=True)
class Group:
    """Records that may be one, the pairs that say so, and whether the reader may decide it."""

    records: Sequence[Any]
    pairs: Sequence[DuplicateSuspicion]
    is_editable: bool

    @property
    def record_ids(self) -> str:
        """The records, as an address names them."""
        return "-".join(str(record.pk) for record in self.records)

    @property
    def pair_ids(self) -> str:
        """The pairs, as an address names them."""
        return "-".join(str(pair.pk) for pair in self.pairs)

    @property
    def strength(self) -> Strength:
        """How sure the surest of its pairs is."""
        return Strength(max(pair.strength for pair in self.pairs))

    @property
    def reasons(self) -> list[str]:
        """All that speaks for it, in words."""
        said = {reason for pair in self.pairs for reason in pair.reasons}
        return [str(reason.label) for reason in Reason if reason in said]


def read_groups(kind: str, user: User) -> list[Group]:
    """Return the groups of the surest open pairs that `user` may see, the surest group first."""
    pairs = list(DuplicateSuspicion.objects.open().visible_to(user).filter(kind=kind)[:MOST])
    ids = {pk for pair in pairs for pk in (pair.left_id, pair.right_id)}
    rows = MODELS[kind].objects
    related = ("owner", "company") if kind == "contact" else ("owner",)
    records = rows.filter(pk__in=ids).select_related(*related).in_bulk()
    editable = set(rows.editable_by(user).filter(pk__in=ids).values_list("pk", flat=True))
    return [_group(found, records, editable) for found in _connected(pairs)]


def _group(pairs: Sequence[DuplicateSuspicion], records: dict[int, Any], editable: set[int]) -> Group:
    ids = sorted({pk for pair in pairs for pk in (pair.left_id, pair.right_id)})
    return Group([records[pk] for pk in ids], pairs, editable.issuperset(ids))


def _connected(pairs: Iterable[DuplicateSuspicion]) -> list[list[DuplicateSuspicion]]:
    """Pairs that share a record stand together; a group that grows too long for one merge begins another."""
    group_of: dict[int, int] = {}
    members: dict[int, set[int]] = defaultdict(set)
    grouped: dict[int, list[DuplicateSuspicion]] = defaultdict(list)
    for number, pair in enumerate(pairs):
        groups = {group_of.get(pair.left_id), group_of.get(pair.right_id)} - {None}
        target = min((group for group in groups if group is not None), default=number)
        union = {pair.left_id, pair.right_id}.union(*(members[group] for group in groups if group is not None))
        if len(union) > MOST_IN_GROUP:
            grouped[number].append(pair)
            continue
        for group in groups - {target}:
            grouped[target] += grouped.pop(group, [])  # type: ignore[arg-type]
        grouped[target].append(pair)
        members[target] = union
        group_of |= dict.fromkeys(union, target)
    return sorted(grouped.values(), key=lambda found: -max(pair.strength for pair in found))
