"""Background jobs: they call rules and count. What must happen is a row in PostgreSQL; a lost message costs seconds."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from crm.rules import bin as bin_rules
from crm.rules import (
    capturing,
    daily_digests,
    doors,
    escalating,
    form_news,
    form_replies,
    hand_overs,
    held_files,
    late_news,
    mailing,
    nurturing,
    reminders,
    rsvp,
    suspecting,
    sweeping,
)
from crm.rules.delivering import deliver_due
from crm.rules.importing.carrying import carry_on, due_imports
from crm.rules.importing.uploading import forget_uploads
from crm.rules.receiving import arriving, reading
from crm.rules.scoring.applying import rescore_all, score_due
from crm.rules.sequences import advancing, intake

logger = logging.getLogger(__name__)

DELIVERING_SECONDS = 30.0
"""After that a run claims no more; a slow mail server may hold its last message until the soft limit."""
SCORING_SECONDS = 20.0
"""After that a round of scoring makes room for the next."""
DUE_PER_RUN, MOST_RUNS = 25, 4
IMPORTING_SECONDS = 15.0

# Imported for the senders they register.
assert reminders.REMINDER
assert form_news.FORM_NEWS
assert form_replies.FORM_REPLY
assert mailing.__name__
assert daily_digests.DAILY
assert arriving.ANSWER
assert advancing.__name__
assert intake.SEQUENCE_INTAKE
assert hand_overs.HAND_OVER
assert rsvp.RSVP
assert late_news.__name__


@shared_task(expires=30)
def sweep() -> None:
    """Every 15 seconds: see what is due now or falls due before the next, and wake as many deliveries as that wants."""
    escalating.escalate_late_leads(now=timezone.now())
    for seconds, due in {0: sweeping.sweep(), **sweeping.due_before_next_sweep()}.items():
        for _run in range(min(-(-due // DUE_PER_RUN), MOST_RUNS)):
            deliver.start_in(seconds)  # type: ignore[attr-defined]  # Job's, see config/celery.py
    for pk in due_imports()[:MOST_RUNS]:
        carry_on_import.delay_on_commit(pk)  # type: ignore[attr-defined]  # Job's, see config/celery.py


@shared_task(expires=60, soft_time_limit=50, time_limit=60)
def deliver() -> None:
    """Send what is due."""
    became = deliver_due(seconds=DELIVERING_SECONDS)
    if became:
        logger.info("Outbox: %s", ", ".join(f"{count} {verdict}" for verdict, count in became.items()))


@shared_task(expires=60, soft_time_limit=80, time_limit=90)
def carry_on_import(pk: int) -> None:
    """Bring an import on for a while, then let others have their turn."""
    if carry_on(pk, seconds=IMPORTING_SECONDS):
        carry_on_import.delay_on_commit(pk)  # type: ignore[attr-defined]  # Job's, see config/celery.py


@shared_task
def plan_digests() -> None:
    """Hourly: everybody's next daily digest."""
    daily_digests.plan_digests(now=timezone.now())


@shared_task
def follow_absences() -> None:
    """Every ten minutes: what falls due while somebody is away goes to their substitute, and comes back."""
    given, returned = hand_overs.follow_absences(now=timezone.now())
    if given or returned:
        logger.info("Follow-ups of absent people: %d handed over, %d brought back.", given, returned)


@shared_task
def bring_back_leads() -> None:
    """Hourly: nurtured leads whose day has come."""
    nurturing.bring_back_leads(now=timezone.now())


@shared_task
def throw_away() -> None:
    """Daily: what has lain in the bin for 30 days, first answers older than a day, what nobody let in."""
    now = timezone.now()
    gone = bin_rules.empty_bin(now=now)
    gone["first answers"] = bin_rules.forget_first_answers(now=now)
    gone["uploaded files"] = forget_uploads(now=now)
    gone["kept out"] = capturing.forget_kept_out(now=now)
    gone["held files"] = held_files.forget_held(now=now)
    gone["knocks"] = doors.forget_knocks(now=now)
    logger.info("Thrown away: %s", ", ".join(f"{count} {kind}" for kind, count in gone.items()))


CHECKING_SECONDS = 20.0


@shared_task(expires=30)
def check_duplicates() -> None:
    """Every half minute: compare what is new or has changed with everything else."""
    checked = suspecting.check_queued(seconds=CHECKING_SECONDS, now=timezone.now())
    if checked:
        logger.info("Compared %s records for duplicates", checked)


@shared_task
def compare_all() -> None:
    """Nightly: have every record compared anew, a step at a time."""
    suspecting.queue_all()


@shared_task(expires=60)
def score_leads() -> None:
    """Every minute: leads of which something has changed, then (after a night's learning) the next stretch of all."""
    count = score_due(now=timezone.now(), seconds=SCORING_SECONDS)
    if count:
        logger.info("%d leads scored.", count)
    if rescore_all(now=timezone.now(), seconds=SCORING_SECONDS):
        score_leads.delay_on_commit()  # type: ignore[attr-defined]  # Job's, see config/celery.py


READING_SECONDS = 25.0
"""After that a mailbox makes room for the next; a slow server may hold its last message until the soft limit."""


@shared_task
def read_mailboxes() -> None:
    """Every minute: have every mailbox read."""
    for pk in reading.due_mailboxes(now=timezone.now()):
        read_mailbox.delay_on_commit(pk)  # type: ignore[attr-defined]  # Job's, see config/celery.py


@shared_task(expires=60, soft_time_limit=50, time_limit=60)
def read_mailbox(pk: int) -> None:
    """Read what is new in a mailbox, a stretch at a time; what it brought is told at once."""
    found = reading.read_mailbox(pk, seconds=READING_SECONDS, now=timezone.now())
    if found:
        logger.info("Mailbox %s: %s", pk, ", ".join(f"{count} {what}" for what, count in found.items()))
    if found["more"]:
        read_mailbox.delay_on_commit(pk)  # type: ignore[attr-defined]  # Job's, see config/celery.py
    if found["kept"] or found["trouble"]:
        deliver.delay_on_commit()  # type: ignore[attr-defined]  # Job's, see config/celery.py
