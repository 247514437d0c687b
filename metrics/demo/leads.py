"""The invented company's leads: those that became deals, those that led nowhere, and those that have just come in."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from crm.models import Lead, LeadSource, QualifyingAnswer, QualifyingQuestion
from crm.rules.response_clock import Clocks
from metrics.demo import vocabulary as words
from metrics.demo.customers import Customer, invent_person, phone_of
from metrics.demo.loading import Table
from metrics.demo.people import Cast, Rep
from metrics.demo.touching import DAY, HOUR, Touching

_leads = partial(
    Table, Lead, "name", "company_name", "email", "phone", "message", "source", "campaign", "owner", "team", "status",
    "created_at", "first_response_at", "qualified_at", "converted_at", "disqualified_at", "disqualify_reason",
    "nurture_until", "company", "contact", "last_touch_at", "answer_by", "escalated_at",
    "last_sign_at",
)  # fmt: skip
_answers = partial(Table, QualifyingAnswer, "lead", "question", "answer", "answered_by", "answered_at")

LATELY = 120 * DAY
"""Leads that were qualified within this time have their checklist answered."""


@dataclass
class Leads:
    """Everybody who asked, until `now`."""

    rng: random.Random
    cast: Cast
    customers: list[Customer]
    now: dt.datetime
    touching: Touching
    table: Table = field(default_factory=_leads)
    answers: Table = field(default_factory=_answers)

    def __post_init__(self) -> None:
        self.weights = [weight for _slug, _name, _ru, weight, *_rest in words.SOURCES]
        self.clocks = Clocks(self.now)
        self.questions = list(QualifyingQuestion.objects.filter(is_archived=False).order_by("position", "pk"))

    def invent(
        self,
        at: dt.datetime,
        *,
        rep: Rep | None,
        customer: Customer | None,
        source: LeadSource | None = None,
        **facts: Any,
    ) -> int:
        """Add one lead; `facts` are its status, times and reason."""
        is_russian = bool(rep and rep.is_russian) or (rep is None and self.rng.random() < 0.3)
        message = self.rng.choice(words.LEAD_MESSAGES_RU if is_russian else words.LEAD_MESSAGES)
        number = len(self.table.rows) + 1
        source = source or self.rng.choices(self.cast.sources, self.weights)[0]
        campaign = self.cast.campaign_of(source, at.date()) if self.rng.random() < 0.6 else None
        team_id = rep.user.team_id if rep else None
        answer_by = self.clocks.answer_by(Lead(source=source, team_id=team_id, created_at=at))
        touched = self._touches(facts.get("first_response_at"))
        pk = self.table.add(
            invent_person(self.rng, is_russian=is_russian),
            customer.name if customer else self.rng.choice(self.customers).name,
            f"lead{number}@people.example",
            phone_of(2 * number + 1),
            message if self.rng.random() < 0.6 else "",
            source.pk,
            campaign.pk if campaign else None,
            rep.user.pk if rep else None,
            team_id,
            facts["status"],
            at,
            facts.get("first_response_at"),
            facts.get("qualified_at"),
            facts.get("converted_at"),
            facts.get("disqualified_at"),
            facts.get("disqualify_reason_id"),
            facts.get("nurture_until"),
            customer.company_id if customer else None,
            self.rng.choice(customer.contact_ids) if customer else None,
            touched[-1][0] if touched else None,
            answer_by,
            answer_by if answer_by < self.now - DAY else None,
            None,
        )
        if rep:
            self._write_touches(pk, touched, rep)
            if (qualified_at := facts.get("qualified_at")) and qualified_at > self.now - LATELY:
                self._answer_checklist(pk, qualified_at, rep)
        return pk

    def _touches(self, answered_at: dt.datetime | None) -> list[tuple[dt.datetime, bool]]:
        """When they were in touch, and whether it was us: the first answer, and often a word of theirs."""
        if answered_at is None:
            return []
        theirs = answered_at + DAY * self.rng.uniform(0.1, 9)
        return [(answered_at, True)] + [(theirs, False)] * (theirs < self.now and self.rng.random() < 0.4)

    def _write_touches(self, pk: int, touched: list[tuple[dt.datetime, bool]], rep: Rep) -> None:
        """Write the lead's touches, and into its row the last sign of interest among them."""
        touch, kind = self.touching.touch, self.touching.lead_type
        signs = [at for at, is_out in touched if touch(kind, pk, at, rep, is_out=is_out)]
        if signs:
            self.table.rows[-1] = [*self.table.rows[-1][:-1], max(signs)]

    def _answer_checklist(self, pk: int, at: dt.datetime, rep: Rep) -> None:
        for question in self.questions:
            draw = self.rng.random()
            if draw < 0.9:
                self.answers.add(pk, question.pk, "yes" if draw < 0.8 else "no", rep.user.pk, at)

    def answer_time(self, at: dt.datetime) -> dt.datetime:
        """Return when a lead that came in at that time is answered: mostly within the hour, at times days later."""
        return at + HOUR * min(self.rng.lognormvariate(-0.4, 1.2), 120)

    def invent_idle(self, at: dt.datetime) -> None:
        """A lead that became no deal: answered late or never, disqualified, nurtured, or still being worked on."""
        rep = self.rng.choice(self.cast.reps)
        answered_at = self.answer_time(at)
        if self.rng.random() < 0.12 or answered_at > self.now:
            status = "new" if self.now - at < 20 * DAY else "disqualified"
            ended: dict[str, Any] = {
                "disqualified_at": at + 15 * DAY,
                "disqualify_reason_id": self.cast.disqualify_reasons[3].pk,
            }
            self.invent(at, rep=rep, customer=None, status=status, **(ended if status == "disqualified" else {}))
            return
        facts: dict[str, Any] = {"first_response_at": answered_at, "status": "working"}
        closes_at = answered_at + DAY * self.rng.uniform(1, 25)
        if closes_at < self.now:
            if self.rng.random() < 0.12:
                facts |= {"status": "nurturing", "nurture_until": (self.now + DAY * self.rng.randrange(2, 90)).date()}
            else:
                reason = self.rng.choice(self.cast.disqualify_reasons)
                facts |= {"status": "disqualified", "disqualified_at": closes_at, "disqualify_reason_id": reason.pk}
        elif self.rng.random() < 0.3:
            facts |= {"status": "qualified", "qualified_at": min(answered_at + DAY, self.now)}
        self.invent(at, rep=rep, customer=None, **facts)

    def invent_fresh(self, at: dt.datetime) -> None:
        """A lead whose response clock is running; every other one nobody's yet."""
        rep = self.cast.reps[0] if self.rng.random() < 0.5 else None
        self.invent(at, rep=rep, customer=None, status="new")

    def invent_doubles(self) -> None:
        """A few people who asked a second time, under the same address or number and another spelling."""
        for row in self.rng.sample(self.table.rows[-200:], min(6, len(self.table.rows))):
            _pk, name, company, email, phone = row[:5]
            rep, at = self.rng.choice(self.cast.reps), self.now - HOUR * self.rng.uniform(3, 60)
            spelled = f"{company} GmbH" if company.isascii() else company.lower()
            self.invent(at, rep=rep, customer=None, status="new")
            self.table.rows[-1] = [
                self.table.rows[-1][0], f"{name} ", spelled, email.upper(), phone, *self.table.rows[-1][5:],
            ]  # fmt: skip
