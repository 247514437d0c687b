"""Saved views: the menu that the board and the lists show, and what is done with a view."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.forms.saved_views import LONGEST, SavedViewForm, kept_of
from crm.models import OpensWith, SavedView, Sharing
from crm.rules import saved_views as rules
from crm.rules.errors import RuleError
from crm.views.addresses import way_back, whole_number
from crm.views.authorising import editable_or_403, visible_or_404, writer_or_403
from crm.views.dialogs import render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

NONE = "?saved=0"
"""The page without a view, even where it opens with one."""
MOST = 200

PageView = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Shelf:
    """The views of one page: those one may use, the one shown, and whether its filters were changed since."""

    page: str
    views: list[Any]
    current: SavedView | None
    is_changed: bool
    may_edit: bool
    asked: str
    path: str

    def keeping(self, name: str, value: str) -> Shelf:
        """Return the shelf of a page that shows what its address does not say: a view saved of it keeps it."""
        return replace(self, asked=_encoded([*parse_qsl(self.asked), (name, value)]))


def shelf_of(request: PersonRequest, page: str) -> Shelf:
    """Read what the menu of views shows, in one query, and one more where a view is shown."""
    first = OpensWith.objects.filter(user=request.user.pk, view=OuterRef("pk"))
    rows = SavedView.objects.visible_to(request.user).filter(page=page)
    # An admin may get at private views of others, but does not work with them.
    rows = rows.exclude(~Q(owner=request.user.pk), shared_with=Sharing.NOBODY)
    views: list[Any] = list(rows.select_related("owner").annotate(is_first=Exists(first))[:MOST])
    pk = whole_number(request.GET.get("saved"))
    current = next((view for view in views if view.pk == pk), None)
    kept = kept_of(request.GET)
    return Shelf(
        page=page,
        views=views,
        current=current,
        is_changed=current is not None and sorted(kept) != sorted(current.query),
        may_edit=current is not None and SavedView.objects.editable_by(request.user).filter(pk=current.pk).exists(),
        asked=_encoded(kept),
        path=request.path,
    )


def with_saved_views(page: str) -> Callable[[PageView], PageView]:
    """Give a page its `shelf` of views, and let it open with the person's first one where it is asked for nothing.

    A view may name what is gone, or not for its reader to see: then the page is shown without it, and says so.
    """

    def decorate(view: PageView) -> PageView:
        @functools.wraps(view)
        def opened(request: PersonRequest, *args: Any, **named: Any) -> HttpResponseBase:
            shelf = shelf_of(request, page)
            first = next((saved for saved in shelf.views if saved.is_first), None)
            if first is not None and not request.GET and not request.htmx and not _is_cleared(request):
                return redirect(request.path + first.address)
            try:
                return view(request, *args, shelf=shelf, **named)
            except Http404:
                if request.htmx or request.GET.get("saved", "0") == "0":
                    raise
                messages.warning(request, _("The view asks for something that is gone, or not for you to see."))
                return redirect(request.path + NONE)

        return opened

    return decorate


@require_http_methods(["GET", "HEAD", "POST"])
def saved_view_create(request: PersonRequest, page: str) -> HttpResponse:
    """Keep what the page is asked for under a name."""
    if page not in SavedView.Page:
        raise Http404
    person = writer_or_403(request.user)
    initial = {"asked": request.GET.get("asked", "")[:LONGEST], "back": request.GET.get("back", "")}
    form = SavedViewForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            view = rules.create_view(page=page, fields={**said, "query": form.query()}, by=person)
        except RuleError as refusal:
            form.add_error("name", refusal.message)
        else:
            rules.open_with(view, is_first=said["is_first"], by=person)
            return redirect((way_back(request, "back") or "/") + view.address)
    context = {"title": _("Save as a view"), "action": reverse("saved_view_create", args=[page]), "submit": _("Save")}
    return render_dialog(request, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
def saved_view_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Rename a view, say who may use it, and whether the page opens with it."""
    view = editable_or_403(SavedView.objects, request.user, pk=pk)
    is_first = OpensWith.objects.filter(user=request.user, view=view).exists()
    initial = {"back": request.GET.get("back", ""), "is_first": is_first}
    form = SavedViewForm(posted(request), instance=view, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            fields = {"name": said["name"], "shared_with": said["shared_with"]}
            fresh = rules.edit_view(view, fields=fields, by=request.user)
        except RuleError as refusal:
            form.add_error("name", refusal.message)
        else:
            rules.open_with(fresh, is_first=said["is_first"], by=request.user)
            messages.success(request, _("Saved."))
            return redirect((way_back(request, "back") or "/") + fresh.address)
    context = {"title": _("The view"), "action": reverse("saved_view_edit", args=[pk]), "submit": _("Save")}
    return render_dialog(request, form, context)


@require_POST
def saved_view_update(request: PersonRequest, pk: int) -> HttpResponse:
    """Let the view ask for what the page asks for now."""
    view = editable_or_403(SavedView.objects, request.user, pk=pk)
    query = kept_of(QueryDict(request.POST.get("asked", "")[:LONGEST]))
    fresh = rules.edit_view(view, fields={"query": query}, by=request.user)
    messages.success(request, _("“%(view)s” asks for this from now on.") % {"view": fresh})
    return redirect((way_back(request, "back") or "/") + fresh.address)


@require_POST
def saved_view_first(request: PersonRequest, pk: int) -> HttpResponse:
    """Open the page with this view from now on, or no longer."""
    view = visible_or_404(SavedView.objects, request.user, pk=pk)
    rules.open_with(view, is_first=request.POST.get("is_first") == "1", by=request.user)
    return redirect((way_back(request, "back") or "/") + view.address)


@require_POST
def saved_view_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put the view into the bin, with a way back."""
    view = editable_or_403(SavedView.objects, request.user, pk=pk)
    rules.delete_view(view, by=request.user, now=timezone.now())
    undo_url = reverse("saved_view_restore", args=[view.pk])
    say_undoable(request, _("“%(view)s” is deleted.") % {"view": view}, undo_url=undo_url)
    return redirect((way_back(request, "back") or "/") + NONE)


@require_POST
def saved_view_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take the view out of the bin."""
    now = timezone.now()
    view = SavedView.objects.in_bin_of(request.user, now).filter(pk=pk).first()
    if view is None:
        raise Http404
    try:
        restored = rules.restore_view(view, by=request.user, now=now)
    except rules.ViewNameTaken as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("“%(view)s” is back.") % {"view": restored})
    return redirect(way_back(request, "back") or "/")


def _is_cleared(request: PersonRequest) -> bool:
    """Whether somebody who was on the page already took its last filter away."""
    return urlsplit(request.headers.get("Referer", "")).path == request.path


def _encoded(pairs: Iterable[Sequence[str]]) -> str:
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    return query.urlencode()
