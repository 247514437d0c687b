"""What dragging a card does on a board that is grouped by owner or by month, and taking it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from crm.models import AuditEntry, User
from crm.rules.answers import keep_answer
from crm.rules.audit import acting
from pipeline.models import Deal
from pipeline.rules.automation.coming_true import UNDO_WITHIN
from pipeline.rules.deals import edit_deal
from pipeline.rules.locking import claim
from pipeline.rules.refusals import TooLateToUndo, WrongOwner, WrongStage
from pipeline.rules.requirements import refuse_emptied


def hand_over_deal(deal: Deal, *, to: User, seen_version: int, by: User, key: str = "") -> Deal:
    """Make `to` the owner of an open deal, as `edit_deal` does; WrongOwner where `by` may give nothing to them.

    With `key`, the answer is kept for a retry (`crm.rules.answers`).
    """
    if not User.objects.assignable_by(by).filter(pk=to.pk).exists():
        raise WrongOwner(_("You cannot give deals to %(person)s.") % {"person": to})
    return _edit(deal, {"owner": to}, seen_version=seen_version, by=by, key=key)


def redate_deal(deal: Deal, *, to: dt.date | None, seen_version: int, by: User, key: str = "") -> Deal:
    """Expect an open deal to close on `to`, as `edit_deal` does; StageRequires where its stage wants a date.

    With `key`, the answer is kept for a retry (`crm.rules.answers`).
    """
    fields = {"expected_close_on": to}
    refuse_emptied(deal, fields)
    return _edit(deal, fields, seen_version=seen_version, by=by, key=key)


def take_back_deal(deal: Deal, *, seen_version: int, by: User, now: dt.datetime) -> Deal:
    """Undo the person's own hand-over or new date within the time the toast shows, if nothing came after it.

    A rep may do so although the deal is no longer theirs. Raises DealConflict, TooLateToUndo or NotAllowed.
    """
    with acting(by, note="undo"):
        last = _last_change(deal)
        is_own = last is not None and last.actor_id == by.pk and last.note != "undo"
        # Whether a rep may change what they have just given away is not asked: they take back their own gift.
        fresh = claim(deal, seen_version=seen_version, by=None if is_own and by.may_write else by)
        if last is None or not is_own or now - last.at > UNDO_WITHIN or _was_touched_since(last, deal):
            raise TooLateToUndo(_("This can no longer be undone; change the deal instead."))
        if "owner_id" in last.before:
            fresh.owner_id = last.before["owner_id"]
        if "expected_close_on" in last.before:
            fresh.expected_close_on = _day(last.before["expected_close_on"])
        fresh.save()
    return fresh


def owner_before(deal: Deal) -> User:
    """Return who had the deal before it was last handed over."""
    last = _last_change(deal)
    was = last.before.get("owner_id") if last else None
    return (User.objects.filter(pk=was).first() if was else None) or deal.owner


def day_before(deal: Deal) -> dt.date | None:
    """Return on which day the deal was expected to close before it was last re-dated."""
    last = _last_change(deal)
    return _day(last.before.get("expected_close_on")) if last else deal.expected_close_on


def _edit(deal: Deal, fields: dict[str, Any], *, seen_version: int, by: User, key: str) -> Deal:
    with acting(by):
        fresh = edit_deal(deal, fields=fields, seen_version=seen_version, by=by)
        if not fresh.is_open:
            raise WrongStage(_("“%(deal)s” is closed; only an open deal changes its column.") % {"deal": fresh})
        keep_answer(by=by, key=key, purpose=f"deal-{fresh.pk}", answer={"version": fresh.version})
    return fresh


def _was_touched_since(change: AuditEntry, deal: Deal) -> bool:
    """Whoever has the deal now may have begun to work on it: the version alone tells a page that looked on nothing."""
    return AuditEntry.objects.about("deal", deal.pk).filter(pk__gt=change.pk).exists()


def _day(written: str | None) -> dt.date | None:
    return dt.date.fromisoformat(written) if written else None


def _last_change(deal: Deal) -> AuditEntry | None:
    is_change = Q(after__has_key="owner_id") | Q(after__has_key="expected_close_on")
    return AuditEntry.objects.about("deal", deal.pk).filter(is_change).first()
