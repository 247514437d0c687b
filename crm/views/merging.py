"""Merging records of a kind in a dialog, and taking a merge apart again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from crm.forms.merging import MergeForm, MergeWithForm
from crm.models import Merge
from crm.rules.duplicates import MODELS, suspects
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.forwarding import survivor_seen_by
from crm.rules.merging import MOST_AT_ONCE, CannotUndo, MergeConflict, merge_records, undo_merge
from crm.rules.suspecting import facts_of
from crm.views.addresses import asking, way_back, whole_numbers
from crm.views.authorising import editable_or_403, visible_or_404, writer_or_403
from crm.views.dialogs import render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

form_methods = require_http_methods(["GET", "HEAD", "POST"])
OFFERED = 5


@form_methods
def records_merge(request: PersonRequest, subject_kind: str, ids: str) -> HttpResponse:
    """Show the records that the address names side by side, and make one of them: each field as chosen."""
    kind, records = subject_kind, _named(request, subject_kind, ids)
    if len(records) < 2:
        return _refused(request, _("There is nothing left to merge: this is one record already."), status=409)
    form = MergeForm(posted(request), records=records)
    status = None
    if request.method == "POST" and form.is_valid():
        try:
            merge = merge_records(
                kind=kind, seen=form.seen(), chosen=form.chosen(), by=request.user, now=timezone.now()
            )
        except MergeConflict as refusal:
            form = MergeForm(records=_named(request, kind, ids))
            messages.warning(request, refusal.message)
            status = 409
            if len(form.records) < 2:
                return _refused(request, refusal.message, status=status)
        except NotAllowed:
            raise
        except RuleError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _merged(request, merge, len(records))
    return render_dialog(request, form, _context(request, kind, form), template="crm/record_merge.html", status=status)


@form_methods
def record_merge_with(request: PersonRequest, subject_kind: str, pk: int) -> HttpResponse:
    """Ask which other record is the same as this one: those suspected, or one that is searched for."""
    kind = subject_kind
    record = editable_or_403(_model_or_404(kind).objects, request.user, pk=pk)
    form = MergeWithForm(posted(request), kind=kind, record=record, user=request.user)
    if request.method == "POST" and form.is_valid():
        return redirect(merge_url(kind, [pk, form.cleaned_data["id"].pk]))
    said = facts_of(record)
    found = suspects(kind, **vars(said), seen_by=request.user, exclude=[pk])[:OFFERED]
    context = {
        "title": _("Merge “%(record)s” with…") % {"record": record},
        "action": reverse("record_merge_with", args=[kind, pk]),
        "submit": _("Compare"),
        "offers": [(suspect, merge_url(kind, [pk, suspect.record.pk])) for suspect in found],
    }
    return render_dialog(request, form, context, template="crm/record_merge_with.html")


@require_POST
def merge_undo(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a merge apart: rows go back, and fields that nobody has changed since."""
    merge = Merge.objects.filter(pk=pk).first()
    if merge is None:
        raise Http404
    survivor = visible_or_404(MODELS[merge.kind].objects, request.user, pk=merge.survivor_id)
    writer_or_403(request.user)
    try:
        undone = undo_merge(merge, by=request.user, now=timezone.now())
    except CannotUndo as refusal:
        return _refused(request, refusal.message, status=409)
    names = ", ".join(f"“{record}”" for record in (undone.survivor, *undone.back))
    messages.success(request, _("Separate again: %(names)s.") % {"names": names})
    if undone.kept_fields:
        kept = ", ".join(undone.kept_fields)
        messages.warning(request, _("Changed since, and left as it is: %(fields)s.") % {"fields": kept})
    if undone.astray:
        text = ngettext(
            "%(count)d entry has been deleted or moved since, and stays so.",
            "%(count)d entries have been deleted or moved since, and stay so.",
            undone.astray,
        )
        messages.warning(request, text % {"count": undone.astray})
    return redirect(way_back(request, "back") or survivor.get_absolute_url())


def merge_url(kind: str, ids: Sequence[int]) -> str:
    """The address of the dialog that merges these records."""
    return reverse("records_merge", args=[kind, "-".join(map(str, ids))])


def _model_or_404(kind: str) -> Any:
    if kind not in MODELS:
        raise Http404
    return MODELS[kind]


def _named(request: PersonRequest, kind: str, ids: str) -> list[Any]:
    """The records that the address names, or what they were merged into; all must be there and for one to change."""
    model = _model_or_404(kind)
    pks = whole_numbers(ids, most=MOST_AT_ONCE)
    related = ("owner", "company") if kind == "contact" else ("owner",)
    seen = {row.pk: row for row in model.objects.visible_to(request.user).select_related(*related).filter(pk__in=pks)}
    for pk in set(pks) - set(seen):
        survivor = survivor_seen_by(request.user, model, pk)
        if survivor is None:
            raise Http404
        seen[survivor.pk] = survivor
    if model.objects.editable_by(request.user).filter(pk__in=seen).count() != len(seen):
        raise PermissionDenied(_("You may merge only what you may change."))
    return [seen[pk] for pk in sorted(seen)]


def _context(request: PersonRequest, kind: str, form: MergeForm) -> dict[str, Any]:
    ids = [record.pk for record in form.records]
    leave_out = [merge_url(kind, [pk for pk in ids if pk != record.pk]) for record in form.records]
    return {
        "kind": kind,
        "title": ngettext("Merge %(count)d record", "Merge %(count)d records", len(ids)) % {"count": len(ids)},
        "action": merge_url(kind, ids),
        "submit": _("Merge"),
        "columns": list(zip(form.records, leave_out if len(ids) > 2 else [""] * len(ids), strict=True)),
        "back": way_back(request, "back"),
        "now": timezone.now(),
    }


def _merged(request: PersonRequest, merge: Merge, count: int) -> HttpResponse:
    survivor = MODELS[merge.kind].objects.get(pk=merge.survivor_id)
    text = ngettext("%(count)d record is now “%(name)s”.", "%(count)d records are now “%(name)s”.", count)
    back = way_back(request, "back")
    undo_url = asking(reverse("merge_undo", args=[merge.pk]), back=back)
    say_undoable(request, text % {"count": count, "name": survivor}, undo_url=undo_url)
    return redirect(back or survivor.get_absolute_url())


def _refused(request: PersonRequest, message: str, *, status: int) -> HttpResponse:
    template = "crm/merge_refusal.html"
    page = template if request.htmx else "components/dialog_page.html"
    context = {"message": message, "title": _("Merge"), "dialog_template": template}
    return render(request, page, context, status=status)
