"""Several records changed, deleted or taken back at once: each by the rules of one alone, and apart from the others.

What a rule refuses to one keeps no other back. What was before is told in plain values, so that it can be kept for
the moments in which all of it may be undone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Company, Contact, Lead, LeadSource, User
from crm.rules.companies import delete_record, edit_record, restore_record
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.leads import (
    assign_lead,
    delete_lead,
    disqualify_lead,
    edit_lead,
    nurture_lead,
    reopen_lead,
    restore_lead,
)
from pipeline.models import Deal
from pipeline.rules.deals import delete_deal, edit_deal, restore_deal
from pipeline.rules.locking import share_pipeline
from pipeline.rules.moving import move_deal, undo_move
from pipeline.rules.moving_together import Refused, Seen
from pipeline.rules.refusals import TooLateToUndo
from pipeline.rules.requirements import refuse_emptied

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """The rules by which one record of a kind is changed, put back, deleted and restored."""

    model: type[Any]
    change: Callable[..., Any]
    revert: Callable[..., Any]
    delete: Callable[..., None]
    restore: Callable[..., Any]
    along: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What changes along with a field, and is remembered with it."""


@dataclass(frozen=True)
class Added:
    """Further items of a list, to stand behind those that a record has."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class KeptWithin:
    """A campaign as a record has it where it runs within `source`, else none."""

    source: LeadSource


@dataclass(frozen=True)
class Changed:
    """A record that was changed: its version since, and its values before, as JSON holds them."""

    pk: int
    version: int
    before: dict[str, Any] = field(default_factory=dict)


Keep = Callable[[Changed], None]
"""Writes down that a record was changed, for whoever may want to take it back."""


@dataclass
class Changes:
    """What became of records changed together; `same` were so already, `lacking` are gone or out of reach."""

    changed: list[Changed] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    same: int = 0
    lacking: int = 0


def seen_of(kind: Kind, chosen: Mapping[int, int], *, by: User) -> list[Seen]:
    """Return those of `chosen` (versions by id) that `by` sees, in its order."""
    records = kind.model.objects.visible_to(by).in_bulk(list(chosen))
    return [Seen(records[pk], version) for pk, version in chosen.items() if pk in records]


def change_together(
    kind: Kind, seen: Sequence[Seen], *, fields: Fields, by: User, now: dt.datetime, keep: Keep
) -> Changes:
    """Write `fields` into each record; whichever has these values already is left alone.

    What it was before is given to `keep` in the transaction that changes it: one is not written without the other.
    """
    changes = Changes()
    for one in seen:
        wanted = _wanted(one.record, fields)
        if not wanted:
            changes.same += 1
            continue
        before = {name: _plain(one.record, name) for name in _touched(kind, wanted)}
        try:
            with transaction.atomic():
                kind.change(one.record, fields=wanted, seen_version=one.version, by=by, now=now)
                changed = Changed(one.record.pk, _version(one.record), before)
                keep(changed)
        except RuleError as refusal:
            changes.refused.append(Refused(one.record, refusal.message))
        else:
            changes.changed.append(changed)
    return changes


def delete_together(kind: Kind, seen: Sequence[Seen], *, by: User, now: dt.datetime, keep: Keep) -> Changes:
    """Put each record into the bin, `keep` told of it in the same transaction."""
    changes = Changes()
    for one in seen:
        changed = Changed(one.record.pk, one.version)
        try:
            with transaction.atomic():
                kind.delete(one.record, seen_version=one.version, by=by, now=now)
                keep(changed)
        except RuleError as refusal:
            changes.refused.append(Refused(one.record, refusal.message))
        else:
            changes.changed.append(changed)
    return changes


def undo_together(kind: Kind, changed: Iterable[Changed], *, by: User, now: dt.datetime) -> Changes:
    """Put back what `change_together` or `delete_together` did, where nobody has changed the record since."""
    changes = Changes()
    for one in changed:
        record = kind.model.objects.filter(pk=one.pk).first()
        try:
            with transaction.atomic():
                _undo(kind, record, one, by=by, now=now)
        except NotAllowed:  # gone, or given away by now: who undoes it is not told what it is called today
            changes.lacking += 1
        except RuleError as refusal:
            changes.refused.append(Refused(record, refusal.message))
        else:
            changes.changed.append(one)
    return changes


def _undo(kind: Kind, record: Any, one: Changed, *, by: User, now: dt.datetime) -> None:
    if record is None:
        raise NotAllowed(_("This can no longer be undone."))
    if one.before:
        before = {name: _read(kind.model, name, value) for name, value in one.before.items()}
        kind.revert(record, before=before, seen_version=one.version, by=by, now=now)
    else:
        kind.restore(record, by=by, now=now)


def _wanted(record: Any, fields: Fields) -> dict[str, Any]:
    """Return those of `fields` that the record does not say yet."""
    wanted = {name: _meant(getattr(record, name), value) for name, value in fields.items()}
    return {name: value for name, value in wanted.items() if getattr(value, "pk", value) != _own(record, name)}


def _touched(kind: Kind, names: Iterable[str]) -> list[str]:
    return [each for name in names for each in (name, *kind.along.get(name, ()))]


def _meant(present: Any, value: Any) -> Any:
    """The value itself, or what it makes of the one that is there."""
    match value:
        case Added(items):
            return [*present, *(item for item in items if item not in present)]
        case KeptWithin(source):
            return present if present is not None and present.source_id == source.pk else None
    return value


def _own(record: Any, name: str) -> Any:
    """The value of a field; of a reference the id, so that comparing it reads nothing."""
    return getattr(record, record._meta.get_field(name).attname)


def _plain(record: Any, name: str) -> Any:
    value = _own(record, name)
    return value.isoformat() if isinstance(value, dt.date) else value


def _read(model: type[Any], name: str, value: Any) -> Any:
    known = model._meta.get_field(name)
    if known.is_relation:
        return known.related_model._default_manager.filter(pk=value).first()
    return known.to_python(value)


def _version(record: Any) -> int:
    version: int = type(record).objects.values_list("version", flat=True).get(pk=record.pk)
    return version


def _change_deal(deal: Deal, *, fields: Fields, seen_version: int, by: User, now: dt.datetime) -> None:
    """The owner last: whoever gives a deal away may no longer change it."""
    share_pipeline(deal.pipeline_id)  # before the deal is locked, as everywhere: it may be moved once it is changed
    facts = {name: value for name, value in fields.items() if name not in {"stage", "owner"}}
    if facts:
        if "stage" not in fields:  # else the move says what the new stage asks for
            refuse_emptied(deal, facts)
        deal = edit_deal(deal, fields=facts, seen_version=seen_version, by=by)
        seen_version = deal.version
    if "stage" in fields:
        deal = move_deal(deal, to=fields["stage"], seen_version=seen_version, by=by, now=now)
        seen_version = deal.version
    if "owner" in fields:
        edit_deal(deal, fields={"owner": fields["owner"]}, seen_version=seen_version, by=by)


def _revert_deal(deal: Deal, *, before: Fields, seen_version: int, by: User, now: dt.datetime) -> None:
    share_pipeline(deal.pipeline_id)
    facts = {name: value for name, value in before.items() if name not in {"stage", "outcome"}}
    if facts:
        deal = edit_deal(deal, fields=facts, seen_version=seen_version, by=by)
        seen_version = deal.version
    if "stage" in before:
        try:
            with transaction.atomic():
                undo_move(deal, seen_version=seen_version, by=by, now=now)
        except TooLateToUndo:  # many were moved, which took its time
            if before.get("outcome", Deal.Outcome.OPEN) != Deal.Outcome.OPEN:
                raise  # no move makes a deal lost as it was, or won when it was
            move_deal(deal, to=before["stage"], seen_version=seen_version, by=by, now=now)


def _change_lead(lead: Lead, *, fields: Fields, seen_version: int, by: User, now: dt.datetime) -> None:
    """The owner last, as with deals."""
    facts = {name: value for name, value in fields.items() if name in {"source", "campaign"}}
    if facts:
        lead = edit_lead(lead, fields=facts, seen_version=seen_version, by=by)
        seen_version = lead.version
    if "disqualify_reason" in fields:
        reason = fields["disqualify_reason"]
        lead = disqualify_lead(lead, reason=reason, seen_version=seen_version, by=by, now=now)
        seen_version = lead.version
    if "owner" in fields:
        assign_lead(lead, to=fields["owner"], seen_version=seen_version, by=by)


def _revert_lead(lead: Lead, *, before: Fields, seen_version: int, by: User, now: dt.datetime) -> None:
    facts = {name: value for name, value in before.items() if name in {"source", "campaign"}}
    if facts:
        lead = edit_lead(lead, fields=facts, seen_version=seen_version, by=by)
        seen_version = lead.version
    if "disqualify_reason" in before:
        lead = reopen_lead(lead, seen_version=seen_version, by=by, now=now)
        until = before.get("nurture_until")
        if until is not None and until > timezone.localdate(now):
            lead = nurture_lead(lead, until=until, seen_version=lead.version, by=by, now=now)
        seen_version = lead.version
    if "owner" in before:
        assign_lead(lead, to=before["owner"], seen_version=seen_version, by=by)


def _change_customer(record: Any, *, fields: Fields, seen_version: int, by: User, now: dt.datetime) -> None:  # noqa: ARG001
    edit_record(record, fields=fields, by=by, seen_version=seen_version)


def _revert_customer(record: Any, *, before: Fields, seen_version: int, by: User, now: dt.datetime) -> None:  # noqa: ARG001
    edit_record(record, fields=before, by=by, seen_version=seen_version)


DEALS = Kind(Deal, _change_deal, _revert_deal, delete_deal, restore_deal, {"stage": ("outcome",)})
LEADS = Kind(Lead, _change_lead, _revert_lead, delete_lead, restore_lead, {"disqualify_reason": ("nurture_until",)})
COMPANIES = Kind(Company, _change_customer, _revert_customer, delete_record, restore_record)
CONTACTS = Kind(Contact, _change_customer, _revert_customer, delete_record, restore_record)
