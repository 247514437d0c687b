"""Fetch and authorise in one call, as views do: what one may not see is 404, what one may not change 403."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from crm.api.problems import FieldError, Merged, invalid
from crm.models import FollowUp, User, subject_models
from crm.rules.follow_ups import may_change
from crm.rules.forwarding import survivor_seen_by


def visible(rows: Any, person: User, pk: int) -> Any:
    """Return the row that the person may read; Merged where it went into another one they may read."""
    record = rows.visible_to(person).filter(pk=pk).first()
    if record is not None:
        return record
    if survivor := survivor_seen_by(person, rows.model, pk):
        raise Merged(pk, survivor.pk)
    raise Http404


def editable(rows: Any, person: User, pk: int) -> Any:
    """Return the row that the person may change; 403 where they only see it."""
    record = visible(rows, person, pk)
    if not type(record).objects.editable_by(person).filter(pk=pk).exists():
        raise PermissionDenied(_("You may look at this, but not change it."))
    return record


def subject(kind: str, pk: int, person: User, *, to_change: bool) -> Any:
    """Return the lead, contact, company or deal that a body or query names; an unknown kind is 422."""
    model: Any = subject_models().get(kind)
    if model is None:
        known = ", ".join(sorted(subject_models()))
        raise invalid([FieldError("subject_kind", "unknown", _("One of: %(kinds)s.") % {"kinds": known})])
    return (editable if to_change else visible)(model.objects, person, pk)


def changeable_follow_up(person: User, pk: int) -> FollowUp:
    """Return the follow-up if it or its record is the person's to change: 403 where they see either, else 404."""
    follow_up = FollowUp.objects.present().select_related("assignee", "subject_type").filter(pk=pk).first()
    if follow_up is None or follow_up.subject is None:
        raise Http404
    if may_change(follow_up, person):
        return follow_up
    if not FollowUp.objects.visible_to(person).filter(pk=pk).exists():
        subject(follow_up.subject_type.model, follow_up.subject_id, person, to_change=False)
    raise PermissionDenied(_("You may see this follow-up but not change it."))
