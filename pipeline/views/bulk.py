"""Several rows of a list changed or deleted at once, and that taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from crm.models import User
from crm.views.addresses import way_back
from crm.views.authorising import writer_or_403
from crm.views.dialogs import render_dialog
from crm.views.lead_inbox import read_inbox
from crm.views.requests import PersonRequest
from pipeline.forms.bulk import (
    ChangeForm,
    ChosenForm,
    CompanyChangeForm,
    ContactChangeForm,
    DealChangeForm,
    LeadChangeForm,
)
from pipeline.rules import changing_together as rules
from pipeline.rules.changing_together import Changed, Changes, Kind
from pipeline.rules.moving_together import MOST
from pipeline.views.company_lists import companies_matching, contacts_matching
from pipeline.views.deal_list import deals_matching
from pipeline.views.taking_back import Taking, take
from pipeline.views.together import say_together


def _leads_matching(request: PersonRequest) -> Any:
    """Nothing where the address cannot be read: the page shows more then, and says so, but nobody meant all that."""
    inbox = read_inbox(request, timezone.now())
    return [] if inbox.filters.errors else inbox.leads


@dataclass(frozen=True)
class Rows:
    """The rows of a list: the rules that change them, what is asked, its page, and all that an address finds."""

    kind: Kind
    form: type[ChangeForm]
    page: str
    matching: Callable[[PersonRequest], Any]


LISTS = {
    "deals": Rows(rules.DEALS, DealChangeForm, "deal_list", deals_matching),
    "leads": Rows(rules.LEADS, LeadChangeForm, "lead_list", _leads_matching),
    "companies": Rows(rules.COMPANIES, CompanyChangeForm, "company_list", companies_matching),
    "contacts": Rows(rules.CONTACTS, ContactChangeForm, "contact_list", contacts_matching),
}


@require_POST
def bulk_edit(request: PersonRequest, name: str) -> HttpResponse:
    """Ask what is to be changed in the chosen rows (`act` edit), change it, or delete them.

    With `all` the chosen ones are those that the list's own address, here as well, finds: the first `MOST` of them.
    """
    rows, person = _rows_or_404(name), writer_or_403(request.user)
    act, back = request.POST.get("act", ""), way_back(request, "back") or reverse(rows.page)
    chosen = _chosen(request, rows)
    if chosen is None:
        return redirect(back)
    seen = rules.seen_of(rows.kind, chosen, by=person)
    lacking = len(chosen) - len(seen)
    taking = Taking(request, name, back, chosen=len(seen))
    if act == "delete":
        changes = rules.delete_together(rows.kind, seen, by=person, now=timezone.now(), keep=taking.keep)
        undo_url = taking.end(may_undo=True)
        say_together(request, changes, lacking, done=_("In the bin: %(count)d."), undo_url=undo_url)
        return redirect(back)
    form = rows.form(request.POST if act == "change" else None, by=person)
    if act != "change" or not form.is_valid():
        return _ask(request, form, chosen)
    changes = rules.change_together(
        rows.kind, seen, fields=form.said(), by=person, now=timezone.now(), keep=taking.keep
    )
    undo_url = taking.end(may_undo=_may_undo(rows, changes, person))
    say_together(request, changes, lacking, undo_url=undo_url)
    if changes.same:
        words = ngettext("%(count)d was so already.", "%(count)d were so already.", changes.same)
        messages.info(request, words % {"count": changes.same})
    return redirect(back)


@require_POST
def bulk_undo(request: PersonRequest, key: str) -> HttpResponse:
    """Take back the last change of several rows, where nobody has changed them since."""
    person, kept = writer_or_403(request.user), take(request, key)
    if kept is None:
        messages.error(request, _("This can no longer be undone."))
        return redirect(way_back(request, "back") or "/")
    changed = [Changed(**one) for one in kept["changed"]]
    changes = rules.undo_together(LISTS[kept["name"]].kind, changed, by=person, now=timezone.now())
    say_together(request, changes, changes.lacking, done=_("Taken back: %(count)d."))
    return redirect(way_back(request, "back") or kept["back"])


def _rows_or_404(name: str) -> Rows:
    if name not in LISTS:
        raise Http404
    return LISTS[name]


def _chosen(request: PersonRequest, rows: Rows) -> dict[int, int] | None:
    """Return the versions of the chosen by their ids; None where there is nothing to do, which is said."""
    if request.POST.get("all"):
        found = {row.pk: row.version for row in rows.matching(request)[:MOST]}
        if not found:
            messages.error(request, _("Nothing found"))
        return found or None
    form = ChosenForm(request.POST)
    if form.is_valid():
        chosen: dict[int, int] = form.cleaned_data["chosen"]
        return chosen
    messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return None


def _ask(request: PersonRequest, form: ChangeForm, chosen: dict[int, int]) -> HttpResponse:
    count = len(chosen)
    context = {
        "title": ngettext("Change %(count)d record", "Change %(count)d records", count) % {"count": count},
        "action": request.path,
        "submit": _("Change"),
        "chosen": [f"{pk}:{version}" for pk, version in chosen.items()],
        "back": way_back(request, "back"),
    }
    return render_dialog(request, form, context, template="pipeline/bulk.html")


def _may_undo(rows: Rows, changes: Changes, person: User) -> bool:
    """Whether all that was changed is still theirs to change: what one gave away one cannot take back."""
    pks = [one.pk for one in changes.changed]
    return bool(rows.kind.model.objects.editable_by(person).filter(pk__in=pks).count() == len(pks))
