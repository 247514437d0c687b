"""My day: what to do next, in the order of what is at stake, until there is nothing left."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.models import Notification, User
from crm.rules.notifications import told_to
from crm.views.requests import PersonRequest
from pipeline.views.my_day_groups import Scope, day_of

NEWS_SHOWN = 5
GROUPS = ("overdue", "leads", "today", "unplanned", "rotting", "next")


@require_safe
def my_day(request: PersonRequest) -> HttpResponse:
    """Show one's own day, or the team's to those who see one; htmx gets the day without the page around it."""
    user: User = request.user
    scope = _scope(request, user)
    context = {
        "day": day_of(scope),
        "scope": scope,
        "now": scope.now,
        "may_switch": _sees_a_team(user),
        "news": told_to(user, list(Notification.objects.filter(user=user).unread()[:NEWS_SHOWN])),
    }
    part = "#day" if request.htmx.target == "my-day" else ""
    return render(request, f"pipeline/my_day.html{part}", context)


def _scope(request: PersonRequest, user: User) -> Scope:
    """A viewer has no day of their own; a rep has no team's. An unknown word in the address means the usual."""
    wants_team = request.GET.get("of", "" if user.may_write else "team") == "team"
    opened = request.GET.get("all", "")
    return Scope(
        user=user,
        is_team=wants_team and _sees_a_team(user),
        now=timezone.now(),
        opened=opened if opened in GROUPS else "",
    )


def _sees_a_team(user: User) -> bool:
    return user.role != User.Role.REP
