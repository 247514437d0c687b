"""Fetch and authorise in one call: what one may not see is 404, what one sees but may not change is 403."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from crm.models import Mergeable, Subject, User
from crm.rules.forwarding import survivor_seen_by


class MergedElsewhere(Http404):
    """The record was merged into `survivor`: a page goes on there, a change does not (409)."""

    def __init__(self, survivor: Any) -> None:
        super().__init__(str(survivor))
        self.survivor = survivor


def visible_or_404(queryset: Any, user: Any, **lookup: Any) -> Any:
    """Return the one row of `queryset` (a manager or queryset with `visible_to`) that `user` may read; else Http404.

    For a record that was merged into one they may read it is `MergedElsewhere`, so that old addresses lead there.
    """
    try:
        return get_object_or_404(queryset.visible_to(user), **lookup)
    except Http404:
        model = queryset.model
        survivor = survivor_seen_by(user, model, lookup.get("pk")) if issubclass(model, Mergeable) else None
        if survivor is None:
            raise
        raise MergedElsewhere(survivor) from None


def editable_or_403(queryset: Any, user: Any, **lookup: Any) -> Any:
    """Return the one row that `user` may change; Http404 where they may not even see it, else PermissionDenied."""
    try:
        return get_object_or_404(queryset.editable_by(user), **lookup)
    except Http404:
        visible_or_404(queryset, user, **lookup)
        raise PermissionDenied(_("You may look at this, but not change it.")) from None


def may_edit(record: Any, user: Any) -> bool:
    """Whether `user` may change `record`: asked of the database, as the rules ask."""
    return bool(type(record).objects.editable_by(user).filter(pk=record.pk).exists())


def writer_or_403(user: Any) -> User:
    """Return `user` where they may write at all; viewers get PermissionDenied before they see a form."""
    if not user.may_write:
        raise PermissionDenied(_("You may look, but not change anything."))
    return user


def subject_model_or_404(kind: str) -> type[Any]:
    """Return the model that addresses call `kind`: every model with a timeline, of this app or one above it."""
    for model in apps.get_models():
        if issubclass(model, Subject) and model.__name__.lower() == kind:
            return model
    raise Http404


def visible_subject_or_404(kind: str, pk: int, user: Any) -> Any:
    """Return the lead, contact, company or deal that an activity or follow-up is about."""
    return visible_or_404(subject_model_or_404(kind).objects, user, pk=pk)


def editable_subject_or_403(kind: str, pk: int, user: Any) -> Any:
    """As `visible_subject_or_404`, for those who may change it."""
    return editable_or_403(subject_model_or_404(kind).objects, user, pk=pk)
