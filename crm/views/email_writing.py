"""Writing an e-mail from the page of a lead, contact, company or deal: filled from a template, previewed, sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from crm.forms.emails import AT, MORNING, EmailForm, Person, name_of, tomorrow_at_ten
from crm.forms.rich_text import merge_places
from crm.jobs import deliver
from crm.models import Email, EmailAttachment, EmailTemplate, User, kind_of
from crm.rules import mail_html
from crm.rules.attached_files import TooLarge
from crm.rules.emails import (
    Letter,
    NoAddress,
    NotToThem,
    Preview,
    Suppressed,
    answering_line,
    preview_email,
    write_emails,
)
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.held_files import as_file, held_files, hold_files, let_go
from crm.rules.recipients import SILENT_AFTER, language_of, letters_unanswered, people_to_write_to
from crm.rules.working_time import NobodyWorks
from crm.views.addresses import whole_number
from crm.views.authorising import editable_subject_or_403
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest
from crm.views.undoable import say_undoable

FIELD_OF = {TooLarge: "files", Suppressed: "to", NoAddress: "to", NobodyWorks: "when"}
"""Beside which field a refusal stands; the others concern the text."""


@dataclass
class Desk:
    """What lies on the desk while an e-mail is written."""

    request: PersonRequest
    about: Any
    people: list[Person]
    now: dt.datetime
    answered: Email | None = None
    held: list[EmailAttachment] = field(default_factory=list)
    preview: Preview | None = None


@require_http_methods(["GET", "HEAD", "POST"])
def email_create(request: PersonRequest, subject_kind: str, subject_pk: int) -> HttpResponse:
    """Write an e-mail; fill it from a template (`do=fill`), see it as it will be (`do=preview`), or queue it."""
    about = editable_subject_or_403(subject_kind, subject_pk, request.user)
    people = people_to_write_to(about, by=request.user)
    desk = Desk(request, about, people, timezone.now(), answered=_answered(request, about))
    if request.method != "POST":
        return _show(desk, _form(desk, initial=_beginning(desk)))
    desk.held = held_files(_held_ids(request), by=request.user)
    act = request.POST.get("do", "send")
    if act == "fill":
        return _show(desk, _form(desk, initial=_filled(desk)))
    form = _form(desk, request.POST, request.FILES)
    if form.is_valid() and act == "preview":
        _preview(desk, form)
    elif form.is_valid() and (answer := _send(desk, form)):
        return answer
    _hold(desk, form)
    return _show(desk, form)


def _send(desk: Desk, form: EmailForm) -> HttpResponse | None:
    """Queue the e-mails and close the dialog; None where something is wrong, which the form then says."""
    said, by = form.cleaned_data, desk.request.user
    try:
        emails = write_emails(
            _letter(desk, form), about=desk.about, to=form.chosen(), by=by, now=desk.now, key=said["key"]
        )
    except NotAllowed:
        raise
    except RuleError as refusal:
        _say(form, refusal)
        return None
    let_go(desk.held)
    if said["when"] not in {AT, MORNING}:
        deliver.delay_on_commit()  # type: ignore[attr-defined]  # Job's, see config/celery.py
    _tell(desk.request, emails)
    return close_dialog(desk.request, to=desk.about)


def _tell(request: PersonRequest, emails: list[Email]) -> None:
    """Say what will happen; a single one can be taken back from the notice."""
    if len(emails) == 1:
        text = _("The e-mail to %(name)s is on its way.") % {"name": emails[0].to_name}
        say_undoable(request, text, undo_url=reverse("email_cancel", args=[emails[0].pk]))
        return
    text = ngettext("%(count)s e-mail is on its way.", "%(count)s e-mails are on their way.", len(emails))
    messages.success(request, text % {"count": len(emails)})


def _preview(desk: Desk, form: EmailForm) -> None:
    """Show the e-mail as the first of its recipients will get it; a missing value is named."""
    try:
        desk.preview = preview_email(_letter(desk, form), about=desk.about, to=form.chosen()[0], by=desk.request.user)
    except RuleError as refusal:
        _say(form, refusal)


def _letter(desk: Desk, form: EmailForm) -> Letter:
    said = form.cleaned_data
    return Letter(
        said["subject_line"],
        said["body"],
        template=said["template"],
        files=[*(as_file(held) for held in desk.held), *said["files"]],
        answers=desk.answered,
        can_unsubscribe=said["can_unsubscribe"],
        send_at=said["send_at"] if said["when"] == AT else None,
        in_morning=said["when"] == MORNING,
        language=said["language"],
    )


def _say(form: EmailForm, refusal: RuleError) -> None:
    """Put a refusal beside what it is about."""
    reason = refusal.refusal if isinstance(refusal, NotToThem) else refusal
    is_about_one = len(form.cleaned_data.get("to", ())) == 1
    named: str | None = FIELD_OF.get(type(reason))
    if named is None and hasattr(reason, "keys"):
        in_subject = any(key in form.cleaned_data["subject_line"] for key in reason.keys)
        named = "subject_line" if in_subject else "body"
    form.add_error(
        named or "body", ValidationError(reason.message if is_about_one else refusal.message, code=reason.code)
    )


def _hold(desk: Desk, form: EmailForm) -> None:
    """Keep the files that came along: a browser forgets them when a form comes back."""
    new = getattr(form, "cleaned_data", {}).get("files")
    if not new:
        return
    try:
        desk.held += hold_files(new, by=desk.request.user, beside=desk.held)
    except TooLarge as refusal:
        form.add_error("files", refusal.message)


def _form(desk: Desk, *args: Any, **options: Any) -> EmailForm:
    return EmailForm(*args, people=desk.people, by=desk.request.user, now=desk.now, **options)


def _show(desk: Desk, form: EmailForm) -> HttpResponse:
    chosen, user = _chosen(form), desk.request.user
    context = {
        "title": _("Answer") if desk.answered else _("New e-mail"),
        "action": reverse("email_create", args=[kind_of(desk.about), desk.about.pk]),
        "submit": _("Send"),
        "about": desk.about,
        "held": desk.held,
        "preview": desk.preview,
        "framed": mail_html.framed(desk.preview.html) if desk.preview else "",
        "places": merge_places(),
        "silent": [person for person in chosen if letters_unanswered(person.email, seen_by=user) >= SILENT_AFTER],
        "template_files": _template_files(form, by=desk.request.user),
        "nobody": [person for person in desk.people if not person.email] if not form.people else [],
        "chosen_names": [person.name for person in chosen][:1],
    }
    return render_dialog(desk.request, form, context, template="crm/email_dialog.html")


def _chosen(form: EmailForm) -> list[Person]:
    values = form["to"].value() or []
    return [person for key, person in form.people.items() if key in values]


def _template_files(form: EmailForm, *, by: User) -> list[str]:
    """The names of the files that go along with the chosen template, of those `by` may choose."""
    templates = EmailTemplate.objects.visible_to(by).filter(pk=whole_number(str(form["template"].value() or "")))
    return list(EmailAttachment.objects.filter(template__in=templates).values_list("name", flat=True))


# --- What stands in it at first, and what a template makes of it ------------------------------------------------------


def _beginning(desk: Desk) -> dict[str, Any]:
    person = _first(desk, desk.request.GET.getlist("to"))
    body = _signed("", desk)
    return {
        "to": [name_of(person)] if person else [],
        "language": language_of(person) if person else "en",
        "subject_line": answering_line(desk.answered) if desk.answered else "",
        "body": body,
        "when": "now",
        "send_at": tomorrow_at_ten(desk.now),
        "answers": desk.answered.pk if desk.answered else None,
        "filled": _mark(body),
    }


def _filled(desk: Desk) -> dict[str, Any]:
    """What was typed, with subject and text of the chosen template; words of one's own stay, below its text."""
    post = desk.request.POST
    typed: dict[str, Any] = {name: post.get(name, "") for name in EmailForm.base_fields if name != "files"}
    typed["to"] = post.getlist("to")
    typed["can_unsubscribe"] = "can_unsubscribe" in post
    rows = EmailTemplate.objects.visible_to(desk.request.user)
    template = rows.filter(pk=whole_number(post.get("template", ""))).first()
    if template is None:
        return typed
    subject_line, text = template.texts(post.get("language"))
    is_untouched = _mark(typed["body"]) == typed["filled"]
    body = _signed(text, desk)
    own_subject = typed["subject_line"] if desk.answered else ""
    return typed | {
        "subject_line": own_subject or subject_line,
        "body": body if is_untouched else f"{text}{typed['body']}",
        "filled": _mark(body) if is_untouched else "",
    }


def _signed(text: str, desk: Desk) -> str:
    signature = desk.request.user.signature
    return f"{text}<p><br></p>{signature}" if signature else text


def _mark(html: str) -> str:
    """A short sign of a text's words: whether they are still those that the form put there."""
    return sha256(" ".join(mail_html.plain(html).split()).encode()).hexdigest()[:32]


def _first(desk: Desk, wanted: Sequence[str]) -> Person | None:
    reachable = [person for person in desk.people if person.email]
    if desk.answered is not None:
        address = desk.answered.from_address.lower()
        wanted = [name_of(person) for person in reachable if person.email.lower() == address]
    named = [person for person in reachable if name_of(person) in wanted]
    return next(iter(named or reachable), None)


def _answered(request: PersonRequest, about: Any) -> Email | None:
    """The e-mail that this one answers, if it is one about this record."""
    pk = whole_number(request.POST.get("answers") or request.GET.get("answers"))
    if pk is None:
        return None
    found = Email.objects.visible_to(request.user).filter(pk=pk).first()
    return found if found is not None and found.subject == about else None


def _held_ids(request: PersonRequest) -> list[int]:
    return [pk for text in request.POST.getlist("held") if (pk := whole_number(text)) is not None]
