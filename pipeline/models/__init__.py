"""Pipelines, stages, deals, stage visits and contracts."""

from pipeline.models.alerts import StayAlert
from pipeline.models.automation import FollowUpList, ListedFollowUp, RuleFiring, StageAction, StageRule, with_worth
from pipeline.models.contracts import Contract
from pipeline.models.deals import ChecklistTick, Deal, DealAmountChange, DealQuerySet
from pipeline.models.line_items import LineItem, Product
from pipeline.models.stages import (
    ChecklistItem,
    LossReason,
    Pipeline,
    Stage,
    StageProbabilityChange,
)
from pipeline.models.staying import days_quiet, days_rotting
from pipeline.models.totals import StageTotal
from pipeline.models.visits import StageVisit

__all__ = [
    "ChecklistItem",
    "ChecklistTick",
    "Contract",
    "Deal",
    "DealAmountChange",
    "DealQuerySet",
    "FollowUpList",
    "LineItem",
    "ListedFollowUp",
    "LossReason",
    "Pipeline",
    "Product",
    "RuleFiring",
    "Stage",
    "StageAction",
    "StageProbabilityChange",
    "StageRule",
    "StageTotal",
    "StageVisit",
    "StayAlert",
    "days_quiet",
    "days_rotting",
    "with_worth",
]
