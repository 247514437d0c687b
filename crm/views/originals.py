"""The original of a message that came in: a page for a frame in which nothing runs and nothing is fetched."""

from __future__ import annotations

import base64
import re

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from crm.models import Email
from crm.rules import mail_html
from crm.rules.receiving.file_types import PICTURES
from crm.views.authorising import visible_or_404
from crm.views.requests import PersonRequest

LARGEST_PICTURE, MOST_PICTURES = 2_000_000, 20
_CID = re.compile(r"cid:([^\"'\s<>]{1,200})")
_POLICY = {
    "default-src": [NONE],
    "img-src": ["data:"],
    "style-src": [SELF],
    "frame-ancestors": [SELF],
    "form-action": [NONE],
    "base-uri": [NONE],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@xframe_options_sameorigin
@csp_replace(_POLICY)  # type: ignore[arg-type]  # its types know a request alone
@require_safe
def email_original(request: PersonRequest, pk: int) -> HttpResponse:
    """The message as it came, cleaned: its own pictures, none from elsewhere; links open in a window of their own."""
    email = visible_or_404(Email.objects, request.user, pk=pk)
    body = mail_html.shown(email.html, pictures=_pictures(email)) if email.html else ""
    response = render(request, "crm/email_original.html", {"email": email, "body": body})
    response["Referrer-Policy"] = "no-referrer"
    return response


def _pictures(email: Email) -> dict[str, str]:
    """The pictures that the message shows out of its own files, as data: addresses by their Content-ID."""
    wanted = set(_CID.findall(email.html)[:MOST_PICTURES])
    files = email.attachments.filter(content_id__in=wanted, content_type__in=PICTURES, size__lte=LARGEST_PICTURE)
    return {
        file.content_id: f"data:{file.content_type};base64,{base64.b64encode(bytes(file.content)).decode()}"
        for file in files[:MOST_PICTURES]
    }
