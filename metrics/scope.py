"""What a figure is asked about: which days, whose and which records, and who asks."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import timezone

from crm.models import Campaign, LeadSource, Segment, Team, User
from crm.rules.segments import people_in
from pipeline.models import Pipeline

DAY = dt.timedelta(days=1)
DIMENSIONS = ("pipeline", "owner", "team", "source", "campaign", "segment")
"""What a figure can be filtered by, and but for segments grouped by."""
ALL = frozenset(DIMENSIONS)


def organisation_zone() -> zoneinfo.ZoneInfo:
    """The time zone in which the organisation's days begin and end."""
    return zoneinfo.ZoneInfo(settings.TIME_ZONE)


def midnight(day: dt.date) -> dt.datetime:
    """The first instant of `day` in the organisation's time zone, in UTC."""
    return dt.datetime.combine(day, dt.time(), tzinfo=organisation_zone()).astimezone(dt.UTC)


def add_months(day: dt.date, count: int) -> dt.date:
    """`day`, a first of a month, `count` months later."""
    number = day.year * 12 + day.month - 1 + count
    return dt.date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True)
class Period:
    """Whole days `[start, end)` in the organisation's time zone; ValueError where it is empty or backwards."""

    start: dt.date
    end: dt.date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"A period ends after it starts: {self.start} to {self.end}.")

    @property
    def starts_at(self) -> dt.datetime:
        """Its first instant, in UTC."""
        return midnight(self.start)

    @property
    def ends_at(self) -> dt.datetime:
        """The first instant after it, in UTC."""
        return midnight(self.end)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> dt.date:
        """The last day within it."""
        return self.end - DAY

    @property
    def whole_months(self) -> int:
        """How many calendar months it is made of; 0 where it is not made of whole ones."""
        if self.start.day != 1 or self.end.day != 1:
            return 0
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    def before(self, steps: int = 1) -> Period:
        """The period of the same length `steps` periods earlier: as many months where it is whole months, else days."""
        if self.whole_months:
            shift = -self.whole_months * steps
            return Period(add_months(self.start, shift), add_months(self.end, shift))
        return Period(self.start - DAY * self.days * steps, self.end - DAY * self.days * steps)

    def run_up(self, points: int) -> list[Period]:
        """The `points` periods that lead up to and include this one, in order: what a trend is drawn from.

        A longer period than a month is drawn month by month up to its end, so that the line has something to say.
        """
        unit = self
        if self.days > 31:
            last = add_months(self.last_day.replace(day=1), 0)
            unit = Period(last, add_months(last, 1))
        return [unit.before(steps) if steps else unit for steps in range(points - 1, -1, -1)]

    def months(self) -> Iterator[Period]:
        """The calendar months it touches, cut to its own days."""
        first = self.start.replace(day=1)
        while first < self.end:
            following = add_months(first, 1)
            yield Period(max(first, self.start), min(following, self.end))
            first = following


@dataclass(frozen=True)
class Filters:
    """What a figure is narrowed to; None narrows nothing."""

    pipeline: Pipeline | None = None
    owner: User | None = None
    team: Team | None = None
    source: LeadSource | None = None
    campaign: Campaign | None = None
    segment: Segment | None = None

    @property
    def used(self) -> frozenset[str]:
        """The dimensions in use."""
        return frozenset(name for name in DIMENSIONS if getattr(self, name) is not None)


@dataclass(frozen=True)
class Scope:
    """One question's bounds: period, filters, who asks (None: the system, which sees all), and what time it is."""

    period: Period
    filters: Filters = field(default_factory=Filters)
    viewer: User | None = None
    now: dt.datetime = field(default_factory=timezone.now)

    def over(self, period: Period) -> Scope:
        """The same question about another period."""
        return replace(self, period=period)

    @cached_property
    def visible_owner_ids(self) -> frozenset[int] | None:
        """Whose records the viewer reads; None means everybody's."""
        return self.viewer.visible_owner_ids if self.viewer else None

    @cached_property
    def is_whole(self) -> bool:
        """Whether the viewer reads all who sell, and so is told the organisation's figures, spend included."""
        if self.visible_owner_ids is None:
            return True
        selling = User.objects.exclude(role__in=(User.Role.ADMIN, User.Role.VIEWER))
        return not selling.exclude(pk__in=self.visible_owner_ids).exists()

    @cached_property
    def team_member_ids(self) -> frozenset[int] | None:
        """The members of the chosen team; None where none is chosen."""
        if self.filters.team is None:
            return None
        return frozenset(User.objects.filter(team=self.filters.team).values_list("pk", flat=True))

    @cached_property
    def owner_ids(self) -> frozenset[int] | None:
        """Whose records count: the filters' and, of those, the viewer's; None means everybody's."""
        chosen = frozenset({self.filters.owner.pk}) if self.filters.owner else None
        bounds = [ids for ids in (self.visible_owner_ids, self.team_member_ids, chosen) if ids is not None]
        return frozenset.intersection(*bounds) if bounds else None

    @cached_property
    def reachable_team_ids(self) -> frozenset[int] | None:
        """Teams whose unassigned leads the viewer sees; None means all."""
        if self.visible_owner_ids is None or self.viewer is None:
            return None
        own = {self.viewer.team_id} if self.viewer.team_id else set()
        return frozenset(own | set(self.viewer.led_teams.values_list("pk", flat=True)))

    @cached_property
    def segment_leads(self) -> Any:
        """Ids of the leads in the chosen segment now, of those the viewer may see."""
        assert self.filters.segment is not None
        return people_in(self.filters.segment, seen_by=self.viewer, now=self.now).order_by().values("pk")
