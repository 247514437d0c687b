"""Why a deal is not moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.rules.errors import RuleError

if TYPE_CHECKING:
    from pipeline.models import Deal


class DealConflict(RuleError):
    """Somebody changed the deal first (409); `deal` is what it is now."""

    code = "conflict"

    def __init__(self, deal: Deal) -> None:
        super().__init__(_("“%(deal)s” was changed in the meantime; your change was not applied.") % {"deal": deal})
        self.deal = deal


@dataclass(frozen=True)
class Missing:
    """One thing a stage asks for: a field of the deal, or a checklist item by its id."""

    key: str
    label: str

    @property
    def is_tick(self) -> bool:
        """Whether it is a checklist item."""
        return self.key.startswith("tick-")


class StageRequires(RuleError):
    """The stage asks for something the deal does not have (422); `missing` says what."""

    code = "missing_requirement"

    def __init__(self, missing: list[Missing], message: str = "") -> None:
        labels = ", ".join(item.label for item in missing)
        super().__init__(message or _("Before this move the deal needs: %(labels)s.") % {"labels": labels})
        self.missing = missing


class LossReasonNeeded(RuleError):
    """A deal is lost for a reason (422)."""

    code = "loss_reason_needed"


class WrongStage(RuleError):
    """The stage is archived, of another pipeline, or the deal is already closed (422)."""

    code = "wrong_stage"


class WrongOwner(RuleError):
    """Whoever hands a deal over may not give it to this person, or it would be of no use to them (422)."""

    code = "wrong_owner"


class TooLateToUndo(RuleError):
    """An undo comes after its time, or after somebody moved the deal again (409)."""

    code = "too_late"
