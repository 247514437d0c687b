"""The bin: what one deleted, or could have, within 30 days, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.models import Activity, Company, Contact, Segment
from crm.models.access import KEPT_IN_BIN
from crm.views.authorising import writer_or_403
from crm.views.requests import PersonRequest
from pipeline.models import Contract, Deal

SHOWN = 100


@dataclass(frozen=True)
class Binned:
    """A deleted row: what it is, until when it is kept, and where a POST takes it back."""

    kind: str
    icon: str
    row: Any
    beside: str
    restore_url: str

    @property
    def kept_until(self) -> Any:
        """When it can no longer be taken back."""
        return self.row.deleted_at + KEPT_IN_BIN


@require_safe
def bin_list(request: PersonRequest) -> HttpResponse:
    """Show what can be taken back, the latest deletion first."""
    person, now = writer_or_403(request.user), timezone.now()
    kinds = (
        (_("Deal"), "briefcase", Deal.objects.select_related("company"), "deal_restore"),
        (_("Company"), "building", Company.objects, "company_restore"),
        (_("Contact"), "user", Contact.objects.select_related("company"), "contact_restore"),
        (_("Contract"), "file-certificate", Contract.objects.select_related("company"), "contract_restore"),
        (_("Segment"), "filter", Segment.objects.all(), "segment_restore"),
        (_("Activity"), "history", Activity.objects.all(), "activity_restore"),
    )
    found: list[Binned] = []
    for kind, icon, rows, restore in kinds:
        binned = rows.in_bin_of(person, now).order_by("-deleted_at")[:SHOWN]
        found += [Binned(kind, icon, row, _beside(row), reverse(restore, args=[row.pk])) for row in binned]
    found.sort(key=lambda item: item.row.deleted_at, reverse=True)
    return render(request, "pipeline/bin_list.html", {"items": found[:SHOWN], "now": now})


def _beside(row: Any) -> str:
    return str(getattr(row, "company", "") or getattr(row, "domain", "") or getattr(row, "body", "")[:80])
