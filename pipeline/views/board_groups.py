"""What the columns of a board stand for: stages, owners, or the months in which deals are expected to close."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from babel.dates import format_date
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, CharField, F, OuterRef, Q, Value, When
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.models import User
from crm.templatetags.formats import active_locale
from pipeline.forms.board_filters import BoardFilter
from pipeline.models import Deal, Stage
from pipeline.rules.closing_months import EARLIER, LATER, NONE, day_in, month_key, months_ahead
from pipeline.views.board_cards import Row
from pipeline.views.board_orders import BY_CLOSE, BY_RANK, BY_WIN, Order

MOST_PEOPLE = 40
"""To so many columns of owners those are filled up who have no deals yet, but could be given some."""


@dataclass(frozen=True)
class Group:
    """What one column stands for. `key` names it in addresses and in the page.

    `beginning` are the fields with which a deal begins that is added in it; None where none can be.
    """

    key: str
    label: str
    condition: Q
    order: Order
    beginning: Mapping[str, Any] | None
    stage: Stage | None = None
    person: User | None = None

    @property
    def is_won(self) -> bool:
        """Whether what lies in it is won."""
        return self.stage is not None and self.stage.is_won

    @property
    def kind(self) -> str:
        """Open or won, as of a stage."""
        return str(Stage.Kind.WON if self.is_won else Stage.Kind.OPEN)

    def cards(self, deals: Any) -> Any:
        """Those of `deals` (a queryset) that lie in the column, from its top to its end."""
        outcome = Deal.Outcome.WON if self.is_won else Deal.Outcome.OPEN
        return self.order.laid(deals.filter(self.condition, outcome=outcome))


@dataclass
class Grouping:
    """By what the open deals of a board stand in columns. The won stages have columns of their own on every board."""

    by: ClassVar[str]
    key: ClassVar[Any]
    """What says of each open deal, and of each of the running totals, in which column it counts."""
    has_running_totals: ClassVar[bool] = True
    order: ClassVar[Order] = BY_CLOSE

    stages: Sequence[Stage]
    viewer: User
    filters: BoardFilter
    now: dt.datetime
    open_stages: dict[int, Stage] = field(init=False)

    def __post_init__(self) -> None:
        self.open_stages = {stage.pk: stage for stage in self.stages if not stage.is_won}

    def open_groups(self, filled: Collection[str]) -> list[Group]:
        """The columns of open deals; `filled` are the keys of those that hold any."""
        raise NotImplementedError

    def open_key(self, row: Row) -> str:
        """In which column an open deal lies."""
        raise NotImplementedError

    def first_ids(self, groups: Sequence[Group], deals: Any, count: int) -> dict[str, list[int]]:
        """The first deals of each of `groups`, in one query: each part walks an index no further than it is shown."""
        parts = [
            group.cards(deals).annotate(column=Value(group.key)).values_list("column", "pk")[:count] for group in groups
        ]
        found: dict[str, list[int]] = {group.key: [] for group in groups}
        for key, pk in parts[0].union(*parts[1:], all=True) if parts else ():
            found[key].append(pk)
        return found

    def groups(self, filled: Collection[str]) -> list[Group]:
        """All columns, from left to right."""
        return [*self.open_groups(filled), *self.won_groups()]

    def won_groups(self) -> list[Group]:
        """The columns of won deals."""
        return [self._of_stage(stage, self.won_key(stage.pk)) for stage in self.stages if stage.is_won]

    def won_key(self, stage_id: int) -> str:
        """The key of a won stage: no owner and no month has it."""
        return f"won-{stage_id}"

    def group(self, key: str) -> Group | None:
        """The column that `key` names, where there may be one."""
        return next((group for group in self.groups({key}) if group.key == key), None)

    def key_of(self, row: Row) -> str:
        """In which column a deal lies."""
        return self.won_key(row.stage_id) if row.outcome == Deal.Outcome.WON else self.open_key(row)

    def _standing(self, condition: Q) -> Q:
        """Open deals of the board's stages; a condition on both, since an archived stage is on no board."""
        return condition & Q(stage_id__in=list(self.open_stages))

    def _of_stage(self, stage: Stage, key: str) -> Group:
        if stage.is_won:
            return Group(key, stage.label, Q(stage=stage), BY_WIN, None, stage=stage)
        return Group(key, stage.label, Q(stage=stage), BY_RANK, {}, stage=stage)


class ByStage(Grouping):
    """The pipeline itself."""

    by = "stage"
    key = F("stage_id")
    order = BY_RANK

    def open_groups(self, filled: Collection[str]) -> list[Group]:  # noqa: ARG002 (an empty stage has its column)
        """One for each stage."""
        return [self._of_stage(stage, str(stage.pk)) for stage in self.open_stages.values()]

    def groups(self, filled: Collection[str]) -> list[Group]:  # noqa: ARG002
        """The stages in their order, wherever the won one stands."""
        return [self._of_stage(stage, str(stage.pk)) for stage in self.stages]

    def won_key(self, stage_id: int) -> str:
        """A stage as any other."""
        return str(stage_id)

    def open_key(self, row: Row) -> str:
        """Its stage."""
        return str(row.stage_id)

    def first_ids(self, groups: Sequence[Group], deals: Any, count: int) -> dict[str, list[int]]:
        """The same in a statement that is quicker to write: two subqueries however many stages."""
        won, standing = (
            ArraySubquery(order.laid(deals.filter(stage=OuterRef("pk"), outcome=outcome)).values("pk")[:count])
            for order, outcome in ((BY_WIN, Deal.Outcome.WON), (BY_RANK, Deal.Outcome.OPEN))
        )
        ids = Case(When(kind=Stage.Kind.WON, then=won), default=standing)
        keys = [group.key for group in groups]
        return {str(pk): found for pk, found in Stage.objects.filter(pk__in=keys).order_by().values_list("pk", ids)}


class ByOwner(Grouping):
    """Whose the deals are. Dragging hands them over."""

    by = "owner"
    key = F("owner_id")

    def open_groups(self, filled: Collection[str]) -> list[Group]:
        """The reader first, then who has deals here, then who could be given some."""
        ids = self.filters.owner_ids(self.viewer)
        shown = Q() if ids is None else Q(pk__in=ids)
        holders = {int(key) for key in filled if key.isdecimal()}
        people = User.objects.visible_to(self.viewer).filter(shown)
        assignable = User.objects.assignable_by(self.viewer).filter(shown).values("pk")
        found = people.filter(Q(pk__in=holders) | Q(pk__in=assignable)).order_by(
            Case(When(pk=self.viewer.pk, then=0), When(pk__in=holders, then=1), default=2), "name", "pk"
        )
        return [self._of(person) for person in found[: max(MOST_PEOPLE, len(holders) + 1)]]

    def group(self, key: str) -> Group | None:
        """Anybody whose deals the reader may see."""
        if not key.isdecimal() or len(key) > 9:
            return super().group(key) if key.startswith("won-") else None
        person = User.objects.visible_to(self.viewer).filter(pk=key).first()
        return self._of(person) if person else None

    def open_key(self, row: Row) -> str:
        """Its owner."""
        return str(row.owner_id)

    def _of(self, person: User) -> Group:
        beginning = {"owner": person} if person.is_active and person.may_write else None
        standing = self._standing(Q(owner=person))
        return Group(str(person.pk), str(person), standing, self.order, beginning, person=person)


class ByMonth(Grouping):
    """When the deals are expected to close. Dragging re-dates them."""

    by = "month"
    has_running_totals = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.today = timezone.localtime(self.now).date()
        spans = self._spans()
        self.columns = [
            Group(key, label, self._standing(span), self.order, self._beginning(key)) for key, label, span in spans
        ]
        whens = (When(span, then=Value(key)) for key, _label, span in spans)
        self.key = Case(*whens, output_field=CharField())  # type: ignore[misc]  # it depends on the day

    def open_groups(self, filled: Collection[str]) -> list[Group]:
        """What should have closed where there is any, this month and the next ones, later, and what is undated."""
        return [group for group in self.columns if group.key != EARLIER or EARLIER in filled]

    def open_key(self, row: Row) -> str:
        """The month in which it is expected to close."""
        return month_key(row.expected_close_on, self.today)

    def _beginning(self, key: str) -> dict[str, Any] | None:
        if key in {EARLIER, LATER}:
            return None
        month = next((month for month in months_ahead(self.today) if f"{month:%Y-%m}" == key), None)
        return {"expected_close_on": day_in(month, was=None, today=self.today)} if month else {}

    def _spans(self) -> list[tuple[str, str, Q]]:
        starts = months_ahead(self.today)
        months = [
            (start.strftime("%Y-%m"), month_label(start), Q(expected_close_on__gte=start, expected_close_on__lt=end))
            for start, end in pairwise(starts)
        ]
        return [
            (EARLIER, column_label(EARLIER), Q(expected_close_on__lt=starts[0])),
            *months,
            (LATER, column_label(LATER), Q(expected_close_on__gte=starts[-1])),
            (NONE, column_label(NONE), Q(expected_close_on=None)),
        ]


GROUPINGS: dict[str, type[Grouping]] = {one.by: one for one in (ByStage, ByOwner, ByMonth)}


def column_label(key: str) -> str:
    """The heading of a column of the board by months."""
    sides = {EARLIER: _("Earlier"), LATER: _("Later"), NONE: _("No date")}
    return sides.get(key) or month_label(dt.date.fromisoformat(f"{key}-01"))


def month_label(day: dt.date) -> str:
    """A month as a heading: "December 2026"."""
    return str(capfirst(format_date(day, "LLLL y", locale=active_locale())))
