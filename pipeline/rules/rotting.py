"""A deal that stays in a stage longer than the stage's limit reminds its owner: once per stay, not daily."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import islice

from django.db.models import Exists, F, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy, ngettext

from crm.models import Notification, OutboxRow, User
from crm.rules import outbox
from crm.rules.notice_kinds import NoticeKind, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell
from pipeline.models import Deal, StageVisit

ROTTING, DIGEST = "rotting", "rotting_digest"
KIND = register(NoticeKind("rotting", gettext_lazy("Deals that stay too long"), icon="plant-2"))
BATCH = 1_000


def remind_of_rotting(*, now: dt.datetime) -> int:
    """Queue a reminder for every stay that has outlasted its stage's limit and has none yet; return how many."""
    stays = _unreported(now).iterator(chunk_size=BATCH)
    count = 0
    while batch := list(islice(stays, BATCH)):
        outbox.queue(_intent(visit) for visit in batch)
        count += len(batch)
    return count


def _unreported(now: dt.datetime) -> QuerySet[StageVisit]:
    key = Concat(Value(f"{ROTTING}:"), Cast(OuterRef("pk"), TextField()))
    visits = StageVisit.objects.present().filter(deal__in=Deal.objects.rotting(now), entered_at__isnull=False)
    return visits.filter(~Exists(OutboxRow.objects.filter(dedupe_key=key))).select_related("deal", "stage")


def _intent(visit: StageVisit) -> Intent:
    assert visit.entered_at is not None  # asked by the query, as is the limit
    assert visit.stage.rotting_days is not None
    return Intent(
        kind=ROTTING,
        key=f"{ROTTING}:{visit.pk}",
        recipient_id=visit.deal.owner_id,
        due_at=visit.entered_at + dt.timedelta(days=visit.stage.rotting_days),
        payload={"visit": visit.pk},
    )


def send_rotting(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Remind the owner of one deal; nothing once it has moved on."""
    return _remind(row, [row], postbox, template=ROTTING)


def send_digest(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Remind an owner of all the deals that were merged into the row."""
    return _remind(row, row.merged.all(), postbox, template=DIGEST)


def _remind(row: OutboxRow, parts: Iterable[OutboxRow], postbox: Postbox, *, template: str) -> Outcome:
    keys = {part.payload["visit"]: part.dedupe_key for part in parts}
    now = timezone.now()
    visits = StageVisit.objects.present().filter(
        pk__in=keys, deal__in=Deal.objects.rotting(now), deal__owner_id=row.recipient_id
    )
    by_stake = visits.select_related("deal__stage", "deal__owner", "deal__company").order_by(
        F("deal__amount").desc(nulls_last=True), "pk"
    )
    stays = list(by_stake)
    if not stays:
        return NotNeeded("moved on, handed over or gone")
    person, deals = stays[0].deal.owner, [visit.deal for visit in stays]
    notices = [_notice(person, visit.deal, keys[visit.pk], now) for visit in stays]
    return tell(row, News(person, notices, template, {"deals": deals, "deal": deals[0], "now": now}), postbox)


def _notice(person: User, deal: Deal, key: str, now: dt.datetime) -> Notification:
    days = deal.days_in_stage(now) or 0
    with translation.override(person.language):
        words = ngettext(
            "“%(deal)s” has stayed in %(stage)s for %(days)d day",
            "“%(deal)s” has stayed in %(stage)s for %(days)d days",
            days,
        ) % {"deal": deal, "stage": deal.stage, "days": days}
    return Notification(user=person, kind=KIND.key, dedupe_key=key, subject=deal, text=words[:300])


outbox.register(Sender(ROTTING, send_rotting, digest=DIGEST, label=gettext_lazy("Rotting deals")))
outbox.register(Sender(DIGEST, send_digest, label=gettext_lazy("Rotting deals, merged")))
