"""Keeping saved views: named, shared, brought up to date, deleted, taken back, and opened first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm.models import OpensWith, SavedView, User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError

EDITABLE = ("name", "shared_with", "query")


class ViewNameTaken(RuleError):
    """The owner has a view of that name for the page already (422)."""

    code = "name_taken"


def create_view(*, page: str, fields: Mapping[str, Any], by: User) -> SavedView:
    """Keep a new view of `page`, `by`'s own; raises NotAllowed or ViewNameTaken."""
    if not by.may_write:
        raise NotAllowed(_("You may look, but not add views."))
    with acting(by):
        view = SavedView(page=SavedView.Page(page), owner=by)
        _write(view, fields)
    return view


def edit_view(view: SavedView, *, fields: Mapping[str, Any], by: User) -> SavedView:
    """Write the given fields of `EDITABLE`; raises NotAllowed or ViewNameTaken."""
    with acting(by):
        fresh = _locked(view, by)
        _write(fresh, fields)
    return fresh


def delete_view(view: SavedView, *, by: User, now: dt.datetime) -> None:
    """Put the view into the bin for 30 days; pages that opened with it open without."""
    with acting(by):
        fresh = _locked(view, by)
        fresh.deleted_at = now
        fresh.save(update_fields=["deleted_at"])


def restore_view(view: SavedView, *, by: User, now: dt.datetime) -> SavedView:
    """Take the view out of the bin; raises NotAllowed, or ViewNameTaken where its name is another's by now."""
    with acting(by):
        binned: SavedView | None = SavedView.objects.in_bin_of(by, now).select_for_update().filter(pk=view.pk).first()
        if binned is None:
            raise NotAllowed(_("This can no longer be taken out of the bin."))
        binned.deleted_at = None
        _write(binned, {})
    return binned


def open_with(view: SavedView, *, is_first: bool, by: User) -> None:
    """Let `by`'s page open with a view they may use, or no longer."""
    if not SavedView.objects.visible_to(by).filter(pk=view.pk).exists():
        raise NotAllowed(_("You may not use this view."))
    if is_first:
        OpensWith.objects.update_or_create(user=by, page=view.page, defaults={"view": view})
    else:
        OpensWith.objects.filter(user=by, view=view).delete()


def _locked(view: SavedView, by: User) -> SavedView:
    fresh: SavedView | None = SavedView.objects.editable_by(by).select_for_update().filter(pk=view.pk).first()
    if fresh is None:
        raise NotAllowed(_("You may use this view, but not change it."))
    return fresh


def _write(view: SavedView, fields: Mapping[str, Any]) -> None:
    for name in EDITABLE:
        if name in fields:
            setattr(view, name, fields[name])
    try:
        with transaction.atomic():  # the constraint decides between two clicks on "Save"
            view.save()
    except IntegrityError as error:
        raise ViewNameTaken(_("You have a view of this name already.")) from error
