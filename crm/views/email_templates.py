"""Templates of e-mails: the list, the editor in both languages, and the preview with a real record."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.forms.email_templates import EmailTemplateForm
from crm.forms.rich_text import merge_places
from crm.models import EmailTemplate, User, subject_models
from crm.rules import email_templates as rules
from crm.rules import mail_html
from crm.rules.attached_files import TooLarge
from crm.rules.emails import Letter, preview_email
from crm.rules.errors import NotAllowed, RecordConflict, RuleError
from crm.rules.recipients import people_to_write_to
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403, visible_or_404, writer_or_403
from crm.views.conflicts import conflict_with
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

MOST = 500
FOUND = 8
"""So many records are offered to try a template on."""


@require_safe
def email_template_list(request: PersonRequest) -> HttpResponse:
    """One's own templates and those that everybody shares."""
    return _list(request)


@require_http_methods(["GET", "HEAD", "POST"])
def email_template_create(request: PersonRequest) -> HttpResponse:
    """Write a new template."""
    writer_or_403(request.user)
    return _edit(request, EmailTemplate(owner=request.user, version=0))


@require_http_methods(["GET", "HEAD", "POST"])
def email_template_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Change a template; what somebody else wrote since is said, and what was typed is kept."""
    return _edit(request, editable_or_403(EmailTemplate.objects, request.user, pk=pk))


@require_POST
def email_template_preview(request: PersonRequest) -> HttpResponse:
    """Show what stands in the editor as a person of the chosen record would get it; missing values are named."""
    writer_or_403(request.user)
    part = "crm/_email_template_preview.html" if request.htmx else "crm/email_template_preview.html"
    return render(request, part, _previewed(request))


@require_POST
def email_template_duplicate(request: PersonRequest, pk: int) -> HttpResponse:
    """Copy a template into one of one's own, and go on to change it."""
    writer_or_403(request.user)
    template = visible_or_404(EmailTemplate.objects, request.user, pk=pk)
    copy = rules.duplicate_template(template, by=request.user)
    messages.success(request, _("“%(template)s” is yours to change.") % {"template": copy})
    return redirect("email_template_edit", pk=copy.pk)


@require_POST
def email_template_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put a template into the bin, with a way back."""
    template = editable_or_403(EmailTemplate.objects, request.user, pk=pk)
    seen = whole_number(request.POST.get("version")) or 0
    try:
        rules.delete_template(template, seen_version=seen, by=request.user, now=timezone.now())
    except RecordConflict as refusal:
        return _list(request, refusal=refusal, status=409)
    undo_url = reverse("email_template_restore", args=[pk])
    say_undoable(request, _("“%(template)s” is in the bin, for 30 days.") % {"template": template}, undo_url=undo_url)
    return redirect("email_template_list")


@require_POST
def email_template_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a template out of the bin."""
    now = timezone.now()
    template = EmailTemplate.objects.in_bin_of(request.user, now).filter(pk=pk).first()
    if template is None:
        raise Http404
    restored = rules.restore_template(template, by=request.user, now=now)
    messages.success(request, _("“%(template)s” is back.") % {"template": restored})
    return redirect("email_template_list")


def _list(request: PersonRequest, *, refusal: RuleError | None = None, status: int = 200) -> HttpResponse:
    user: User = request.user
    rows = EmailTemplate.objects.visible_to(user).select_related("owner").defer("body", "body_ru")[:MOST]
    changeable = set(EmailTemplate.objects.editable_by(user).values_list("pk", flat=True))
    listed = [(template, template.pk in changeable) for template in rows]
    return render(request, "crm/email_template_list.html", {"listed": listed, "refusal": refusal}, status=status)


def _edit(request: PersonRequest, template: EmailTemplate) -> HttpResponse:
    form = EmailTemplateForm(posted(request), request.FILES or None, instance=template)
    form.initial["version"] = template.version
    status, conflict = 200, None
    if request.method == "POST" and form.is_valid():
        try:
            saved = _save(form, template, request.user)
        except NotAllowed:
            raise
        except RecordConflict as refusal:
            form.seen_again(refusal.record.version)
            form.add_error(None, refusal.message)
            conflict, status = conflict_with(refusal.record, form), 409
        except RuleError as refusal:
            form.add_error("files" if isinstance(refusal, TooLarge) else "body", refusal.message)
        else:
            messages.success(request, _("“%(template)s” is saved.") % {"template": saved})
            return redirect("email_template_edit", pk=saved.pk)
    if form.errors and status == 200:
        status = 422
    context = {
        "form": form,
        "template": EmailTemplate.objects.filter(pk=template.pk).first() or template,
        "conflict": conflict,
        "places": merge_places(),
        "action": reverse("email_template_edit", args=[template.pk])
        if template.pk
        else reverse("email_template_create"),
        "plain": {name: mail_html.plain(form[name].value() or "") for name in rules.BODIES},
        "records": _records(request, ""),
    }
    return render(request, "crm/email_template_edit.html", context, status=status)


def _save(form: EmailTemplateForm, template: EmailTemplate, by: User) -> EmailTemplate:
    files, fields = form.cleaned_data["files"], form.said()
    if not template.pk:
        return rules.create_template(fields=fields, by=by, files=files)
    kept = EmailTemplate.objects.get(pk=template.pk)
    seen, without = form.cleaned_data["version"], form.cleaned_data["without"]
    return rules.edit_template(kept, fields=fields, seen_version=seen, by=by, files=files, without=without)


def _previewed(request: PersonRequest) -> dict[str, Any]:
    """The preview in the chosen language, with the chosen record; or what to choose from."""
    post, user = request.POST, request.user
    language = "ru" if post.get("preview_language") == "ru" else "en"
    draft = EmailTemplate(**{name: post.get(name, "") for name in ("subject", "subject_ru", "body", "body_ru")})
    subject_line, body = draft.texts(language)
    wanted = post.get("record", "")
    context: dict[str, Any] = {
        "records": _records(request, post.get("find", "")),
        "record": wanted,
        "language": language,
    }
    about = _record(request, wanted)
    person = next(iter(people_to_write_to(about, by=user)), None) if about is not None else None
    if about is None or person is None:
        return context | {"nobody": about is not None}
    try:
        preview = preview_email(Letter(subject_line, body, language=language), about=about, to=person, by=user)
    except RuleError as refusal:
        return context | {"refusal": refusal.message, "about": about}
    return context | {"preview": preview, "framed": mail_html.framed(preview.html), "about": about, "person": person}


def _records(request: PersonRequest, text: str) -> list[tuple[str, str]]:
    """Leads, contacts and deals that the person sees, found by a text or the first there are."""
    found: list[tuple[str, str]] = []
    for kind, model in subject_models().items():
        if kind == "company":
            continue
        rows: Any = model._default_manager.all()
        rows = rows.visible_to(request.user)
        rows = rows.matching(text) if text and hasattr(rows, "matching") else rows
        name = model._meta.verbose_name
        found += [(f"{kind}-{row.pk}", f"{row} · {name}") for row in rows.order_by("-pk")[:FOUND]]
    return found


def _record(request: PersonRequest, wanted: str) -> Any:
    kind, _dash, pk = wanted.partition("-")
    model = subject_models().get(kind)
    if model is None or whole_number(pk) is None:
        return None
    rows: Any = model._default_manager.all()
    return rows.visible_to(request.user).filter(pk=int(pk)).first()
