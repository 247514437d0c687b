"""Suspected duplicates and merging."""

from __future__ import annotations

from typing import Any

from tests.access.policies import CLAIMERS, EVERYBODY, OWNERS, READERS, WRITERS, Row, form, reads, writes
from tests.access.rows.arguments import FIND, about, of
from tests.access.world import World


def twins(world: World) -> dict[str, Any]:
    return {"subject_kind": "contact", "ids": f"{world.records['contact'].pk}-{world.records['twin'].pk}"}


def with_twin(world: World) -> dict[str, Any]:
    return {"subject_kind": "contact", "pk": about("contact")(world)["subject_pk"]}


def of_companies(_world: World) -> dict[str, Any]:
    return {"subject_kind": "company"}


ROWS: dict[str, Row] = {
    "duplicate_list": reads(EVERYBODY, query="?kind=contact", names=READERS),
    "duplicate_notice": reads(
        WRITERS, lambda _world: {"subject_kind": "company"}, query="?name=KESTREL+ltd", names=CLAIMERS
    ),
    "duplicates_different": writes(OWNERS, of(ids="suspicion")),
    "duplicates_reopen": writes(OWNERS, of(ids="suspicion")),
    "records_merge": form(OWNERS, twins),
    "record_merge_with": form(OWNERS, with_twin),
    "merge_undo": writes(OWNERS, of(pk="merge")),
    "choose_leads": reads(EVERYBODY, query=FIND, names=READERS),
}
