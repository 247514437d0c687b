"""The mailboxes a person may set up, each with how its reading gets on; and their address for copies."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.forms.mailboxes import MailboxForm
from crm.models import Mailbox
from crm.rules.errors import NotAllowed, RecordConflict, RuleError
from crm.rules.mailboxes import (
    AddressRefused,
    create_mailbox,
    delete_mailbox,
    edit_mailbox,
    pause_mailbox,
    restore_mailbox,
    try_mailbox,
)
from crm.rules.receiving.whose import drop_address_of, renew_drop_address
from crm.views.authorising import visible_or_404, writer_or_403
from crm.views.conflicts import conflict_with
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable


@require_safe
def mailbox_list(request: PersonRequest) -> HttpResponse:
    """The person's mailboxes, those of whom they lead, and their address for copies."""
    person = writer_or_403(request.user)
    takes_copies = Mailbox.objects.to_read().filter(takes_copies=True).exists()
    context = {
        "mailboxes": Mailbox.objects.visible_to(person).select_related("owner", "team"),
        "drop_address": drop_address_of(person),
        "takes_copies": takes_copies,
        "now": timezone.now(),
    }
    return render(request, "crm/mailbox_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_create(request: PersonRequest) -> HttpResponse:
    """Add a mailbox, and try it at once."""
    person = writer_or_403(request.user)
    initial = {"address": person.email, "username": person.email, "name": person.email}
    form = MailboxForm(posted(request), by=person, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            mailbox = create_mailbox(fields=form.said(), password=form.cleaned_data["password"], by=person)
        except AddressRefused as refusal:
            form.add_error("address", refusal.message)
        except NotAllowed as refusal:
            form.add_error(None, refusal.message)
        else:
            return _tried(request, mailbox)
    return _show(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """How a mailbox is read; whoever comes second is told what differs (409)."""
    mailbox = visible_or_404(Mailbox.objects, request.user, pk=pk)
    form = MailboxForm(posted(request), by=request.user, instance=Mailbox.objects.get(pk=pk))
    if request.method != "POST" or not form.is_valid():
        return _show(request, form, mailbox)
    said = {"fields": form.said(), "password": form.cleaned_data["password"], "by": request.user}
    try:
        fresh = edit_mailbox(mailbox, seen_version=form.cleaned_data["version"] or mailbox.version, **said)
    except RecordConflict as conflict:
        data: Any = form.data
        form.data = fresh_data = data.copy()
        fresh_data["version"] = str(conflict.record.version)
        return _show(request, form, conflict.record, status=409, conflict=conflict_with(conflict.record, form))
    except NotAllowed as refusal:
        form.add_error("address" if isinstance(refusal, AddressRefused) else "password", refusal.message)
        return _show(request, form, mailbox)
    return _tried(request, fresh)


@require_POST
def mailbox_try(request: PersonRequest, pk: int) -> HttpResponse:
    """Connect as the reader would, and say what comes of it."""
    return _tried(request, visible_or_404(Mailbox.objects, request.user, pk=pk))


@require_POST
def mailbox_pause(request: PersonRequest, pk: int) -> HttpResponse:
    """Stop reading a mailbox, or go on: whichever it is not doing."""
    mailbox = visible_or_404(Mailbox.objects, request.user, pk=pk)
    pause_mailbox(mailbox, is_paused=request.POST.get("pause") == "1", by=request.user)
    return redirect("mailbox_list")


@require_POST
def mailbox_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Read a mailbox no more."""
    mailbox = visible_or_404(Mailbox.objects, request.user, pk=pk)
    delete_mailbox(mailbox, by=request.user, now=timezone.now())
    text = _("“%(name)s” is read no more; what it brought stays.") % {"name": mailbox}
    say_undoable(request, text, undo_url=reverse("mailbox_restore", args=[pk]))
    return redirect("mailbox_list")


@require_POST
def mailbox_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a mailbox out of the bin; it rests until its password is entered again."""
    now = timezone.now()
    mailbox = get_object_or_404(Mailbox.objects.in_bin_of(request.user, now), pk=pk)
    restore_mailbox(mailbox, by=request.user, now=now)
    messages.success(request, _("It is back, and rests until you enter its password and let it go on."))
    return redirect("mailbox_edit", pk=pk)


@require_POST
def drop_address_renew(request: PersonRequest) -> HttpResponse:
    """Give the person an address for copies, or another in place of one that has got about."""
    renew_drop_address(writer_or_403(request.user), now=timezone.now())
    messages.success(request, _("Your address for copies is a new one."))
    return redirect("mailbox_list")


def _tried(request: PersonRequest, mailbox: Mailbox) -> HttpResponse:
    try:
        tried = try_mailbox(mailbox)
    except RuleError as trouble:
        messages.error(request, trouble.message)
        return redirect("mailbox_edit", pk=mailbox.pk)
    count = sum(tried.waiting.values())
    text = ngettext("It works: %(count)d message to read.", "It works: %(count)d messages to read.", count)
    messages.success(request, text % {"count": count})
    return redirect("mailbox_list")


def _show(
    request: PersonRequest, form: MailboxForm, mailbox: Mailbox | None, *, status: int = 0, **more: Any
) -> HttpResponse:
    if mailbox is not None and mailbox.deleted_at is not None:
        raise Http404
    context = {"form": form, "mailbox": mailbox, **more}
    return render(request, "crm/mailbox_edit.html", context, status=status or (422 if form.errors else 200))
