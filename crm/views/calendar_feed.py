"""The feed of a person's calendar, and its address in their settings: made, made anew, ended."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from crm.models import User
from crm.rules.calendar_feed import FEED, feed_of, issue_feed, revoke_feed
from crm.views.doors import secret_door, token_or_404
from crm.views.requests import PersonRequest


@require_safe
@secret_door
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponse:
    """Give the calendar to whoever knows its address; 304 where nothing is new, 404 once it has ended."""
    person = token_or_404(secret, act=FEED).opens
    assert isinstance(person, User)
    feed = feed_of(person, now=timezone.now())
    modified = int(feed.last_modified.timestamp()) if feed.last_modified else None
    response = HttpResponse(feed.body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="voronka.ics"'
    response["ETag"] = feed.etag
    # Kept, and asked after each time: what may not be kept Outlook does not open, and nobody asks for by its mark.
    response["Cache-Control"] = "private, no-cache"
    if feed.last_modified:
        response["Last-Modified"] = feed.last_modified.strftime("%a, %d %b %Y %H:%M:%S GMT")
    # What the series will bring changes with the day, not with a row: the mark decides, the time is only told.
    by_mark = "HTTP_IF_NONE_MATCH" in request.META
    return get_conditional_response(request, feed.etag, None if by_mark else modified, response) or response


@require_POST
def calendar_feed_issue(request: PersonRequest) -> HttpResponse:
    """Make a new address and show it this one time; the one before ends."""
    secret = issue_feed(request.user, by=request.user, now=timezone.now())
    template = "crm/calendar_feed_secret.html"
    context = {
        "feed_url": settings.PUBLIC_BASE_URL + reverse("calendar_feed", args=[secret]),
        "title": _("The address of your calendar, shown once"),
        "dialog_template": template,
        "is_page": not request.htmx,
    }
    page = template if request.htmx else "components/dialog_page.html"
    response = render(request, page, context)
    response["Cache-Control"] = "no-store"
    return trigger_client_event(response, "calendar-feed-changed", after="settle")


@require_POST
def calendar_feed_revoke(request: PersonRequest) -> HttpResponse:
    """End the address at once."""
    revoke_feed(request.user, by=request.user, now=timezone.now())
    messages.success(request, _("The address of your calendar no longer opens anything."))
    return redirect(reverse("user_settings") + "#calendar-feed")
