"""Adding, editing, deleting and restoring companies and contacts. Their pages, which show deals, lie above."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.forms.companies import CompanyForm, ContactForm
from crm.models import Company, Contact
from crm.rules.companies import add_company, add_contact, delete_record, edit_record, restore_record
from crm.rules.errors import RecordConflict
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403, visible_or_404, writer_or_403
from crm.views.conflicts import conflict_with
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
def company_create(request: PersonRequest) -> HttpResponse:
    """Add a company."""
    person = writer_or_403(request.user)
    form = CompanyForm(posted(request), by=person)
    if request.method == "POST" and form.is_valid():
        return redirect(add_company(fields=form.said(), by=person))
    context = {"title": _("New company"), "action": reverse("company_create"), "submit": _("Add company")}
    return render_dialog(request, form, context)


@form_methods
def contact_create(request: PersonRequest) -> HttpResponse:
    """Add a contact, of the company that the address may name."""
    person = writer_or_403(request.user)
    form = ContactForm(posted(request), by=person, initial=_named_company(request))
    if request.method == "POST" and form.is_valid():
        return redirect(add_contact(fields=form.said(), by=person))
    context = {"title": _("New contact"), "action": request.get_full_path(), "submit": _("Add contact")}
    return render_dialog(request, form, context)


@form_methods
def company_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Edit a company's facts."""
    return _edit(request, CompanyForm, editable_or_403(Company.objects, request.user, pk=pk), _("Edit company"))


@form_methods
def contact_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Edit a contact's facts."""
    contact = editable_or_403(Contact.objects.select_related("company"), request.user, pk=pk)
    return _edit(request, ContactForm, contact, _("Edit contact"))


@require_POST
def company_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put a company into the bin; its deals stay."""
    return _delete(request, Company, pk, undo="company_restore")


@require_POST
def contact_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put a contact into the bin."""
    return _delete(request, Contact, pk, undo="contact_restore")


@require_POST
def company_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a company out of the bin."""
    return _restore(request, Company, pk)


@require_POST
def contact_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a contact out of the bin."""
    return _restore(request, Contact, pk)


def _named_company(request: PersonRequest) -> dict[str, Any]:
    wanted = request.GET.get("company")
    if not wanted:
        return {}
    return {"company": visible_or_404(Company.objects, request.user, pk=whole_number(wanted)).pk}


def _edit(request: PersonRequest, form_class: Any, record: Any, title: str) -> HttpResponse:
    form = form_class(posted(request), instance=record, by=request.user)
    context: dict[str, Any] = {"title": title, "action": request.path, "submit": _("Save")}
    if request.method == "POST" and form.is_valid():
        try:
            seen = form.cleaned_data["version"]
            edited = edit_record(record, fields=form.said(), by=request.user, seen_version=seen)
        except RecordConflict as refusal:
            form.seen_again(refusal.record.version)
            context["conflict"] = conflict_with(refusal.record, form)
            return render_dialog(request, form, context, template="crm/record_dialog.html", status=409)
        return close_dialog(request, to=edited, event="record-changed")
    return render_dialog(request, form, context, template="crm/record_dialog.html")


def _delete(request: PersonRequest, model: type[Model], pk: int, *, undo: str) -> HttpResponse:
    record = editable_or_403(model.objects, request.user, pk=pk)  # type: ignore[attr-defined]
    delete_record(record, by=request.user, now=timezone.now())
    text = _("“{record}” is in the bin, for 30 days.").format(record=record)
    say_undoable(request, text, undo_url=reverse(undo, args=[pk]))
    return redirect("/")


def _restore(request: PersonRequest, model: type[Model], pk: int) -> HttpResponse:
    now = timezone.now()
    record = get_object_or_404(model.objects.in_bin_of(request.user, now), pk=pk)  # type: ignore[attr-defined]
    return redirect(restore_record(record, by=request.user, now=now))
