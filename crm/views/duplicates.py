"""The list of suspected duplicates, and what a person decides there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from crm.forms.duplicates import TELLING, company_said, look_alikes, render_notice
from crm.models import DuplicateSuspicion, User
from crm.rules.suspecting import call_different, call_open
from crm.views.addresses import page_of, whole_number, whole_numbers
from crm.views.authorising import writer_or_403
from crm.views.duplicate_groups import read_groups
from crm.views.requests import PersonRequest
from crm.views.undoable import say_undoable

ON_PAGE = 20
LONGEST = 254
MOST_PAIRS = 45
"""Every two of ten records."""
KINDS = {"lead": gettext_lazy("Leads"), "contact": gettext_lazy("Contacts"), "company": gettext_lazy("Companies")}


@dataclass(frozen=True)
class Tab:
    """One kind of records, with how many pairs of it wait for a decision."""

    kind: str
    label: str
    count: int


@require_safe
def duplicate_list(request: PersonRequest) -> HttpResponse:
    """Show the suspected duplicates of one kind, the surest first."""
    counts = _counts(request.user)
    kind = request.GET.get("kind") or next((kind for kind in KINDS if counts.get(kind)), "lead")
    if kind not in KINDS:
        raise Http404
    page = page_of(read_groups(kind, request.user), request, size=ON_PAGE)
    tabs = [Tab(key, str(label), counts.get(key, 0)) for key, label in KINDS.items()]
    context = {"tabs": tabs, "kind": kind, "page": page, "now": timezone.now()}
    return render(request, "crm/duplicate_list.html", context)


@require_safe
def duplicate_notice(request: PersonRequest, subject_kind: str) -> HttpResponse:
    """Say, beside a form that is being filled in, who may be there already; only of what the person may see."""
    if subject_kind not in KINDS:
        raise Http404
    person = writer_or_403(request.user)
    said = {name: request.GET.get(name, "")[:LONGEST] for name in TELLING}
    said["company"] = company_said(said["company"], person)
    own_id = whole_number(request.GET.get("own"))
    return HttpResponse(render_notice(look_alikes(subject_kind, said, user=person, own_id=own_id)))


@require_POST
def duplicates_different(request: PersonRequest, ids: str) -> HttpResponse:
    """Remember that the posted pairs are not the same."""
    pairs = _decidable(request, ids)
    count = call_different(pairs, by=request.user, now=timezone.now())
    text = ngettext("Remembered: not the same.", "Remembered: %(count)d pairs are not the same.", count)
    say_undoable(request, text % {"count": count}, undo_url=reverse("duplicates_reopen", args=[ids]))
    return _back_to_list(pairs)


@require_POST
def duplicates_reopen(request: PersonRequest, ids: str) -> HttpResponse:
    """Suspect pairs again that were called different: what the undo button does."""
    pairs = _decidable(request, ids)
    call_open(pairs, by=request.user)
    messages.success(request, _("Suspected again."))
    return _back_to_list(pairs)


def _decidable(request: PersonRequest, ids: str) -> list[DuplicateSuspicion]:
    """The pairs named, all of which the person sees (else Http404) and may decide (else PermissionDenied)."""
    pks = whole_numbers(ids, most=MOST_PAIRS)
    pairs = list(DuplicateSuspicion.objects.visible_to(request.user).filter(pk__in=pks))
    if len(pairs) != len(pks):
        raise Http404
    if DuplicateSuspicion.objects.editable_by(request.user).filter(pk__in=pks).count() != len(pks):
        raise PermissionDenied(_("You may look at this, but not change it."))
    return pairs


def _back_to_list(pairs: list[DuplicateSuspicion]) -> HttpResponse:
    return redirect(f"{reverse('duplicate_list')}?kind={pairs[0].kind}")


def _counts(user: User) -> dict[str, int]:
    rows: Any = DuplicateSuspicion.objects.open().visible_to(user).order_by()
    return dict(rows.values_list("kind").annotate(count=Count("pk")))
