"""The request as views see it: login is required everywhere, so there is always a person."""

from __future__ import annotations

from django.http import HttpRequest, QueryDict
from django_htmx.middleware import HtmxDetails

from crm.models import User


class PersonRequest(HttpRequest):
    """A request by somebody who is logged in (for the type checker; nothing makes one)."""

    user: User
    htmx: HtmxDetails


def posted(request: PersonRequest) -> QueryDict | None:
    """Return what was sent, be it nothing: an empty form is refused, not shown as if it were new."""
    return request.POST if request.method == "POST" else None
