"""A person's own API tokens, in their settings."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from crm.forms.tokens import ApiTokenForm
from crm.models import ApiToken
from crm.rules.tokens import create_api_token, revoke_api_token
from crm.views.dialogs import render_dialog
from crm.views.requests import PersonRequest, posted


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def api_token_create(request: PersonRequest) -> HttpResponse:
    """Make a token, and show its secret this one time."""
    form = ApiTokenForm(posted(request), person=request.user)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        return _show_once(request, create_api_token(**form.said(now), by=request.user, now=now).secret)
    context = {"title": _("New API token"), "action": reverse("api_token_create"), "submit": _("Make the token")}
    return render_dialog(request, form, context)


@require_POST
def api_token_revoke(request: PersonRequest, pk: int) -> HttpResponse:
    """End a token of one's own at once."""
    token = get_object_or_404(ApiToken.objects.of(request.user), pk=pk)
    revoke_api_token(token, by=request.user, now=timezone.now())
    messages.success(request, _("“%(token)s” no longer opens anything.") % {"token": token})
    return redirect(reverse("user_settings") + "#tokens")


def _show_once(request: PersonRequest, secret: str) -> HttpResponse:
    """Not a redirect: the secret would have to be kept somewhere on the way."""
    template = "crm/api_token_secret.html"
    page = template if request.htmx else "components/dialog_page.html"
    context = {
        "secret": secret, "title": _("The token, shown once"), "dialog_template": template, "is_page": not request.htmx,
    }  # fmt: skip
    return trigger_client_event(render(request, page, context), "api-tokens-changed", after="settle")
