"""What an operator does about the queue: pausing a kind, sending again, withdrawing, settling what is unclear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import BigIntegerField, Count, F, Min, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Now
from django.utils.translation import gettext as _

from crm.models import Heartbeat, OutboxRow, PausedKind, Submission, User
from crm.rules import outbox
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError

LATENESS_OVER = dt.timedelta(hours=1)
State = OutboxRow.State
_VISITOR = Submission.objects.filter(pk=OuterRef("submission")).values(address=KT("fields__email"))[:1]


class NotUnclear(RuleError):
    """Somebody has settled the row already."""

    code = "not_unclear"


@dataclass(frozen=True)
class Lane:
    """One kind of rows: how many are in which state, and whether it is paused."""

    kind: str
    waiting: int = 0
    late: int = 0
    in_flight: int = 0
    unclear: int = 0
    dead: int = 0
    is_paused: bool = False

    @property
    def label(self) -> str:
        """The kind in words, where somebody sends it."""
        return outbox.label_of(self.kind)


@dataclass(frozen=True)
class Pulse:
    """How the queue runs: ages in time, lateness of the last hour's rows (None where there were none)."""

    swept_at: dt.datetime | None
    oldest_due_at: dt.datetime | None
    sent_last_hour: int
    median_late: dt.timedelta | None
    p99_late: dt.timedelta | None
    senders: int


def lanes(now: dt.datetime) -> list[Lane]:
    """Return every kind that waits for anything, is paused, or is known, with its counts; one query."""
    late = Q(state=State.WAITING, waits_since__lt=now - outbox.LATE_AFTER)
    open_states = (State.WAITING, State.IN_FLIGHT, State.UNCLEAR, State.DEAD)
    rows = OutboxRow.objects.filter(state__in=open_states).with_wait().order_by().values("kind")
    counted = rows.annotate(
        waiting=Count("pk", filter=Q(state=State.WAITING)),
        late=Count("pk", filter=late),
        in_flight=Count("pk", filter=Q(state=State.IN_FLIGHT)),
        unclear=Count("pk", filter=Q(state=State.UNCLEAR)),
        dead=Count("pk", filter=Q(state=State.DEAD)),
    )
    counts = {
        found[0]: Lane(*found)
        for found in counted.values_list("kind", "waiting", "late", "in_flight", "unclear", "dead")
    }
    paused = set(PausedKind.objects.values_list("kind", flat=True))
    kinds = sorted({*counts, *paused, *outbox.known_kinds()})
    return [replace(counts.get(kind, Lane(kind)), is_paused=kind in paused) for kind in kinds]


def pulse(now: dt.datetime) -> Pulse:
    """Return how the queue runs, by the database's own figures."""
    swept = Heartbeat.objects.filter(name="sweeper").values_list("at", flat=True).first()
    oldest = OutboxRow.objects.due_or_held().with_wait().aggregate(at=Min("waits_since"))["at"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT split_part(lease_owner, ':', 1) || split_part(lease_owner, ':', 2)),"
            " percentile_cont(ARRAY[0.5, 0.99])"
            " WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - greatest(due_at, created_at)))"
            " FROM crm_outboxrow WHERE state = 'sent' AND finished_at > %s",
            [now - LATENESS_OVER],
        )
        count, senders, lateness = cursor.fetchone()
    median, p99 = lateness or (None, None)
    return Pulse(swept, oldest, count, _span(median), _span(p99), senders)


def pause_kind(kind: str, *, by: User, now: dt.datetime) -> None:
    """Let nobody claim rows of `kind` from now on; what is in flight is finished."""
    _refuse_unless_admin(by)
    with acting(by):
        PausedKind.objects.get_or_create(kind=kind, defaults={"paused_by": by, "at": now})


def resume_kind(kind: str, *, by: User) -> None:
    """Let rows of `kind` be claimed again; what has waited leaves at once, merged where it is stale."""
    _refuse_unless_admin(by)
    with acting(by):
        PausedKind.objects.filter(kind=kind).delete()


def retry_rows(rows: QuerySet[OutboxRow], *, by: User) -> int:
    """Send those of `rows` again that were given up; return how many. Unclear ones are settled one by one."""
    _refuse_unless_admin(by)
    with acting(by):
        dead = rows.filter(state=State.DEAD)
        return dead.update(state=State.WAITING, attempts=0, available_at=Now(), finished_at=None)


def cancel_rows(rows: QuerySet[OutboxRow], *, by: User) -> int:
    """Withdraw those of `rows` that nobody has begun to send; return how many."""
    _refuse_unless_admin(by)
    with acting(by):
        return outbox.cancel(rows, answer=f"cancelled by {by}")


def settle_unclear(row: OutboxRow, *, was_sent: bool, by: User) -> None:
    """Say of a row that may have left whether it did: it is closed, or sent again. NotUnclear when it is settled."""
    _refuse_unless_admin(by)
    unclear = OutboxRow.objects.filter(pk=row.pk, state=State.UNCLEAR)
    with acting(by):
        if was_sent:
            settled = unclear.update(state=State.SENT, answer=f"sent, as {by} found out")
            outbox.note_that_it_left(row)
        else:
            settled = unclear.update(state=State.WAITING, attempts=0, available_at=Now(), finished_at=None)
        if not settled:  # the transaction takes back what was noted
            raise NotUnclear(_("This has been settled already."))


def rows_of(*, kinds: Iterable[str] = (), state: str = "", text: str = "") -> QuerySet[OutboxRow]:
    """Return rows for the ledger, newest first; `addressee` is the address of who is no user of ours."""
    rows = OutboxRow.objects.select_related("recipient").annotate(
        lateness=F("finished_at") - F("due_at"),
        submission=Cast(KT("payload__submission"), BigIntegerField()),
        addressee=Coalesce(F("email__to_address"), Subquery(_VISITOR), output_field=TextField()),
    )
    if kinds:
        rows = rows.filter(kind__in=list(kinds))
    if state:
        rows = rows.filter(state=state)
    if text:
        to = Q(recipient__email__icontains=text) | Q(addressee__icontains=text)
        rows = rows.filter(to | Q(dedupe_key__icontains=text) | Q(message_id=text))
    return rows.order_by("-pk")


def _span(seconds: float | None) -> dt.timedelta | None:
    return None if seconds is None else dt.timedelta(seconds=max(0.0, float(seconds)))


def _refuse_unless_admin(by: User) -> None:
    if not by.is_admin:
        raise NotAllowed(_("Only an admin does this."))
