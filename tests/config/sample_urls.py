"""Views that behave in each of the ways the middleware looks after; served beside the real ones in tests."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path
from django.utils import timezone, translation

from crm.models import Team
from crm.rules import audit


def page(request: HttpRequest) -> HttpResponse:
    """Where somebody is in language and time, and how they came."""
    zone = timezone.get_current_timezone_name()
    return HttpResponse(f"{translation.get_language()} {zone} {audit._through.get()}")


def moved(request: HttpRequest) -> HttpResponse:
    """A redirect within the site, with something to say."""
    messages.success(request, "Saved <b>well</b>")
    return redirect("/sample/page/")


def elsewhere(request: HttpRequest) -> HttpResponse:
    """A redirect to another site."""
    return redirect("https://example.com/")


def said(request: HttpRequest) -> HttpResponse:
    """A fragment, with something to say."""
    messages.success(request, "Saved <b>well</b>")
    return HttpResponse("<p>fragment</p>")


def nothing(request: HttpRequest) -> HttpResponse:
    """204: nothing changed."""
    messages.success(request, "Kept for later")
    return HttpResponse(status=204)


@login_not_required
def database_gone(request: HttpRequest) -> HttpResponse:
    """The server went away between two queries."""
    connection.close()
    raise OperationalError("server closed the connection unexpectedly")


@login_not_required
def deadlock(request: HttpRequest) -> HttpResponse:
    """The database refuses, but is there."""
    raise OperationalError("deadlock detected")


@login_not_required
def stores_body(request: HttpRequest) -> HttpResponse:
    """A body that meets no form on its way to the database."""
    Team.objects.create(name=request.POST["name"])
    return HttpResponse("stored")


urlpatterns = [
    path("sample/page/", page),
    path("sample/moved/", moved),
    path("sample/elsewhere/", elsewhere),
    path("sample/said/", said),
    path("sample/nothing/", nothing),
    path("sample/database-gone/", database_gone),
    path("sample/deadlock/", deadlock),
    path("sample/stores-body/", stores_body),
    path("", include("config.urls")),
]
