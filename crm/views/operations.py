"""The queue as an operator sees it: what waits, what is late, what became of each row; admins only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from crm import jobs
from crm.models import OutboxRow
from crm.rules import operations as rules
from crm.rules import outbox
from crm.rules.sweeping import sweeper_is_silent
from crm.views.addresses import page_of
from crm.views.requests import PersonRequest

PAGE = 50
View = Callable[..., HttpResponse]


def _admins_only(view: View) -> View:
    @wraps(view)
    def guarded(request: PersonRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_admin:
            raise PermissionDenied(_("Only an admin sees the queue."))
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@_admins_only
def operations(request: PersonRequest) -> HttpResponse:
    """The queue's pulse and each kind of rows; asks for itself again every ten seconds."""
    now = timezone.now()
    context = {"lanes": rules.lanes(now), "pulse": rules.pulse(now), "is_silent": sweeper_is_silent(now), "now": now}
    page = "crm/operations.html#queue" if request.htmx else "crm/operations.html"
    return render(request, page, context)


@require_safe
@_admins_only
def outbox_list(request: PersonRequest) -> HttpResponse:
    """The ledger: due, claimed, sent, to whom, by which attempt, with what answer."""
    state, kind, text = (request.GET.get(name, "").strip() for name in ("state", "kind", "q"))
    state = state if state in OutboxRow.State.values else ""
    rows = rules.rows_of(kinds=[kind] if kind else (), state=state, text=text)
    kinds = [(known, outbox.label_of(known)) for known in sorted(outbox.known_kinds())]
    context = {
        "page": page_of(rows, request, size=PAGE),
        "states": OutboxRow.State.choices,
        "kinds": kinds,
        "chosen": {"state": state, "kind": kind, "q": text},
        "now": timezone.now(),
    }
    return render(request, "crm/outbox_list.html", context)


@require_safe
@_admins_only
def outbox_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """One row with each of its attempts."""
    row = get_object_or_404(rules.rows_of().select_related("recipient", "merged_into"), pk=pk)
    context = {"row": row, "label": outbox.label_of(row.kind), "tries": row.tries.all(), "now": timezone.now()}
    return render(request, "crm/outbox_detail.html", context)


@require_POST
@_admins_only
def outbox_pause(request: PersonRequest, kind: str) -> HttpResponse:
    """Let nobody claim this kind."""
    rules.pause_kind(kind, by=request.user, now=timezone.now())
    messages.success(request, _("“%(kind)s” is paused. What is in flight is finished.") % _named(kind))
    return redirect("operations")


@require_POST
@_admins_only
def outbox_resume(request: PersonRequest, kind: str) -> HttpResponse:
    """Let this kind be claimed again."""
    rules.resume_kind(kind, by=request.user)
    _wake()
    messages.success(request, _("“%(kind)s” goes on.") % _named(kind))
    return redirect("operations")


@require_POST
@_admins_only
def outbox_retry(request: PersonRequest, kind: str) -> HttpResponse:
    """Send what was given up of this kind again."""
    count = rules.retry_rows(OutboxRow.objects.filter(kind=kind), by=request.user)
    _wake()
    said = ngettext("%(count)d row will be sent again.", "%(count)d rows will be sent again.", count)
    messages.success(request, said % {"count": count})
    return redirect("operations")


@require_POST
@_admins_only
def outbox_row_retry(request: PersonRequest, pk: int) -> HttpResponse:
    """Send one row again that was given up."""
    row = get_object_or_404(OutboxRow, pk=pk)
    rules.retry_rows(OutboxRow.objects.filter(pk=row.pk), by=request.user)
    _wake()
    return redirect("outbox_detail", pk=row.pk)


@require_POST
@_admins_only
def outbox_row_cancel(request: PersonRequest, pk: int) -> HttpResponse:
    """Withdraw one row that waits."""
    row = get_object_or_404(OutboxRow, pk=pk)
    if not rules.cancel_rows(OutboxRow.objects.filter(pk=row.pk), by=request.user):
        messages.error(request, _("It no longer waits."))
    return redirect("outbox_detail", pk=row.pk)


@require_POST
@_admins_only
def outbox_row_settle(request: PersonRequest, pk: int) -> HttpResponse:
    """Say whether an unclear row had left."""
    row = get_object_or_404(OutboxRow, pk=pk)
    try:
        rules.settle_unclear(row, was_sent=request.POST.get("was_sent") == "yes", by=request.user)
    except rules.NotUnclear as refusal:
        messages.error(request, refusal.message)
    else:
        _wake()
    return redirect("outbox_detail", pk=row.pk)


def _named(kind: str) -> dict[str, str]:
    return {"kind": outbox.label_of(kind)}


def _wake() -> None:
    jobs.deliver.delay_on_commit()  # type: ignore[attr-defined]  # Job's, see config/celery.py
