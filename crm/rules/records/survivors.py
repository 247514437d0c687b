"""Where rows go whose record was merged into another: to the one that it became."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from crm.rules.forwarding import FURTHEST


def led_on(records: Iterable[Any], rows: QuerySet[Any]) -> dict[int, Any]:
    """By the id of each record, itself or what it was merged into; none for what `rows` does not hold.

    Each record is one object, however many lead to it: what one row changes of it the next one sees.
    """
    here = {record.pk: record for record in records}
    asked = list(here.values())
    for _merge in range(FURTHEST):
        wave = {record.merged_into_id for record in here.values() if record.merged_into_id} - here.keys()
        if not wave:
            break
        here |= rows.in_bulk(wave)
    ends = {record.pk: _end(record, here) for record in asked}
    return {pk: end for pk, end in ends.items() if end is not None}


def _end(record: Any, here: dict[int, Any]) -> Any:
    while record is not None and record.merged_into_id:
        record = here.get(record.merged_into_id)
    return record
