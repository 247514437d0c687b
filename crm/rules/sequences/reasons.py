"""Why a sequence ends for a person: one registry, asked before each step, in the moment of sending and on events.

Apps above add theirs. A reason that is only ever said (an operator stops somebody) has nothing to ask.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import Activity, Email, Enrolment, FollowUp, Lead, Suppression
from crm.rules.sequences.circles import about
from crm.rules.suppression import suppressed


@dataclass(frozen=True)
class StopReason:
    """One reason: its key, how people read it, and whether it holds for an enrolment and its person (None: gone)."""

    key: str
    label: str | Promise
    holds: Callable[[Enrolment, Any, dt.datetime], bool] = lambda _enrolment, _person, _now: False


_reasons: dict[str, StopReason] = {}


def register(*reasons: StopReason) -> None:
    """Make reasons known; they are asked in the order in which they were registered."""
    _reasons.update({reason.key: reason for reason in reasons})


def label_of(key: str) -> str:
    """Return a reason in words."""
    return str(_reasons[key].label) if key in _reasons else key


def why_stop(enrolment: Enrolment, *, now: dt.datetime) -> str:
    """Return the key of the first reason that holds for the enrolment now, "" where it may go on."""
    person = enrolment.subject
    return next((reason.key for reason in _reasons.values() if reason.holds(enrolment, person, now)), "")


# --- What is asked ----------------------------------------------------------------------------------------------------


def _is_gone(_enrolment: Enrolment, person: Any, _now: dt.datetime) -> bool:
    return person is None or person.deleted_at is not None or person.erased_at is not None


def _lead_stands(status: str) -> Callable[[Enrolment, Any, dt.datetime], bool]:
    return lambda _enrolment, person, _now: isinstance(person, Lead) and person.status == status


def _sender_is_gone(enrolment: Enrolment, person: Any, _now: dt.datetime) -> bool:
    """Also where the person is no longer theirs to write to."""
    sender = enrolment.sender
    return not sender.is_active or not type(person).objects.editable_by(sender).filter(pk=person.pk).exists()


def _suppressed_as(reason: str) -> Callable[[Enrolment, Any, dt.datetime], bool]:
    def holds(enrolment: Enrolment, person: Any, _now: dt.datetime) -> bool:
        found = suppressed(person.email) or suppressed(enrolment.address or "")
        return found is not None and found.reason == reason

    return holds


def _bounced(enrolment: Enrolment, person: Any, now: dt.datetime) -> bool:
    came_back = Email.objects.filter(step_run__enrolment=enrolment, bounced_at__isnull=False)
    return _suppressed_as(Suppression.Reason.BOUNCED)(enrolment, person, now) or came_back.exists()


def has_answered(enrolment: Enrolment, person: Any) -> bool:
    """Whether the person wrote, called or reacted since they were enrolled; an automatic reply is no answer."""
    since = enrolment.started_at
    reacted = Q(direction=Activity.Direction.IN) | ~Q(response=Activity.Response.NONE)
    touches = Activity.objects.present().touches().filter(reacted, at__gte=since)
    if touches.filter(about(person)).exists():
        return True
    wrote = Email.objects.inbound().filter(nature=Email.Nature.PERSON, at__gte=since)
    return wrote.alias(wrote_from=Lower("from_address")).filter(wrote_from=enrolment.address).exists()


def _answered(enrolment: Enrolment, person: Any, _now: dt.datetime) -> bool:
    """Once: after an answer no letter leaves, but a branch may lead on to what a person is to do."""
    return enrolment.answered_at is None and has_answered(enrolment, person)


def _meets(enrolment: Enrolment, person: Any, _now: dt.datetime) -> bool:
    """A meeting was held, or planned, since; but for those that the sequence itself asks for."""
    since = enrolment.started_at
    held = Activity.objects.present().filter(about(person), kind=Activity.Kind.MEETING, at__gte=since)
    if held.exists():
        return True
    planned = FollowUp.objects.present().filter(about(person), kind=FollowUp.Kind.MEETING, created_at__gte=since)
    return planned.exclude(source_key__startswith="sequence:").exists()


ANSWERED = "answered"

register(
    StopReason("gone", _("deleted or erased"), _is_gone),
    StopReason("disqualified", _("no customer: disqualified"), _lead_stands(Lead.Status.DISQUALIFIED)),
    StopReason("converted", _("became a deal"), _lead_stands(Lead.Status.CONVERTED)),
    StopReason("unsubscribed", _("unsubscribed"), _suppressed_as(Suppression.Reason.UNSUBSCRIBED)),
    StopReason("complained", _("marked our mail as spam"), _suppressed_as(Suppression.Reason.COMPLAINED)),
    StopReason("bounced", pgettext_lazy("why a sequence ended", "a letter came back"), _bounced),
    StopReason("suppressed", _("gets no more mail"), _suppressed_as(Suppression.Reason.BY_HAND)),
    StopReason(ANSWERED, pgettext_lazy("why a sequence ended", "answered"), _answered),
    StopReason("meeting", _("a meeting was held or planned"), _meets),
    StopReason("sender_gone", _("its sender may no longer write to them"), _sender_is_gone),
    # Only ever said:
    StopReason("by_hand", _("stopped by a person")),
    StopReason("no_address", _("has no e-mail address any more")),
    StopReason("elsewhere", _("their new address is in another sequence")),
    StopReason("undeliverable", _("a letter could not be delivered")),
    StopReason("sequence_deleted", _("the sequence was deleted")),
    # Why it waits for a person:
    StopReason("missing_value", _("a value is missing")),
    StopReason("cannot_write", _("a letter cannot be written")),
    StopReason("template_gone", _("its template was deleted")),
)
