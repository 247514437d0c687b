"""The bin: what one deleted, or could have, within 30 days, and the way back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.views.decorators.http import require_safe

from crm.models import (
    Activity,
    Company,
    Contact,
    EmailTemplate,
    FollowUp,
    Lead,
    Mailbox,
    Recoverable,
    SavedView,
    Segment,
    Sequence,
    User,
    subject_models,
)
from crm.models.access import KEPT_IN_BIN
from crm.views.authorising import writer_or_403
from crm.views.requests import PersonRequest
from pipeline.models import Contract, Deal

SHOWN = 100
BESIDE_LENGTH = 80


@dataclass(frozen=True)
class Kind:
    """What may lie in the bin: its icon, where a POST takes it back, and which field tells two of a name apart."""

    model: type[Recoverable]
    icon: str
    restore: str
    beside: str = ""
    title: str = ""
    """The field to call it by, where it has no name of its own."""
    named_by: tuple[str, ...] = ()
    """What of these are records of their own."""
    about: str = ""
    """Where it lies on a record: which verb of records says whose timeline it may come back to."""

    def rows_of(self, person: User, now: dt.datetime) -> Any:
        """Return what `person` may take back, the latest deletion first."""
        rows = self.model.objects.in_bin_of(person, now).order_by("-deleted_at", "-pk")  # type: ignore[attr-defined]
        if self.about:
            rows = rows.filter(_about_records(self.about, person)).exclude(_WENT_WITH_ITS_LEAD)
        return rows.prefetch_related(*self.named_by)[:SHOWN]


KINDS = (
    Kind(Lead, "user-plus", "lead_restore", beside="company_name"),
    Kind(Deal, "briefcase", "deal_restore", beside="company", named_by=("company",)),
    Kind(Company, "building", "company_restore", beside="domain"),
    Kind(Contact, "user", "contact_restore", beside="company", named_by=("company",)),
    Kind(Contract, "file-certificate", "contract_restore", beside="starts_on", title="company", named_by=("company",)),
    Kind(Activity, "history", "activity_restore", beside="body", about="editable_by"),
    Kind(FollowUp, "calendar-event", "follow_up_reopen", beside="subject", named_by=("subject",), about="visible_to"),
    Kind(Segment, "filter", "segment_restore"),
    Kind(SavedView, "bookmark", "saved_view_restore"),
    Kind(EmailTemplate, "template", "email_template_restore", beside="subject"),
    Kind(Sequence, "route", "sequence_restore"),
    Kind(Mailbox, "mail-cog", "mailbox_restore", beside="address"),
)
"""Every kind that goes into the bin; a test asks for those that are missing."""

_WENT_WITH_ITS_LEAD = Q(
    Exists(Lead.objects.filter(pk=OuterRef("subject_id"), disqualified_at=OuterRef("deleted_at"))),
    subject_type__model="lead",
)
"""What was planned for a lead that was disqualified: it comes back when the lead does."""


def _about_records(verb: str, person: User) -> Q:
    """What lies on records that are there and theirs: what went into the bin with its record comes back with it."""
    found = Q(pk__in=())
    for model in subject_models().values():
        records = getattr(model._default_manager.all(), verb)(person)
        found |= Q(subject_type=ContentType.objects.get_for_model(model), subject_id__in=records.values("pk"))
    return found


@dataclass(frozen=True)
class Binned:
    """A deleted row of a kind, and until when it is kept."""

    kind: Kind
    row: Any

    @property
    def word(self) -> str:
        """What it is, in a word."""
        return capfirst(str(self.row._meta.verbose_name))

    @property
    def title(self) -> str:
        """What it is called."""
        return str(getattr(self.row, self.kind.title) if self.kind.title else self.row)

    @property
    def beside(self) -> str:
        """What tells it from others of its name."""
        value = getattr(self.row, self.kind.beside, None)
        return date_format(value, "j E Y") if isinstance(value, dt.date) else str(value or "")[:BESIDE_LENGTH]

    @property
    def restore_url(self) -> str:
        """Where a POST takes it back."""
        return reverse(self.kind.restore, args=[self.row.pk])

    @property
    def kept_until(self) -> dt.datetime:
        """When it can no longer be taken back."""
        kept_until: dt.datetime = self.row.deleted_at + KEPT_IN_BIN
        return kept_until


@require_safe
def bin_list(request: PersonRequest) -> HttpResponse:
    """Show what can be taken back, the latest deletion first."""
    person, now = writer_or_403(request.user), timezone.now()
    items = [Binned(kind, row) for kind in KINDS for row in kind.rows_of(person, now)]
    items.sort(key=lambda item: item.row.deleted_at, reverse=True)
    return render(request, "pipeline/bin_list.html", {"items": items[:SHOWN], "now": now})
