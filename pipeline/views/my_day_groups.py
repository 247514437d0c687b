"""What my day is made of: groups of rows, each in the order of what is at stake, each row with its one next action."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import FollowUp, Lead, User, subjects_seen_by
from crm.models.follow_ups import FollowUpQuerySet
from crm.models.leads import LeadQuerySet
from crm.rules.response_clock import Clocks, ResponseClock
from crm.views.next_step import Verb, phone_url, reach, state_of, verb_for
from pipeline.models import Deal, DealQuerySet
from pipeline.views.stakes import Stakes

SHOWN, SHOWN_ALL, SHOWN_NEXT = 10, 200, 5
BESIDE = {
    "deal": ("stage", "company", "contact"),
    "contact": ("company",),
    "lead": ("source",),
}
"""What a row says of its record beside its name."""


@dataclass(frozen=True)
class Step:
    """A follow-up as a row; `subject` is None where the person sees the follow-up but not its record."""

    follow_up: FollowUp
    subject: Any
    state: str
    verb: Verb | None
    may_change: bool
    late: dt.timedelta

    @property
    def deal(self) -> Deal | None:
        """The deal it is about, if it is about one."""
        return self.subject if isinstance(self.subject, Deal) else None


@dataclass(frozen=True)
class WaitingLead:
    """A lead that nobody has answered, with its running clock."""

    lead: Lead
    clock: ResponseClock
    verb: Verb


@dataclass(frozen=True)
class QuietDeal:
    """A deal for which nothing is planned soon: days in its stage, days over the limit, and whether one may plan."""

    deal: Deal
    days_in_stage: int | None
    days_over: int
    may_change: bool


@dataclass(frozen=True)
class Group:
    """One panel: so many rows, worth so much, and those of them that are shown."""

    key: str
    count: int
    rows: Sequence[Any]
    stake: Decimal | None = None

    @property
    def hidden(self) -> int:
        """How many rows are not shown."""
        return self.count - len(self.rows)


@dataclass(frozen=True)
class Scope:
    """Whose day, when, and which group is opened in full."""

    user: User
    is_team: bool
    now: dt.datetime
    opened: str = ""

    @property
    def midnight(self) -> dt.datetime:
        """When the person's day ends."""
        local = timezone.localtime(self.now)
        tomorrow = local.date() + dt.timedelta(days=1)
        return timezone.make_aware(dt.datetime.combine(tomorrow, dt.time()), local.tzinfo)

    @property
    def daybreak(self) -> dt.datetime:
        """When the person's day began."""
        local = timezone.localtime(self.now)
        return timezone.make_aware(dt.datetime.combine(local.date(), dt.time()), local.tzinfo)

    def follow_ups(self) -> FollowUpQuerySet:
        """The follow-ups of the person, or of all whose work they see."""
        visible = FollowUp.objects.visible_to(self.user)
        return visible if self.is_team else visible.filter(assignee=self.user)

    def deals(self) -> DealQuerySet:
        """The open deals of the person, or of all whose work they see."""
        visible = Deal.objects.visible_to(self.user).open()
        return visible if self.is_team else visible.filter(owner=self.user)

    def leads(self) -> LeadQuerySet:
        """The unanswered leads of the person and of nobody, or of all whose work they see."""
        waiting = Lead.objects.visible_to(self.user).waiting()
        return waiting if self.is_team else waiting.filter(Q(owner=self.user) | Q(owner=None))

    def limit(self, key: str) -> int:
        """How many rows of a group are shown."""
        return SHOWN_ALL if key == self.opened else SHOWN

    def may_change(self, owner_id: int | None) -> bool:
        """Whether the person may change what belongs to `owner_id`."""
        ids = self.user.editable_owner_ids
        return self.user.may_write and (ids is None or owner_id in ids)


@dataclass(frozen=True)
class Day:
    """The whole page: what waits, what is done, what comes."""

    groups: Sequence[Group]
    next: Group
    meetings: Sequence[Step]
    tomorrow: int
    tomorrow_from: dt.datetime | None
    missing_rates: Sequence[str] = ()
    done: dict[str, int] = field(default_factory=dict)

    @property
    def to_do(self) -> int:
        """How many things wait."""
        return sum(group.count for group in self.groups)

    @property
    def stake(self) -> Decimal:
        """What all of them are worth together, in base currency."""
        return sum((group.stake for group in self.groups if group.stake), Decimal(0))

    @property
    def done_count(self) -> int:
        """How many follow-ups were done today."""
        return sum(self.done.values())

    @property
    def planned(self) -> int:
        """What was done today and what still waits for it, follow-ups alone."""
        return self.done_count + sum(group.count for group in self.groups if group.key in {"overdue", "today"})

    @property
    def done_share(self) -> float:
        """How much of today's follow-ups is done."""
        return self.done_count / self.planned if self.planned else 0.0


def day_of(scope: Scope) -> Day:
    """Read the day; a handful of queries however many rows there are."""
    stakes = Stakes(scope.user, on=timezone.localdate(scope.now))
    open_steps = scope.follow_ups().open().annotate(stake=stakes.of_follow_up)
    when = {
        "overdue": Q(due_at__lt=scope.now),
        "today": Q(due_at__gte=scope.now, due_at__lt=scope.midnight),
        "next": Q(due_at__gte=scope.midnight),
        "tomorrow": Q(due_at__gte=scope.midnight, due_at__lt=scope.midnight + dt.timedelta(days=1)),
    }
    totals = _totals(open_steps, when)
    ordered = open_steps.select_related("assignee").order_by(F("stake").desc(nulls_last=True), "due_at", "pk")
    found = {key: list(ordered.filter(when[key])[: scope.limit(key)]) for key in ("overdue", "today")}
    found["next"] = list(ordered.filter(when["next"]).order_by("due_at", "pk")[: _next_limit(scope)])
    found["meetings"] = list(_meetings(scope))
    seen = subjects_seen_by(scope.user, [step for rows in found.values() for step in rows], related=BESIDE)
    rows = {key: [_step(step, seen, scope) for step in steps] for key, steps in found.items()}
    groups = {
        key: Group(key, totals[f"{key}_count"], rows[key], _whole(totals[f"{key}_stake"]))
        for key in ("overdue", "today", "next")
    }
    unplanned, rotting = _deal_groups(scope, stakes)
    return Day(
        groups=[groups["overdue"], _lead_group(scope), groups["today"], unplanned, rotting],
        next=groups["next"],
        meetings=rows["meetings"],
        tomorrow=totals["tomorrow_count"],
        tomorrow_from=totals["tomorrow_from"],
        missing_rates=stakes.missing(scope.deals()),
        done=_done(scope),
    )


def _totals(steps: QuerySet[FollowUp], when: dict[str, Q]) -> dict[str, Any]:
    counts = {f"{key}_count": Count("pk", filter=condition) for key, condition in when.items()}
    sums = {f"{key}_stake": Sum("stake", filter=condition) for key, condition in when.items()}
    return steps.aggregate(**counts, **sums, tomorrow_from=Min("due_at", filter=when["tomorrow"]))


def _whole(amount: Decimal | None) -> Decimal | None:
    """Of a sum over currencies nobody needs the cents."""
    return None if amount is None else amount.quantize(Decimal(1))


def _next_limit(scope: Scope) -> int:
    return SHOWN_ALL if scope.opened == "next" else SHOWN_NEXT


def _meetings(scope: Scope) -> QuerySet[FollowUp]:
    """Today's meetings, past ones too."""
    meetings = scope.follow_ups().filter(kind=FollowUp.Kind.MEETING)
    today = meetings.filter(due_at__gte=scope.daybreak, due_at__lt=scope.midnight)
    return today.select_related("assignee").order_by("due_at", "pk")[:SHOWN]


def _step(follow_up: FollowUp, seen: dict[tuple[int, int], Any], scope: Scope) -> Step:
    subject = seen.get((follow_up.subject_type_id, follow_up.subject_id))
    may_change = scope.may_change(follow_up.assignee_id)
    return Step(
        follow_up=follow_up,
        subject=subject,
        state=state_of(follow_up.due_at, scope.now),
        verb=verb_for(follow_up, subject, scope.user, may_act=may_change) if subject is not None else None,
        may_change=may_change,
        late=scope.now - follow_up.due_at,
    )


def _lead_group(scope: Scope) -> Group:
    leads = scope.leads()
    shown = leads.select_related("source", "owner").order_by("answer_by", "pk")[: scope.limit("leads")]
    clocks = Clocks(scope.now)
    return Group("leads", leads.count(), [_waiting(lead, clocks, scope) for lead in shown])


def _waiting(lead: Lead, clocks: Clocks, scope: Scope) -> WaitingLead:
    return WaitingLead(lead, clocks.read(lead), _answer(lead, scope))


def _answer(lead: Lead, scope: Scope) -> Verb:
    """Call or write to who waits, and log it; a lead that nobody owns is for everybody who sees it."""
    may_answer = scope.user.may_write if lead.owner_id is None else scope.may_change(lead.owner_id)
    if not may_answer:
        return Verb("arrow-right", _("Open"), lead.get_absolute_url())
    phone, email = reach(lead, scope.user)
    log_url = reverse("activity_create", args=["lead", lead.pk])
    if phone:
        return Verb("phone", _("Answer"), phone_url(phone), f"{log_url}?kind=call")
    if email:
        return Verb("mail", _("Answer"), f"mailto:{email}", f"{log_url}?kind=email")
    return Verb("inbox", _("Answer"), lead.get_absolute_url())


def _deal_groups(scope: Scope, stakes: Stakes) -> tuple[Group, Group]:
    """Deals with nothing planned; and rotting ones whose next step is not for today, so that none comes twice."""
    deals: Any = scope.deals().annotate(stake=stakes.of_deal)
    later = Q(next_step_at__gte=scope.midnight)
    return (
        _deal_group("unplanned", deals.without_next_step(), scope),
        _deal_group("rotting", deals.rotting(scope.now).filter(later), scope),
    )


def _deal_group(key: str, deals: Any, scope: Scope) -> Group:
    totals = deals.aggregate(count=Count("pk"), worth=Sum("stake"))
    by_stake = deals.select_related("stage", "company", "owner").order_by(F("stake").desc(nulls_last=True), "pk")
    shown = by_stake[: scope.limit(key)] if totals["count"] else []
    return Group(key, totals["count"], [_quiet(deal, scope) for deal in shown], _whole(totals["worth"]))


def _quiet(deal: Deal, scope: Scope) -> QuietDeal:
    return QuietDeal(
        deal=deal,
        days_in_stage=deal.days_in_stage(scope.now),
        days_over=deal.rotting_days(scope.now),
        may_change=scope.may_change(deal.owner_id),
    )


def _done(scope: Scope) -> dict[str, int]:
    done = FollowUp.objects.done_between(scope.daybreak, scope.midnight)
    mine = done.filter(pk__in=scope.follow_ups().values("pk")) if scope.is_team else done.filter(assignee=scope.user)
    return dict(mine.values_list("kind").annotate(count=Count("pk")).order_by("kind"))
