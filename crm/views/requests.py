"""The request as views see it: login is required everywhere, so there is always a person."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from crm.models import User


class PersonRequest(HttpRequest):
    """A request by somebody who is logged in (for the type checker; nothing makes one)."""

    user: User
    htmx: HtmxDetails
