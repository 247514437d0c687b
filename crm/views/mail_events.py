"""The door through which a mail provider reports; open only with the secret that both sides know."""

from __future__ import annotations

from importlib import import_module

from anymail.webhooks.base import AnymailBaseWebhookView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from config.mail_providers import PROVIDERS
from crm.rules.mail_events import note_event


@login_not_required
@csrf_exempt  # a provider posts without a page; the secret, and its signature where it has one, are what allow it
@require_http_methods(["HEAD", "POST"])
def mail_events(request: HttpRequest) -> HttpResponse:
    """Write what the provider says became of our mail. It asks by HEAD whether anybody is there."""
    if not settings.EMAIL_PROVIDER or ":" not in settings.MAIL_EVENTS_SECRET:
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    hook = _hook()
    try:
        hook.run_validators(request)  # what it raises of its own is answered by 400
        events = hook.parse_events(request)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRequest("This is no report that can be read.") from error
    for event in events:
        note_event(event, provider=settings.EMAIL_PROVIDER, now=timezone.now())
    return HttpResponse()


def _hook() -> AnymailBaseWebhookView:
    module, _dot, name = PROVIDERS[settings.EMAIL_PROVIDER].hook.partition(".")
    hook: AnymailBaseWebhookView = getattr(import_module(f"anymail.webhooks.{module}"), name)()
    return hook
