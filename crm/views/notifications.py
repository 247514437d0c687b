"""The bell: notices in the page, how many are unread, and reading them."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from crm.models import Notification, User, subjects_seen_by
from crm.rules.notice_kinds import NoticeKind, all_kinds
from crm.rules.notifications import mark_read
from crm.views.addresses import whole_number
from crm.views.requests import PersonRequest

PAGE = 30


@dataclass(frozen=True)
class Shown:
    """A notice with what its kind declares; one of a kind that no longer exists has none."""

    notice: Notification
    kind: NoticeKind | None


@require_safe
def notification_list(request: PersonRequest) -> HttpResponse:
    """All notices, newest first."""
    notices = Notification.objects.filter(user=_person(request)).in_page().select_related("subject_type")
    page = Paginator(notices, PAGE).get_page(request.GET.get("page"))
    shown = [Shown(notice, all_kinds().get(notice.kind)) for notice in page]
    context = {"page": page, "notices": shown, "unread": notices.unread().count(), "now": timezone.now()}
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
        trigger_client_event(response, "toast", {"text": newest.text, "kind": "info"})
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
    subject = subjects_seen_by(person, [notice]).get((notice.subject_type_id, notice.subject_id))
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
