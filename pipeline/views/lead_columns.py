"""The columns of the lead list, and what a spreadsheet gets of each."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext_lazy as _

from crm.models import Lead
from crm.templatetags.leads import status_name
from crm.templatetags.scores import score_reasons
from pipeline.views.columns import Cell, Column, Table, local

column = partial(Column, "pipeline/_lead_cells.html")

TABLE = Table(
    "leads",
    (
        column("clock", _("Response clock"), ("created", "answered", "answer_by")),
        column("name", _("Lead"), ("name", "company")),
        column("score", _("Score"), ("score",), sort="score"),
        column("why", _("Why"), ("why", "wrote")),
        column("source", _("Source, campaign"), ("source", "campaign")),
        column("status", _("Status, next step"), ("status", "next")),
        column("owner", _("Owner"), ("owner",)),
        column("email", _("E-mail"), ("email",)),
        column("phone", _("Phone"), ("phone",)),
        column("touched", _("Last contact"), ("touched",)),
        column("created", _("Came in"), ("created",)),
        column("answered", _("First answered"), ("answered",)),
    ),
    standard=("clock", "name", "score", "why", "source", "status", "owner"),
)


def _reasons(lead: Lead) -> str:
    return "; ".join(f"{reason['words']} {reason['points']}" for reason in score_reasons(lead))


CELLS = {
    "created": Cell(_("Came in"), lambda lead: local(lead.created_at)),
    "answered": Cell(_("First answered"), lambda lead: local(lead.first_response_at)),
    "answer_by": Cell(_("Answer by"), lambda lead: local(lead.answer_by)),
    "name": Cell(_("Lead"), lambda lead: lead.name),
    "company": Cell(_("Company"), lambda lead: lead.company_name),
    "email": Cell(_("E-mail"), lambda lead: lead.email),
    "phone": Cell(_("Phone"), lambda lead: lead.phone),
    "wrote": Cell(_("Wrote"), lambda lead: lead.message),
    "score": Cell(_("Score"), lambda lead: lead.score),
    "why": Cell(_("Why"), _reasons),
    "source": Cell(_("Source"), lambda lead: str(lead.source or "")),
    "campaign": Cell(_("Campaign"), lambda lead: str(lead.campaign or "")),
    "status": Cell(_("Status"), status_name),
    "next": Cell(_("Next step"), lambda lead: local(lead.next_step_at)),
    "touched": Cell(_("Last contact"), lambda lead: local(lead.last_touch_at)),
    "owner": Cell(_("Owner"), lambda lead: str(lead.owner or "")),
}

WHOLE = (
    "created", "answered", "name", "company", "email", "phone", "wrote", "source", "campaign", "status", "owner",
)  # fmt: skip
"""What an export without columns gives: the wizard of imports knows these titles."""
