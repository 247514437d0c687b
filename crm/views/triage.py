"""Messages of which nobody but a person can say where they belong, and how an answer took what we said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.forms.mailboxes import PlaceForm
from crm.models import Activity, Email, User, kind_of, subject_models
from crm.rules.triage import (
    NoAnswer,
    PlacedAlready,
    lead_from_email,
    mark_response,
    place_email,
    set_aside,
    suggested_places,
    take_up,
)
from crm.views.addresses import page_of, way_back
from crm.views.authorising import editable_subject_or_403, may_edit, visible_or_404, writer_or_403
from crm.views.dialogs import close_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

PAGE = 20
MOST_FOUND = 5
LONGEST = 200


@dataclass(frozen=True)
class Place:
    """A record a message may belong to, as a button names it."""

    value: str
    kind: str
    record: Any


@dataclass(frozen=True)
class Waiting:
    """A message on the list, with where it may belong."""

    email: Email
    places: Sequence[Place]


@require_safe
def triage_list(request: PersonRequest) -> HttpResponse:
    """What waits to be placed, or (`?show=aside`) was set aside; newest first."""
    person = writer_or_403(request.user)
    shows_aside = request.GET.get("show") == "aside"
    seen = Email.objects.visible_to(person).filter(subject_type=None)
    rows = seen.filter(is_set_aside=shows_aside).defer("html").order_by("-at", "-pk")
    page = page_of(rows, request, size=PAGE)
    places = {} if shows_aside else suggested_places(list(page), by=person)
    context = {
        "page": page,
        "waiting": [Waiting(email, _named(places.get(email, ()))) for email in page],
        "counts": {"waiting": seen.filter(is_set_aside=False).count(), "aside": seen.filter(is_set_aside=True).count()},
        "shows_aside": shows_aside,
        "now": timezone.now(),
    }
    return render(request, "crm/triage_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def email_place(request: PersonRequest, pk: int) -> HttpResponse:
    """Say where a message belongs: one of the suggestions, or a record found by name; also to correct a wrong place."""
    email = _email(request, pk)
    person = writer_or_403(request.user)
    if email.subject is not None and not may_edit(email.subject, person):
        raise PermissionDenied(_("You may look at this, but not change it."))
    form = PlaceForm(posted(request))
    if request.method == "POST" and form.is_valid():
        kind, subject_pk = form.cleaned_data["place"]
        subject = editable_subject_or_403(kind, subject_pk, person)
        place_email(email, subject=subject, by=person, now=timezone.now())
        messages.success(request, _("Put on the timeline of “%(record)s”.") % {"record": subject})
        return _back(request, subject)
    asked = request.GET.get("q", "")[:LONGEST].strip()
    context = {
        "email": email,
        "form": form,
        "asked": asked,
        "places": _found(asked, person) if asked else _named(suggested_places([email], by=person)[email]),
        "next": request.GET.get("next", ""),
    }
    part = "#dialog" if request.htmx else ""
    return render(request, f"crm/email_place.html{part}", context, status=422 if form.errors else 200)


@require_POST
def email_lead(request: PersonRequest, pk: int) -> HttpResponse:
    """Make a lead of who wrote."""
    email = _email(request, pk)
    try:
        lead = lead_from_email(email, by=writer_or_403(request.user), now=timezone.now())
    except PlacedAlready as refusal:
        return _refused(request, refusal)
    messages.success(request, _("“%(lead)s” is a lead now, with this e-mail on its timeline.") % {"lead": lead})
    return redirect(lead)


@require_POST
def email_set_aside(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a message off the list."""

    def act(email: Email, person: User) -> None:
        set_aside(email, by=person)
        say_undoable(request, _("Set aside."), undo_url=reverse("email_take_up", args=[pk]))

    return _decided(request, pk, act)


@require_POST
def email_take_up(request: PersonRequest, pk: int) -> HttpResponse:
    """Put a message back on the list."""
    return _decided(request, pk, lambda email, person: take_up(email, by=person))


@require_POST
def email_mark(request: PersonRequest, pk: int) -> HttpResponse:
    """Say how an answer took it, in one click."""
    email = _email(request, pk)
    person = writer_or_403(request.user)
    response = request.POST.get("response", "")
    if response not in Activity.Response.values:
        return HttpResponse(_("Choose positive, neutral or negative."), status=422, content_type="text/plain")
    try:
        mark_response(email, response=response, by=person)
    except NoAnswer as refusal:
        return HttpResponse(refusal.message, status=422, content_type="text/plain; charset=utf-8")
    return close_dialog(request, to=way_back(request, "next") or email.subject or "triage_list")


def _email(request: PersonRequest, pk: int) -> Email:
    email: Email = visible_or_404(Email.objects.select_related("activity", "subject_type"), request.user, pk=pk)
    return email


def _decided(request: PersonRequest, pk: int, act: Callable[[Email, User], None]) -> HttpResponse:
    email = _email(request, pk)
    try:
        act(email, writer_or_403(request.user))
    except PlacedAlready as refusal:
        return _refused(request, refusal)
    return redirect("triage_list")


def _refused(request: PersonRequest, refusal: PlacedAlready) -> HttpResponse:
    messages.warning(request, refusal.message)
    return redirect("triage_list")


def _back(request: PersonRequest, subject: Any) -> HttpResponse:
    return redirect(way_back(request, "next") or subject)


def _named(records: Iterable[Any]) -> list[Place]:
    return [_place(record) for record in records]


def _found(text: str, person: User) -> list[Place]:
    found: list[Place] = []
    for model in subject_models().values():
        rows = model._default_manager.all().editable_by(person).matching(text)  # type: ignore[attr-defined]
        found += [_place(record) for record in rows[:MOST_FOUND]]
    return found


def _place(record: Any) -> Place:
    kind = kind_of(record)
    return Place(f"{kind}-{record.pk}", str(record._meta.verbose_name), record)
