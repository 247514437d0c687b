"""Tables as files for a spreadsheet, in which no cell starts as a formula."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone, translation

from crm.rules.cells import BYTE_ORDER_MARK, Echo, guarded


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Stream `rows` under `header` as the attachment `name`.csv, a row at a time whatever their number."""
    lines = _lines(header, rows, zone=timezone.get_current_timezone(), language=translation.get_language())
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def harmless(value: Any) -> Any:
    """Return `value` such that a spreadsheet shows it and computes nothing; None is an empty cell."""
    if value is None:
        return ""
    return guarded(value) if isinstance(value, str) else value


def _lines(
    header: Sequence[str], rows: Iterable[Sequence[Any]], *, zone: dt.tzinfo, language: str | None
) -> Iterator[str]:
    """Write in the language and zone of the person who asked: by now the middleware that set them has ended."""
    writer = csv.writer(Echo())
    with timezone.override(zone), translation.override(language):
        yield BYTE_ORDER_MARK + writer.writerow([harmless(str(title)) for title in header])
        for row in rows:
            yield writer.writerow([harmless(value) for value in row])
