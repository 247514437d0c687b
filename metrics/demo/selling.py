"""Two years of selling: leads, deals with their stays, touches, follow-ups and contracts, in memory, then copied."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from django.conf import settings
from fractional_indexing import generate_n_keys_between

from metrics.demo import vocabulary as words
from metrics.demo.customers import Customer
from metrics.demo.histories import History, invent_history
from metrics.demo.leads import Leads
from metrics.demo.loading import Table
from metrics.demo.money import usual_rate
from metrics.demo.people import Cast, Rep
from metrics.demo.touching import DAY, HOUR, Touching
from pipeline.models import Contract, Deal, StageVisit

SPAN = dt.timedelta(days=730)

_deals = partial(
    Table, Deal, "name", "pipeline", "stage", "rank", "outcome", "owner", "closing_owner", "company", "contact", "lead",
    "source", "amount", "currency", "expected_close_on", "tags", "created_at", "recorded_at", "stage_entered_at",
    "won_at", "lost_at", "loss_reason", "loss_note", "competitor", "version", "next_step_at", "last_touch_at",
)  # fmt: skip
_visits = partial(Table, StageVisit, "deal", "stage", "entered_at", "left_at", "direction", "moved_by", "recorded_at")
_contracts = partial(
    Table, Contract, "company", "deal", "owner", "starts_on", "ends_on", "cancelled_on", "monthly_value", "currency",
    "churn_reason", "recorded_at",
)  # fmt: skip


@dataclass
class Selling:
    """Everything that happens until `now`, drawn from one random generator, so that a seed repeats it."""

    rng: random.Random
    cast: Cast
    customers: list[Customer]
    now: dt.datetime
    deals: Table = field(default_factory=_deals)
    visits: Table = field(default_factory=_visits)
    contracts: Table = field(default_factory=_contracts)

    def __post_init__(self) -> None:
        self.touching = Touching(self.rng, self.now)
        self.leads = Leads(self.rng, self.cast, self.customers, self.now, self.touching)
        self.weights = [weight for _slug, _name, _ru, weight, *_rest in words.SOURCES]
        self.open_deals: list[tuple[dt.datetime, list[object]]] = []

    def invent(self, deals: int) -> None:
        """Invent that many deals, with the leads they come from and as many that led nowhere."""
        for _number in range(deals):
            self._invent_deal(self._some_time())
            if self.rng.random() < 0.6:
                self.leads.invent_idle(self._some_time())
        for minutes in (4, 12, 19, 33, 48, 84, 130):
            self.leads.invent_fresh(self.now - dt.timedelta(minutes=minutes))
        self.leads.invent_doubles()

    def copy(self) -> dict[str, int]:
        """Write it all, in the order of the foreign keys; return the counts.

        Activities, which hold no key of what they are about, go first: after the leads each would touch its lead once
        more (crm/models/score_triggers.py), and with that all of the lead's indexes.
        """
        self._lay_cards()
        touching = self.touching
        tables = (
            touching.activities,
            self.leads.table,
            self.leads.answers,
            self.deals,
            self.visits,
            touching.follow_ups,
            self.contracts,
        )
        return {str(table.model._meta.verbose_name_plural): table.copy() for table in tables}

    # --- Time, words and money ------------------------------------------------------------------------------------

    def _some_time(self) -> dt.datetime:
        """A working hour of the last two years, later ones a little more often: the company grows."""
        share = self.rng.random() ** 0.8
        at = self.now - SPAN + SPAN * share
        at -= DAY * max(0, at.weekday() - 4)
        at = at.replace(hour=self.rng.randrange(7, 17), minute=self.rng.randrange(60), second=self.rng.randrange(60))
        return min(at, self.now - HOUR)

    def _price(self, usual: int, rep: Rep) -> tuple[Decimal, str]:
        base = settings.BASE_CURRENCY
        amount = usual * self.rng.choice((0.5, 0.8, 1, 1, 1, 1.2, 1.5, 2.0)) * self.rng.uniform(0.9, 1.1)
        if rep.is_russian and self.rng.random() < 0.6:
            return Decimal(round(amount / usual_rate("RUB"), -3)), "RUB"
        foreign = "USD" if base == "EUR" else "EUR"
        return Decimal(round(amount, -2)), foreign if self.rng.random() < 0.1 else base

    # --- Deals ----------------------------------------------------------------------------------------------------

    def _invent_deal(self, created_at: dt.datetime) -> None:
        rng = self.rng
        customer = self.customers[min(int(len(self.customers) * rng.random() ** 1.6), len(self.customers) - 1)]
        rep = customer.rep if rng.random() < 0.85 else rng.choice(self.cast.reps)
        number = rng.choices(range(len(words.SOURCES)), self.weights)[0]
        skill = rep.skill * words.SOURCES[number][4] ** 0.5
        history = invent_history(rng, created_at=created_at, now=self.now, skill=skill)
        source, lead_id = self.cast.sources[number], None
        if rng.random() < 0.55:
            came_at = created_at - HOUR * rng.uniform(2, 96)
            answered_at = min(self.leads.answer_time(came_at), created_at)
            lead_id = self.leads.invent(
                came_at, rep=rep, customer=customer, status="converted", source=source,
                first_response_at=answered_at, qualified_at=created_at, converted_at=created_at,
            )  # fmt: skip
        self._write_deal(history, customer=customer, rep=rep, source_id=source.pk, lead_id=lead_id)

    def _write_deal(
        self, history: History, *, customer: Customer, rep: Rep, source_id: int, lead_id: int | None
    ) -> None:
        rng, last = self.rng, history.stays[-1]
        name, name_ru, usual = rng.choice(words.PRODUCTS)
        amount, currency = self._price(usual, rep)
        created_at, ended_at = history.stays[0].entered_at, history.ended_at
        is_lost, is_won = history.outcome == "lost", history.outcome == "won"
        reason = rng.choices(self.cast.loss_reasons, (30, 25, 15, 12, 8, 10)[: len(self.cast.loss_reasons)])[0]
        close_on = (created_at + DAY * rng.randrange(25, 90)).date()
        if history.outcome == "open":
            close_on = max(close_on, (self.now + DAY * rng.randrange(-5, 60)).date())
        row: list[object] = [
            name_ru if rep.is_russian else name, self.cast.pipeline.pk, self.cast.stages[last.stage].pk, "a0",
            history.outcome, rep.user.pk, None if history.outcome == "open" else rep.user.pk, customer.company_id,
            rng.choice(customer.contact_ids), lead_id, source_id, amount, currency, close_on, [],
            created_at, created_at, last.entered_at,
            ended_at if is_won else None, ended_at if is_lost else None, reason.pk if is_lost else None, "",
            "Termalis" if is_lost and reason.name.endswith("competitor") else "", len(history.stays), None, None,
        ]  # fmt: skip
        pk = self.deals.add(*row)
        self.deals.rows[-1] = row = [pk, *row]
        self._write_stays(pk, history, rep)
        row[-1] = self._write_touches(pk, history, rep)
        if history.outcome == "open":
            self.open_deals.append((last.entered_at, row))
            row[-2] = self._plan(pk, rep)
        elif is_won and ended_at is not None:
            self._write_contracts(pk, customer, rep, amount=amount, currency=currency, won_on=ended_at.date())

    def _write_stays(self, pk: int, history: History, rep: Rep) -> None:
        before = -1
        for stay in history.stays:
            direction = "start" if before < 0 else "forward" if stay.stage > before else "back"
            stage = self.cast.stages[stay.stage]
            self.visits.add(pk, stage.pk, stay.entered_at, stay.left_at, direction, rep.user.pk, stay.entered_at)
            before = stay.stage

    def _write_touches(self, pk: int, history: History, rep: Rep) -> dt.datetime | None:
        """Touches through the deal's life and a finished follow-up now and then; return the last touch's time."""
        last_at = None
        for stay in history.stays[:6]:
            until = stay.left_at or self.now
            for _touch in range(self.rng.choice((0, 1, 1))):
                at = stay.entered_at + (until - stay.entered_at) * self.rng.random()
                self.touching.touch(self.touching.deal_type, pk, at, rep, is_out=self.rng.random() < 0.7)
                last_at = max(last_at or at, at)
        first = history.stays[0]
        if first.left_at and self.rng.random() < 0.5:
            due_at = first.entered_at + (first.left_at - first.entered_at) * self.rng.random()
            late = DAY * self.rng.uniform(-0.5, 0.2)
            self.touching.plan(pk, rep, due_at=due_at, done_at=max(due_at + late, first.entered_at))
        return last_at

    def _plan(self, pk: int, rep: Rep) -> dt.datetime | None:
        """Give an open deal its next step: overdue, today, later, or nothing at all; return when it is due."""
        draw = self.rng.random()
        if rep is self.cast.reps[0]:
            draw *= draw  # who logs in as rep@demo.test has a full day
        if draw > 0.84:
            return None
        if draw < 0.12:
            due_at = self.now - HOUR * self.rng.choice((2, 4, 20, 26, 50, 70))
        elif draw < 0.26:
            due_at = self.now.replace(hour=self.rng.randrange(8, 19), minute=self.rng.choice((0, 15, 30, 45)))
        else:
            due_at = (self.now + DAY * self.rng.randrange(1, 16)).replace(hour=self.rng.randrange(8, 17), minute=30)
        due_at = due_at.replace(second=0, microsecond=0)
        self.touching.plan(pk, rep, due_at=due_at)
        return due_at

    def _write_contracts(
        self, pk: int, customer: Customer, rep: Rep, *, amount: Decimal, currency: str, won_on: dt.date
    ) -> None:
        """A service contract for most won deals: yearly terms that are renewed, run out, or are cancelled."""
        if self.rng.random() > 0.6:
            return
        monthly = (amount / 60).quantize(Decimal(1))
        starts_on = won_on + dt.timedelta(days=self.rng.randrange(3, 20))
        while starts_on <= self.now.date():
            ends_on = starts_on + dt.timedelta(days=365)
            is_cancelled = self.rng.random() < 0.05
            cancelled_on = starts_on + dt.timedelta(days=self.rng.randrange(30, 330)) if is_cancelled else None
            is_over = cancelled_on is not None or self.rng.random() < 0.15
            reason = self.rng.choice(words.CHURN_REASONS) if is_over else ""
            self.contracts.add(
                customer.company_id,
                pk,
                rep.user.pk,
                starts_on,
                ends_on,
                cancelled_on,
                monthly,
                currency,
                reason,
                self.now,
            )
            if is_over:
                return
            starts_on, monthly = ends_on, (monthly * Decimal("1.03")).quantize(Decimal(1))

    def _lay_cards(self) -> None:
        """Lay the open cards into their columns, latest first."""
        self.open_deals.sort(key=lambda pair: pair[0], reverse=True)
        ranks = generate_n_keys_between(None, None, len(self.open_deals))
        for rank, (_entered_at, row) in zip(ranks, self.open_deals, strict=True):
            row[4] = rank
