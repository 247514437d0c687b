"""The columns of the deal list, and what a spreadsheet gets of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Campaign, LeadSource, User
from pipeline.models import Deal, LossReason, Pipeline, Stage
from pipeline.views.columns import Cell, Column, Table, local

ORDERS = {
    "newest": (F("recorded_at").desc(), F("pk").desc()),
    "name": ("search", "pk"),
    "company": (F("company__search").asc(nulls_last=True), "pk"),
    "amount": (F("amount").asc(nulls_first=True), "pk"),
    "stage": ("stage__pipeline__position", "stage__position", "pk"),
    "days": (F("stage_entered_at").desc(nulls_first=True), "pk"),
    "next": (F("next_step_at").asc(nulls_last=True), "pk"),
    "closes": (F("expected_close_on").asc(nulls_last=True), "pk"),
    "closed": (F("won_at").asc(nulls_first=True), F("lost_at").asc(nulls_first=True), "pk"),
}

column = partial(Column, "pipeline/_deal_cells.html")

TABLE = Table(
    "deals",
    (
        column("name", gettext_lazy("Deal"), ("name", "company"), sort="name"),
        column("company", gettext_lazy("Company"), ("company",), sort="company"),
        column("contact", gettext_lazy("Contact"), ("contact",)),
        column("amount", gettext_lazy("Amount"), ("amount", "currency"), sort="amount", is_numeric=True),
        column("stage", gettext_lazy("Stage"), ("pipeline", "stage", "outcome"), sort="stage"),
        column("days", gettext_lazy("In stage"), ("days",), sort="days", is_numeric=True),
        column("next", gettext_lazy("Next step"), ("next",), sort="next"),
        column("touched", gettext_lazy("Last contact"), ("touched",)),
        column("closes", gettext_lazy("Expected close"), ("closes",), sort="closes"),
        column("closed", gettext_lazy("Closed"), ("closed",), sort="closed"),
        column("reason", gettext_lazy("Loss reason"), ("reason",)),
        column("source", gettext_lazy("Source"), ("source",)),
        column("campaign", gettext_lazy("Campaign"), ("campaign",)),
        column("tags", gettext_lazy("Tags"), ("tags",)),
        column("owner", gettext_lazy("Owner"), ("owner",)),
        column("created", gettext_lazy("Created"), ("created",)),
    ),
    standard=("name", "amount", "stage", "days", "next", "closes", "source", "owner"),
)

STANDARD = {
    "won": ("name", "amount", "stage", "closed", "source", "owner"),
    "all": ("name", "amount", "stage", "closed", "source", "owner"),
    "lost": ("name", "amount", "stage", "closed", "reason", "owner"),
}
"""What stands on a tab where nobody chose; the open ones show the table's own standard."""

JOINED = {
    "contact": "contact", "reason": "loss_reason", "source": "source", "campaign": "campaign",
}  # fmt: skip
"""Rows that a column reads beside the deal, for those that not every list shows."""

WHOLE = (
    "name", "company", "contact", "pipeline", "stage", "outcome", "amount", "currency", "owner", "source", "created",
    "closes", "next", "closed", "reason", "tags",
)  # fmt: skip
"""What an export without columns gives: the wizard of imports knows each of these titles."""

READ = (
    "name", "company__name", "contact__name", "pipeline_id", "stage_id", "outcome", "amount", "currency", "owner_id",
    "source_id", "campaign_id", "created_at", "expected_close_on", "next_step_at", "last_touch_at", "stage_entered_at",
    "won_at", "lost_at", "loss_reason_id", "tags",
)  # fmt: skip


def plain(deals: Any) -> Iterator[Any]:
    """Read deals as plain values for `cells`, whatever their number."""
    rows: Iterator[Any] = deals.values_list(*READ, named=True).iterator(chunk_size=2000)
    return rows


def cells() -> dict[str, Cell]:
    """Return the cells of a spreadsheet; what few rows name (stages, people) is read once."""
    pipelines, stages, people, sources, campaigns, reasons = (
        {row.pk: str(row) for row in model.objects.all()}
        for model in (Pipeline, Stage, User, LeadSource, Campaign, LossReason)
    )
    outcomes, now = {value: str(label) for value, label in Deal.Outcome.choices}, timezone.now()
    return {
        "name": Cell(_("Deal"), lambda row: row.name),
        "company": Cell(_("Company"), lambda row: row.company__name),
        "contact": Cell(_("Contact"), lambda row: row.contact__name),
        "pipeline": Cell(_("Pipeline"), lambda row: pipelines[row.pipeline_id]),
        "stage": Cell(_("Stage"), lambda row: stages[row.stage_id]),
        "outcome": Cell(_("Outcome"), lambda row: outcomes[row.outcome]),
        "amount": Cell(_("Amount"), lambda row: row.amount),
        "currency": Cell(_("Currency"), lambda row: row.currency),
        "owner": Cell(_("Owner"), lambda row: people[row.owner_id]),
        "source": Cell(_("Source"), lambda row: sources.get(row.source_id)),
        "campaign": Cell(_("Campaign"), lambda row: campaigns.get(row.campaign_id)),
        "created": Cell(_("Created"), lambda row: local(row.created_at)),
        "closes": Cell(_("Expected close"), lambda row: row.expected_close_on),
        "next": Cell(_("Next step"), lambda row: local(row.next_step_at)),
        "touched": Cell(_("Last contact"), lambda row: local(row.last_touch_at)),
        "days": Cell(
            _("Days in stage"),
            lambda row: (now - row.stage_entered_at).days if row.stage_entered_at and row.outcome == "open" else None,
        ),
        "closed": Cell(_("Closed"), lambda row: local(row.won_at or row.lost_at)),
        "reason": Cell(_("Loss reason"), lambda row: reasons.get(row.loss_reason_id)),
        "tags": Cell(_("Tags"), lambda row: ", ".join(row.tags)),
    }
