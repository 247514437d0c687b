"""The site's addresses and two floors: an authenticated page with nothing on it, and an answer with no page at all."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from config.urls import urlpatterns as site


def empty(request: HttpRequest) -> HttpResponse:
    """Render the frame every page has: top bar, badges, hosts."""
    return render(request, "base.html")


def bare(request: HttpRequest) -> HttpResponse:
    """Answer nothing, to somebody who is logged in."""
    return HttpResponse(f"{request.user.pk}")


urlpatterns = [path("bench/empty/", empty), path("bench/bare/", bare), *site]
