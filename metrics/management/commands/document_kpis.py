"""Writes docs/kpis.md out of the declarations: `manage.py document_kpis`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import translation

from metrics.kpi import Better, Kpi, Unit
from metrics.kpis import SUBJECTS
from metrics.scope import DIMENSIONS

PAGE = settings.BASE_DIR / "docs" / "kpis.md"

_UNITS = {
    Unit.COUNT: "a count",
    Unit.MONEY: "money in the base currency",
    Unit.MONEY_PER_DAY: "money in the base currency a day",
    Unit.RATIO: "a share, as a fraction of 1",
    Unit.TIMES: "times",
    Unit.DAYS: "days",
    Unit.HOURS: "hours",
}
_BETTER = {Better.UP: "higher is better", Better.DOWN: "lower is better", Better.NEITHER: "neither way is better"}

_HEAD = """\
# The KPIs

*Written by `manage.py document_kpis` from the declarations in `metrics/kpis/`; change them, not this page.*

Every surface reads the same declarations: the dashboard, `manage.py kpis` and this page. A period holds its first day
and not its last, in whole days of the organisation's time zone. A share carries its numerator, its denominator and
its 95 % Wilson interval; what rests on no facts is null with a reason, never 0. Money is in the base currency at the
exchange rate of the day of what is counted; a missing rate makes the figure null and is named. A filter that a KPI's
facts do not have makes it unavailable. A person is told what follows from the records they may see.
"""


class Command(BaseCommand):
    """The page of definitions, always as the code counts."""

    help = "Write docs/kpis.md from the declared KPIs."

    def handle(self, *args: Any, **options: Any) -> None:
        PAGE.write_text(page(), encoding="utf-8")
        self.stdout.write(f"Wrote {PAGE.relative_to(settings.BASE_DIR)}.")


def page() -> str:
    """Return the whole page, in English."""
    with translation.override("en"):
        return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for subject, kpis in SUBJECTS.items():
        yield f"## {subject}\n"
        for kpi in kpis:
            yield from _entry(kpi)


def _entry(kpi: Kpi) -> Iterator[str]:
    filters = ", ".join(name for name in DIMENSIONS if name in kpi.dimensions)
    dated_by = ", ".join(f"`{name}`" for name in kpi.dated_by.split(", "))
    yield f"### {kpi.name} (`{kpi.key}`)\n"
    yield f"{kpi.question}\n\n{kpi.formula}\n"
    yield f"Unit: {_UNITS[kpi.unit]}; {_BETTER[kpi.better]}. Dated by {dated_by}. Filters: {filters}.\n"
