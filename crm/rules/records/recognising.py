"""Whose export a header is, and what each of its columns holds: looked up in the vocabularies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from django.utils.functional import Promise

from crm.rules.records.reading import normal_name
from crm.rules.records.registry import KINDS
from crm.rules.records.targets import targets_of
from crm.rules.records.vocabularies import (
    address_books,
    amocrm,
    bitrix24,
    hubspot,
    odoo,
    others,
    ours,
    pipedrive,
    salesforce,
    zoho,
)
from crm.rules.records.vocabularies.vocabulary import Vocabulary

VOCABULARIES: tuple[Vocabulary, ...] = tuple(
    chain.from_iterable(
        module.VOCABULARIES
        for module in (ours, hubspot, pipedrive, salesforce, zoho, odoo, bitrix24, amocrm, address_books, others)
    )
)
FEWEST = 2
"""Fewer headings in common are chance."""


@dataclass(frozen=True)
class Recognised:
    """What a header was taken for: the program it is of ("" for nobody's), the kind, and each column's target."""

    program: str
    kind: str
    targets: tuple[str, ...]
    """One for each column of the header; "" where it holds nothing of ours."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    holds: str | Promise = ""
    """What it holds, where that is nothing the wizard can import."""


def recognise(header: Sequence[str], kind: str | None = None) -> Recognised:
    """Recognise a header; with `kind` only as such records, else as the likeliest ones."""
    names = [normal_name(name) for name in header]
    best: Vocabulary | None = max(VOCABULARIES, key=lambda vocabulary: _score(vocabulary, names, kind))
    is_known = best and sum(name in best.known for name in names) >= min(FEWEST, len([name for name in names if name]))
    if not is_known:
        best = None
    chosen = kind or (best and best.kind) or "leads"
    targets, values = _targets(names, chosen, best)
    return Recognised(best.program if best else "", chosen, targets, values, best.holds if best else "")


def known_headings() -> set[str]:
    """Every heading of every program: by them the header is told from the lines above it."""
    return {name for vocabulary in VOCABULARIES for name in vocabulary.known}


def _score(vocabulary: Vocabulary, names: list[str], kind: str | None) -> tuple[bool, int, int]:
    """Of the wanted kind first; then most headings known; then most of them headings of records."""
    known = {name for name in names if name in vocabulary.known}
    return kind is None or vocabulary.kind == kind, len(known), sum(name in vocabulary.by_heading for name in known)


def _targets(
    names: list[str], kind: str, best: Vocabulary | None
) -> tuple[tuple[str, ...], Mapping[str, Mapping[str, str]]]:
    """A target for each column: by the best vocabulary, then by any other of the kind, then by its program's."""
    offered = set(targets_of(KINDS[kind]))
    of_kind = [vocabulary for vocabulary in VOCABULARIES if vocabulary.kind == kind and vocabulary is not best]
    first = [best] if best else []
    found = []
    for name in names:
        held = [vocabulary.by_heading.get(name, "") for vocabulary in (*first, *of_kind)]
        if best and not held[0] and name in best.known and best.kind == kind:
            held = []  # the program means something else by it
        found.append(next((target for target in held if target in offered), ""))
    return tuple(_one_owner(_single(found, names), names, best)), best.values if best and best.kind == kind else {}


def _one_owner(targets: list[str], names: list[str], best: Vocabulary | None) -> list[str]:
    """Where a file has its owners' names and their ids, the names are taken: nobody is asked who an id is."""
    surest = [normal_name(name) for name in best.headings.get("owner", ())] if best else []
    held = [name for target, name in zip(targets, names, strict=True) if target == "owner"]
    owner = min(held, key=lambda name: surest.index(name) if name in surest else len(surest), default="")
    return ["" if target == "owner" and name != owner else target for target, name in zip(targets, names, strict=True)]


def _single(targets: list[str], names: list[str]) -> list[str]:
    """A heading that stands twice in a file is taken once: the first is the one that is filled."""
    return [
        "" if name in names[:place] else target for place, (target, name) in enumerate(zip(targets, names, strict=True))
    ]
