"""Keeping segments: saved, shared, copied, deleted and taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.models import Segment, User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.segments.tree import checked
from crm.rules.versions import claim

EDITABLE = ("name", "shared_with", "conditions")
NAMED_IN_REFUSAL = 5


class SegmentConflict(RuleError):
    """Somebody changed the segment first (409); `segment` is what it is now."""

    code = "conflict"

    def __init__(self, segment: Segment) -> None:
        super().__init__(
            _("“%(segment)s” was changed in the meantime; your change was not applied.") % {"segment": segment}
        )
        self.segment = segment


class NameTaken(RuleError):
    """The owner has a segment of that name already (422)."""

    code = "name_taken"


class SegmentInUse(RuleError):
    """Something works by this segment, so it cannot be deleted (422); `uses` names it."""

    code = "in_use"

    def __init__(self, segment: Segment, uses: list[str]) -> None:
        named = "; ".join(uses[:NAMED_IN_REFUSAL]) + ("; …" if len(uses) > NAMED_IN_REFUSAL else "")
        super().__init__(
            _("“%(segment)s” is in use and cannot be deleted: %(uses)s. Change these first.")
            % {"segment": segment, "uses": named}
        )
        self.uses = uses


def create_segment(*, about: str, fields: Mapping[str, Any], by: User) -> Segment:
    """Keep a new segment, `by`'s own; raises NotAllowed, NameTaken or ConditionsRefused."""
    if not by.may_write:
        raise NotAllowed(_("You may look, but not add segments."))
    with acting(by):
        segment = Segment(about=Segment.About(about), owner=by)
        _write(segment, fields)
        segment.save()
    return segment


def edit_segment(segment: Segment, *, fields: Mapping[str, Any], seen_version: int, by: User) -> Segment:
    """Write the given fields of `EDITABLE` if nobody changed the segment since; else SegmentConflict."""
    with acting(by):
        fresh = _claimed(segment, seen_version=seen_version, by=by)
        _write(fresh, fields)
        fresh.save()
    return fresh


def duplicate_segment(segment: Segment, *, by: User) -> Segment:
    """Copy a segment that `by` may use into one of their own, shared with nobody."""
    if not by.may_write or not Segment.objects.visible_to(by).filter(pk=segment.pk).exists():
        raise NotAllowed(_("You may look, but not add segments."))
    fields = {"name": _free_name(segment, by), "conditions": segment.conditions}
    return create_segment(about=segment.about, fields=fields, by=by)


def delete_segment(segment: Segment, *, seen_version: int, by: User, now: dt.datetime) -> None:
    """Put the segment into the bin for 30 days; SegmentInUse names what works by it, and then nothing has changed."""
    with acting(by):
        fresh = _claimed(segment, seen_version=seen_version, by=by)
        if uses := uses_of(fresh):
            raise SegmentInUse(fresh, uses)
        fresh.deleted_at = now
        fresh.save(update_fields=["deleted_at"])


def restore_segment(segment: Segment, *, by: User, now: dt.datetime) -> Segment:
    """Take the segment out of the bin, under another name where its own is taken by now."""
    with acting(by):
        binned = Segment.objects.in_bin_of(by, now).select_for_update().filter(pk=segment.pk).first()
        if binned is None:
            raise NotAllowed(_("This can no longer be taken out of the bin."))
        if _has_namesake(binned, binned.name):
            binned.name = _free_name(binned, binned.owner)
        binned.deleted_at = None
        binned.version += 1
        binned.save(update_fields=["deleted_at", "name", "version"])
    restored: Segment = binned
    return restored


def uses_of(segment: Segment) -> list[str]:
    """Name what refers to the segment: every row of any app that points at it and is not in the bin."""
    return list(_uses(segment))


def _uses(segment: Segment) -> Iterator[str]:
    for relation in Segment._meta.related_objects:
        model: Any = relation.related_model
        rows = model._default_manager.filter(**{relation.field.name: segment})
        if any(field.name == "deleted_at" for field in model._meta.fields):
            rows = rows.filter(deleted_at=None)
        yield from (f"{model._meta.verbose_name} “{row}”" for row in rows)


def _write(segment: Segment, fields: Mapping[str, Any]) -> None:
    for name in EDITABLE:
        if name in fields:
            setattr(segment, name, fields[name])
    segment.conditions = checked(segment.conditions, about=segment.about)
    if _has_namesake(segment, segment.name):
        raise NameTaken(_("You have a segment of this name already."))


def _has_namesake(segment: Segment, name: str) -> bool:
    own = Segment.objects.present().filter(owner=segment.owner, about=segment.about, name=name)
    return bool(own.exclude(pk=segment.pk).exists())


def _free_name(segment: Segment, owner: User) -> str:
    own = Segment.objects.present().filter(owner=owner, about=segment.about)
    taken = set(own.values_list("name", flat=True))
    number = 1
    while True:
        suffix = _("copy") if number == 1 else _("copy %(number)s") % {"number": number}
        name = f"{segment.name[:100]} ({suffix})"
        if name not in taken:
            return name
        number += 1


def _claimed(segment: Segment, *, seen_version: int, by: User) -> Segment:
    """Raise the version of the segment if it is the one seen, and return it locked."""
    refusal = _("You may use this segment, but not change it.")
    return claim(segment, seen_version=seen_version, by=by, refusal=refusal, conflict=SegmentConflict)
