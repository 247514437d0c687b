"""The bell: notices in the page, how many are unread, and reading them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from crm.models import Notification, User
from crm.rules.notifications import mark_read, told_to
from crm.views.addresses import page_of, whole_number
from crm.views.requests import PersonRequest

PAGE = 30


@require_safe
def notification_list(request: PersonRequest) -> HttpResponse:
    """All notices, newest first."""
    notices = Notification.objects.filter(user=_person(request)).in_page().select_related("subject_type")
    page = page_of(notices, request, size=PAGE)
    told = told_to(request.user, list(page))
    context = {"page": page, "notices": told, "unread": notices.unread().count(), "now": timezone.now()}
    return render(request, "crm/notification_list.html", context)


@require_safe
@login_not_required
def notification_bell(request: HttpRequest) -> HttpResponse:
    """The bell as it is now; 204 while it is as it was `seen`, a toast for what has come since.

    204 too when the session has ended: a poll must not lead away from a page where somebody is typing.
    """
    if not request.user.is_authenticated:
        return HttpResponse(status=204)
    notices = Notification.objects.filter(user=request.user)
    unread, seen = notices.count_unread(), request.GET.get("seen", "")
    if str(unread) == seen:
        return HttpResponse(status=204)
    response = render(request, "components/bell.html")
    newest = notices.filter(pk=unread.newest).first()
    if newest is not None and seen and unread.newest > _newest(seen):
        told = told_to(request.user, [newest])[0]
        text = told.text or (str(told.kind.label) if told.kind else _("Something is new."))
        trigger_client_event(response, "toast", {"text": text, "kind": "info"})
    return response


@require_safe
@login_not_required
def live(_request: HttpRequest) -> HttpResponse:
    """204, on which a browser does not ask again, from a server without streams; config/live.py answers before this."""
    return HttpResponse(status=204)


@require_POST
def notification_open(request: PersonRequest, pk: int) -> HttpResponse:
    """Read a notice and go to what it is about, or back to the list where that may no longer be seen."""
    person = _person(request)
    notice = Notification.objects.filter(user=person, pk=pk).first()
    if notice is None:
        raise Http404
    mark_read(person, now=timezone.now(), pk=pk)
    subject = told_to(person, [notice])[0].subject
    return redirect(subject) if subject is not None else redirect("notification_list")


@require_POST
def notification_read_all(request: PersonRequest) -> HttpResponse:
    """Read all of them."""
    mark_read(_person(request), now=timezone.now())
    return redirect("notification_list")


def _person(request: PersonRequest) -> User:
    return request.user


def _newest(seen: str) -> int:
    return whole_number(seen.rpartition("-")[2]) or 0
