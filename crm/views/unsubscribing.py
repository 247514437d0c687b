"""The public door out of our mail: a link in each letter, and the one-click button of mail programs (RFC 8058)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm.models import Email, Suppression
from crm.rules.mailing import UNSUBSCRIBE
from crm.rules.suppression import suppress, suppressed
from crm.rules.tokens import TokenRefused, open_token
from crm.views.doors import secret_door


@csrf_exempt  # mail programs post without a page; the secret in the address is what allows it
@require_http_methods(["GET", "HEAD", "POST"])
@secret_door
def unsubscribe(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask whether to stop (GET: link checkers change nothing), and stop (POST)."""
    now = timezone.now()
    try:
        email = open_token(secret, act=UNSUBSCRIBE, now=now).opens
    except TokenRefused as refusal:
        return _page(request, status=404, refusal=refusal.message)
    assert isinstance(email, Email)
    if request.method == "POST":
        suppress(email.to_address, reason=Suppression.Reason.UNSUBSCRIBED, by=None, now=now, email=email)
    return _page(request, address=email.to_address, is_done=suppressed(email.to_address) is not None)


def _page(request: HttpRequest, *, status: int = 200, **context: object) -> HttpResponse:
    return render(request, "crm/unsubscribe.html", context, status=status)
