"""Lead forms as strangers meet them: a page, the same in a frame on somebody's site, and an address for programs."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from crm.forms.visitors import UTM, VisitorForm, new_token
from crm.models import ConsentText, LeadForm, Submission
from crm.rules.capturing import capture, publish_consent
from crm.rules.doors import knock
from crm.views.doors import address_mark_of, public_door

BY_ADDRESS, BY_FORM = dt.timedelta(minutes=10), dt.timedelta(hours=1)
SHUT_AT = 5
"""So many times a limit is no visitor any more: then nothing is even kept."""
SHOWN_AGAIN_SECONDS = 1
"""A form shown a second time, filled in already, takes no longer than a look."""
SCRIPT = Path(settings.BASE_DIR) / "static" / "js" / "lead-form-embed.js"


class DoorShut(Exception):
    """So many submissions that they are not even kept (429)."""


@csrf_exempt  # nobody is logged in here, and a form of somebody's own posts to it
@require_http_methods(["GET", "HEAD", "POST"])
@public_door
def lead_form(request: HttpRequest, slug: str) -> HttpResponse:
    """The form on a page of its own; a form on another site that posts here is shown once more, filled in."""
    return _page(request, slug, is_framed=False)


@csrf_exempt  # nobody is logged in here
@xframe_options_exempt  # the policy's frame-ancestors name the sites
@require_http_methods(["GET", "HEAD", "POST"])
@public_door
def lead_form_embed(request: HttpRequest, slug: str) -> HttpResponse:
    """The form for a frame on one of its sites."""
    return _page(request, slug, is_framed=True)


@xframe_options_exempt  # the policy's frame-ancestors name the sites
@require_safe
@public_door
def lead_form_thanks(request: HttpRequest, slug: str) -> HttpResponse:
    """What a visitor reads afterwards; a framed one with a page of its own to go to is led there."""
    form, is_framed = public_form_or_404(slug), request.GET.get("framed") == "1"
    with translation.override(language_of(request, form)):
        context = _look(request, form) | {"is_framed": is_framed, "redirect": form.allowed_redirect}
        return _guarded(render(request, "crm/lead_form_thanks.html", context), form, is_framed=is_framed)


@login_not_required
@require_safe
def lead_form_script(_request: HttpRequest) -> HttpResponse:
    """The script that puts a form into a page of another site: one file, which needs neither inline code nor eval."""
    response = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Access-Control-Allow-Origin"] = "*"
    return response


# --- Shared with the address for programs -------------------------------------------------------------------------


def public_form_or_404(slug: str) -> LeadForm:
    """Return the form that takes submissions at this address; else Http404."""
    rows = LeadForm.objects.public().select_related("source", "campaign", "owner", "team").prefetch_related("fields")
    return get_object_or_404(rows, slug=slug)


def language_of(request: HttpRequest, form: LeadForm) -> str:
    """Return the language asked for by `?lang=`, else the browser's, as far as the form speaks it."""
    asked = request.GET.get("lang") or (translation.get_language() or "")[:2]
    return asked if asked in form.spoken else form.spoken[0]


def consent_shown(form: LeadForm, *, now: dt.datetime, is_sent: bool) -> ConsentText | None:
    """Return the words to agree to. Reading writes nothing: words nobody has agreed to may have no version yet."""
    if is_sent:
        return publish_consent(form, now=now)
    last = form.consents.first()
    words = (form.consent, form.consent_ru)
    if last is not None and (last.text, last.text_ru) == words:
        return last
    return ConsentText(form=form, text=words[0], text_ru=words[1]) if any(words) else None


def take(request: HttpRequest, visitor: VisitorForm, *, language: str, now: dt.datetime) -> Submission:
    """Capture a valid form, be it kept out for a reason; raises DoorShut where there were far too many."""
    mark = address_mark_of(request)
    reason = visitor.suspicion or _crowd(visitor.lead_form, mark, now)
    referrer = request.META.get("HTTP_REFERER", "")
    visit = visitor.visit(language=language, referrer=referrer, address_mark=mark)
    return capture(visitor.lead_form, visit=visit, reason=reason, now=now)


def _crowd(form: LeadForm, mark: str, now: dt.datetime) -> str:
    """Which limit this submission goes beyond, if any."""
    by_address = knock(f"lead-form:{form.pk}:{mark}", within=BY_ADDRESS, now=now)
    by_form = knock(f"lead-form:{form.pk}", within=BY_FORM, now=now)
    if by_address > form.most_by_address * SHUT_AT or by_form > form.most_an_hour * SHUT_AT:
        raise DoorShut
    if by_address > form.most_by_address:
        return Submission.Reason.ADDRESS
    return Submission.Reason.FORM if by_form > form.most_an_hour else ""


# --- The page -----------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, slug: str, *, is_framed: bool) -> HttpResponse:
    form, now = public_form_or_404(slug), timezone.now()
    language = language_of(request, form)
    with translation.override(language):
        consent = consent_shown(form, now=now, is_sent=request.method == "POST")
        if request.method != "POST":
            return _show(request, _blank(request, form, consent, now), is_framed=is_framed)
        visitor = VisitorForm(request.POST, form=form, consent=consent, now=now)
        if visitor.shown is None:
            return _show_again(request, visitor, is_framed=is_framed)
        if not visitor.is_valid():
            return _show(request, visitor, is_framed=is_framed, status=422)
        try:
            take(request, visitor, language=language, now=now)
        except DoorShut:
            return _show(request, visitor, is_framed=is_framed, status=429)
        return _onwards(request, form, is_framed=is_framed)


def _blank(request: HttpRequest, form: LeadForm, consent: ConsentText | None, now: dt.datetime) -> VisitorForm:
    along = {f"utm_{part}": request.GET.get(f"utm_{part}", "") for part in UTM}
    referrer = request.GET.get("referrer") or request.META.get("HTTP_REFERER", "")
    initial = {"token": new_token(form, consent, now=now), "referrer": referrer, "page": request.GET.get("page", "")}
    return VisitorForm(form=form, consent=consent, now=now, initial=initial | along)


def _show_again(request: HttpRequest, visitor: VisitorForm, *, is_framed: bool) -> HttpResponse:
    """A form of somebody's own, or one left open for a day: nothing typed is lost, one more press sends it."""
    token = new_token(visitor.lead_form, visitor.consent, now=visitor.now, least_seconds=SHOWN_AGAIN_SECONDS)
    sent = request.POST.copy()
    sent["token"] = token
    if not sent.get("referrer"):
        sent["referrer"] = request.META.get("HTTP_REFERER", "")
    again = VisitorForm(sent, form=visitor.lead_form, consent=visitor.consent, now=visitor.now)
    return _show(request, again, is_framed=is_framed, is_again=True)


def _show(
    request: HttpRequest, visitor: VisitorForm, *, is_framed: bool, status: int = 200, is_again: bool = False
) -> HttpResponse:
    form = visitor.lead_form
    context = _look(request, form) | {
        "visitor": visitor, "is_framed": is_framed, "is_again": is_again, "is_shut": status == 429,
    }  # fmt: skip
    return _guarded(render(request, "crm/lead_form.html", context, status=status), form, is_framed=is_framed)


def _onwards(request: HttpRequest, form: LeadForm, *, is_framed: bool) -> HttpResponse:
    """To the thank-you page; a framed form stays in its frame and asks the page around it to go."""
    if form.allowed_redirect and not is_framed:
        return _guarded(redirect(form.allowed_redirect), form, is_framed=is_framed)
    query = {name: request.GET[name] for name in ("lang", "theme") if request.GET.get(name)}
    query |= {"framed": "1"} if is_framed else {}
    url = reverse("lead_form_thanks", args=[form.slug])
    return _guarded(redirect(f"{url}?{urlencode(query)}" if query else url), form, is_framed=is_framed)


def _look(request: HttpRequest, form: LeadForm) -> dict[str, Any]:
    theme = request.GET.get("theme")
    links = []
    for code in form.spoken:
        query = request.GET.copy()
        query["lang"] = code
        links.append((code, f"?{query.urlencode()}"))
    return {
        "form": form,
        "heading": form.label,
        "intro": form.text("intro"),
        "thanks": form.text("thanks") or _("Thank you! We have your message and will answer soon."),
        "look": theme if theme in {"light", "dark"} else "auto",
        "languages": links if len(links) > 1 else [],
    }


def _guarded(response: HttpResponse, form: LeadForm, *, is_framed: bool) -> HttpResponse:
    """Widen the policy by what this form needs: the sites around it, and where its visitors are sent afterwards."""
    wider: dict[str, Any] = {}
    if is_framed:
        wider["frame-ancestors"] = list(form.sites) or ["'none'"]
    if form.allowed_redirect:  # browsers hold a redirect after a form to its form-action as well
        wider["form-action"] = ["'self'", form.redirect_origin]
    if wider:
        csp_replace(wider)(lambda _request: response)(HttpRequest())  # it marks the answer for the middleware
    return response


@cache
def _script() -> bytes:
    return SCRIPT.read_bytes()
