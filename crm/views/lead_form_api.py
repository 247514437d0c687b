"""A lead form for programs: its definition with a token to send back, and submissions, as JSON.

A page of another site may call it where that site is on the form's list (CORS); a server, which sends no Origin, may
always.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from crm.forms.visitors import VisitorForm, new_token
from crm.models import ConsentText, LeadForm
from crm.views.doors import public_door
from crm.views.lead_forms import DoorShut, consent_shown, language_of, public_form_or_404, take


@csrf_exempt  # nobody is logged in here
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
@public_door
def lead_form_api(request: HttpRequest, slug: str) -> HttpResponse:
    """GET: fields, consent and a token; POST: an object of answers by key with that token, and with "consent"."""
    form = public_form_or_404(slug)
    origin = request.headers.get("Origin", "")
    if origin and origin.lower() not in form.own_origins:
        return _refusal(_("This site may not use this form."), status=403)
    if request.method == "OPTIONS":
        return _open_to(HttpResponse(status=204), origin)
    with translation.override(language_of(request, form)):
        answer = _captured(request, form) if request.method == "POST" else JsonResponse(_definition(form))
    return _open_to(answer, origin)


def _definition(form: LeadForm) -> dict[str, Any]:
    now = timezone.now()
    consent = consent_shown(form, now=now, is_sent=False)
    return {
        "name": form.label,
        "intro": form.text("intro"),
        "language": translation.get_language(),
        "fields": [
            {
                "key": field.key,
                "kind": field.kind,
                "label": str(field),
                "required": field.is_required,
                "choices": [{"value": value, "label": label} for value, label in field.options],
            }
            for field in form.fields.all()
        ],
        "consent": _consent(consent),
        "token": new_token(form, consent, now=now),
    }


def _consent(consent: ConsentText | None) -> dict[str, Any] | None:
    return {"version": consent.number or 1, "text": str(consent)} if consent else None


def _captured(request: HttpRequest, form: LeadForm) -> JsonResponse:
    if request.content_type != "application/json":
        return _refusal(_("Send JSON: Content-Type: application/json."), status=415)
    try:
        said = json.loads(request.body or b"{}")
    except (ValueError, RecursionError, RawPostDataException, UnreadablePostError):
        said = None
    if not isinstance(said, dict):
        return _refusal(_("Send an object of answers by key."), status=400)
    now = timezone.now()
    sent = {str(key): _whole(value) for key, value in said.items() if isinstance(value, str | int | float | bool)}
    visitor = VisitorForm(sent, form=form, consent=consent_shown(form, now=now, is_sent=True), now=now)
    if visitor.shown is None:
        visitor.add_error("token", _("Ask for the form first, and send its token along."))
    if not visitor.is_valid():
        return JsonResponse({"errors": visitor.errors.get_json_data()}, status=422)
    try:
        take(request, visitor, language=translation.get_language() or "", now=now)
    except DoorShut:
        return _refusal(_("Too many submissions. Try again later."), status=429)
    return JsonResponse({"thanks": form.text("thanks"), "redirect": form.allowed_redirect or None}, status=201)


def _whole(value: Any) -> Any:
    """JSON can hold half a letter, such as a smiley that a page cut in two; no database does."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _refusal(message: str, *, status: int) -> JsonResponse:
    return JsonResponse({"errors": {"__all__": [{"message": message, "code": "refused"}]}}, status=status)


def _open_to(response: HttpResponse, origin: str) -> HttpResponse:
    """Let the site that asked read the answer; it is on the form's list."""
    patch_vary_headers(response, ["Origin"])
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = "GET, POST"
        response["Access-Control-Allow-Headers"] = "Content-Type"
        response["Access-Control-Max-Age"] = "600"
    return response
