"""One e-mail: what became of it, its original, its files, and taking it back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import quote

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from crm.models import Email, EmailAttachment, EmailTemplate, OutboxRow
from crm.rules import mail_html
from crm.rules.emails import TooLate, cancel_email
from crm.views.authorising import may_edit, visible_or_404
from crm.views.dialogs import close_dialog
from crm.views.requests import PersonRequest

State = OutboxRow.State


@dataclass(frozen=True)
class Fate:
    """What became of an e-mail, in words, with the tone of its tag; `why` where there is a reason, `at` when."""

    label: str | Promise
    tone: str = ""
    why: str = ""
    at: dt.datetime | None = None
    may_cancel: bool = False


def fate_of(email: Email, *, now: dt.datetime) -> Fate:
    """Say what became of an e-mail of ours; its `row` is the one that knows."""
    row = email.row
    if email.bounced_at and not (row and row.state == State.DEAD):
        return Fate(_("came back"), "is-red", email.bounce_detail, email.bounced_at)
    if email.at is not None or row is None:
        return Fate(_("sent"), "is-green", "", email.at)
    if row.state == State.WAITING and row.away_since:
        return Fate(_("waits for the mail server"), "is-amber", row.answer, row.away_since, may_cancel=True)
    if row.state == State.WAITING:
        is_later = row.available_at > now + dt.timedelta(minutes=1)
        why = row.answer if row.attempts else ""
        return Fate(
            _("waits until") if is_later else _("leaves now"), "is-accent", why, row.available_at, may_cancel=True
        )
    return {
        State.IN_FLIGHT: Fate(_("is being sent"), "is-accent"),
        State.CANCELLED: Fate(_("not sent"), "", row.answer, row.finished_at),
        State.DEAD: Fate(_("not sent"), "is-red", row.answer, row.finished_at),
        State.UNCLEAR: Fate(_("perhaps sent"), "is-amber", row.answer, row.finished_at),
    }.get(State(row.state), Fate(_("sent"), "is-green", "", row.finished_at))


@require_safe
def email_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """The whole e-mail: from whom, to whom, what became of it, the original in a frame that runs nothing."""
    email = _visible(request, pk)
    context = {
        "email": email,
        "fate": fate_of(email, now=timezone.now()) if email.direction == "out" else None,
        "framed": mail_html.framed(email.html) if email.html else "",
        "files": email.attachments.defer("content"),
        "may_edit": email.subject is not None and may_edit(email.subject, request.user),
    }
    return render(request, "crm/email_detail.html" if not request.htmx else "crm/email_detail.html#dialog", context)


@require_POST
def email_cancel(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back an e-mail that waits; one that has begun to leave stays as it is, and says so (409)."""
    email = _visible(request, pk)
    if email.row is None:
        raise Http404  # it came in, or was copied to us: there never was anything to take back
    try:
        cancel_email(email, by=request.user)
    except TooLate as refusal:
        messages.error(request, refusal.message)
        if not request.htmx:
            return redirect("email_detail", pk=pk)
        return HttpResponse(status=409, headers={"HX-Reswap": "none", "HX-Trigger": "timeline-changed"})
    messages.success(request, _("The e-mail is taken back; it does not leave."))
    return close_dialog(request, to=email.subject)


@require_safe
def email_file(request: PersonRequest, pk: int) -> HttpResponse:
    """A file of an e-mail or a template, to save, never to show: as what it was found to be when it came."""
    file = EmailAttachment.objects.filter(pk=pk).first()
    if file is None or not _may_have(file, request):
        raise Http404
    response = HttpResponse(bytes(file.content), content_type=file.content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name)}"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _may_have(file: EmailAttachment, request: PersonRequest) -> bool:
    if file.email_id:
        return Email.objects.visible_to(request.user).filter(pk=file.email_id).exists()
    if file.template_id:
        return bool(EmailTemplate.objects.visible_to(request.user).filter(pk=file.template_id).exists())
    return file.held_by_id == request.user.pk


def _visible(request: PersonRequest, pk: int) -> Email:
    email: Email = visible_or_404(Email.objects.select_related("row", "author", "subject_type"), request.user, pk=pk)
    return email
