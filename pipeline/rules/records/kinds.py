"""The kinds of this app that can be brought in, and those of the app below."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from crm.models import Activity
from crm.rules.records import kinds as crm_kinds
from crm.rules.records import people, references
from crm.rules.records.columns import choice, currency, day, email, money, past_instant, text
from crm.rules.records.context import Ask, Kind
from crm.rules.records.references import name_key
from crm.rules.records.registry import register
from pipeline.models import Deal, Pipeline, Stage
from pipeline.rules.records.contracts import ContractImporter
from pipeline.rules.records.deals import DealImporter
from pipeline.rules.records.histories import HistoryImporter
from pipeline.rules.records.touches import ACTIVITY_KINDS, TouchImporter

DEAL_LABELS = people.LABELS | {
    "contact_name": _("Contact’s name"),
    "contact_email": _("Contact’s e-mail"),
    "contact_phone": _("Contact’s phone"),
    "pipeline": _("Pipeline"),
    "stage": _("Stage"),
    "amount": _("Amount"),
    "currency": _("Currency"),
    "lead": _("Lead’s external id"),
    "outcome": _("Outcome"),
    "closed_at": _("Closed"),
    "lost_reason": _("Loss reason"),
    "expected_close_on": _("Expected close"),
}


def _names(rows: Iterable[Pipeline | Stage]) -> set[str]:
    return {name_key(name) for row in rows for name in (row.slug, row.name, row.name_ru) if name}


def _choices(rows: Iterable[Pipeline | Stage]) -> list[tuple[str, str]]:
    return list({row.slug: str(row) for row in rows}.items())


DEALS = Kind(
    key="deals",
    columns=(
        text("name", 200, is_required=True),
        text("external_id", 100),
        text("company", 200),
        text("company_id", 500),
        text("contact_name", 200),
        email("contact_email"),
        text("contact_phone", 40),
        text("owner", 200),
        text("pipeline", 120),
        text("stage", 120),
        money("amount"),
        currency(),
        text("source", 120),
        text("campaign", 120),
        text("lead", 100),
        past_instant("created_at"),
        choice("outcome", tuple(Deal.Outcome.values)),
        past_instant("closed_at"),
        text("lost_reason", 120),
        day("expected_close_on"),
    ),
    importer=DealImporter,
    place=4,
    label=_("Deals"),
    labels=DEAL_LABELS,
    asks=(
        Ask("pipeline", lambda: _names(Pipeline.objects.all()), lambda _by: _choices(Pipeline.objects.all())),
        Ask(
            "stage", lambda: _names(Stage.objects.all()), lambda _by: _choices(Stage.objects.filter(is_archived=False))
        ),
        Ask(
            "outcome",
            lambda: set(Deal.Outcome.values),
            lambda _by: [(str(value), str(label)) for value, label in Deal.Outcome.choices],
        ),
        people.OWNER,
    ),
    listed_at="deal_list",
    warnings=references.WARNINGS
    | {
        "creation_unknown": ngettext_lazy(
            "%(count)d deal has no created_at: its creation stays unknown and it is kept out of cycle figures.",
            "%(count)d deals have no created_at: their creation stays unknown and they are kept out of cycle figures.",
            "count",
        ),
        "open_with_end": ngettext_lazy(
            "%(count)d open deal has a closed_at, which was left out.",
            "%(count)d open deals have a closed_at, which was left out.",
            "count",
        ),
        "stage_unknown": ngettext_lazy(
            "%(count)d deal names no stage and was put into the first one.",
            "%(count)d deals name no stage and were put into the first one.",
            "count",
        ),
        "stage_kept": ngettext_lazy(
            "%(count)d deal has a stage history of its own and stays in the stage where that left it.",
            "%(count)d deals have a stage history of their own and stay in the stages where that left them.",
            "count",
        ),
    },
)
STAGE_HISTORY = Kind(
    key="stage-history",
    columns=(
        text("deal", 100, is_required=True),
        text("stage", 120, is_required=True),
        past_instant("entered_at", is_required=True),
    ),
    importer=HistoryImporter,
    grouped_by="deal",
    warnings={
        "begun_before": ngettext_lazy(
            "%(count)d deal was created before its first stage was entered; "
            "it counts as in that stage since its creation.",
            "%(count)d deals were created before their first stages were entered; "
            "they count as in those stages since their creation.",
            "count",
        )
    },
)
TOUCHES = Kind(
    key="touches",
    columns=(
        past_instant("at", is_required=True),
        text("lead", 100),
        text("deal", 100),
        choice("channel", tuple(kind for kind in Activity.Kind.values if kind != Activity.Kind.NOTE), ACTIVITY_KINDS),
        choice("direction", tuple(Activity.Direction.values), {"outbound": "out", "inbound": "in"}),
        choice("response", tuple(Activity.Response.values)),
    ),
    importer=TouchImporter,
    needs_one_of=("lead", "deal"),
)
CONTRACTS = Kind(
    key="contracts",
    columns=(
        text("company", 200, is_required=True),
        day("starts_on", is_required=True),
        text("external_id", 100),
        day("ends_on"),
        day("cancelled_on"),
        money("monthly_value"),
        currency(),
        text("churn_reason", 200),
    ),
    importer=ContractImporter,
    warnings=references.WARNINGS,
)

KINDS = crm_kinds.KINDS | {kind.key: kind for kind in (DEALS, STAGE_HISTORY, TOUCHES, CONTRACTS)}
register(KINDS.values())
