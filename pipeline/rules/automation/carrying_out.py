"""Carrying a firing out: all its actions and the mark that they are done are one transaction.

The outbox claims, counts attempts and repeats after a crash; since nothing of a firing is there before all of it is,
and a firing that is done is not done again, killing any process at any point neither loses nor doubles one. What leaves
the system (mail, notices) are outbox rows of their own, written in that transaction.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from crm.models import OutboxRow
from crm.rules import outbox
from crm.rules.audit import acting, coming_through
from crm.rules.errors import RuleError
from crm.rules.merge_fields import MissingValue, all_fields
from crm.rules.outbox import NotNeeded, Outcome, Sender, Sent
from crm.rules.sending import Postbox
from pipeline.models import Deal, RuleFiring, StageAction, StageRule
from pipeline.rules.automation.coming_true import FIRING, caused_by
from pipeline.rules.automation.kinds import Act, NotDone, kind_of
from pipeline.rules.automation.loops import tell_of_failure
from pipeline.rules.automation.words import reason_words
from pipeline.rules.locking import share_pipeline
from pipeline.rules.refusals import StageRequires

State, Trigger = RuleFiring.State, StageRule.Trigger


def carry_out(row: OutboxRow, _postbox: Postbox) -> Outcome:
    """Do what the rule of `row`'s firing says, or write down why there is no reason to any more."""
    firing = RuleFiring.objects.select_related("rule", "deal").filter(pk=row.payload["firing"]).first()
    if firing is None:
        return NotNeeded("the deal is gone")
    with coming_through("system", note=f"stage rule: {firing.rule.name}"), acting(None):
        share_pipeline(firing.deal.pipeline_id)
        # The deal first, as movers do; not its version: nobody's page grows old because a rule looked at it.
        deal = Deal.objects.select_for_update(of=("self",), no_key=True).get(pk=firing.deal_id)
        firing = RuleFiring.objects.select_for_update(of=("self",)).select_related("rule", "visit").get(pk=firing.pk)
        if firing.state not in {State.WAITING, State.FAILED}:
            return NotNeeded("done already")
        _finish(firing, deal)
    return Sent("done") if firing.state == State.DONE else NotNeeded(_in_english(firing.reason))


def give_up(row: OutboxRow) -> None:
    """Mark the firing of a row that was given up; letting the row go again carries it out after all."""
    firing = RuleFiring.objects.filter(pk=row.payload["firing"], state=State.WAITING).first()
    if firing is not None:
        firing.state, firing.error, firing.finished_at = State.FAILED, row.answer[:2000], timezone.now()
        firing.save(update_fields=["state", "error", "finished_at"])
        tell_of_failure(firing, now=timezone.now())


outbox.register(Sender(FIRING, carry_out, label=gettext_lazy("Stage rules"), unsent=give_up))


def _finish(firing: RuleFiring, deal: Deal) -> None:
    firing.reason, firing.error, firing.finished_at = _why_not(firing, deal), "", timezone.now()
    firing.state = State.DROPPED if firing.reason else State.DONE
    if not firing.reason:
        with caused_by(firing):
            firing.results = _do_all(firing, deal)
    firing.save()


def _in_english(reason: str) -> str:
    """The outbox keeps its answers in one language."""
    with translation.override("en"):
        return reason_words(reason)


def _why_not(firing: RuleFiring, deal: Deal) -> str:
    """Why there is no reason to do anything any more: a code of `words.REASONS`, or ""."""
    return next(_reasons(firing, deal), "")


def _reasons(firing: RuleFiring, deal: Deal) -> Iterator[str]:
    rule, visit = firing.rule, firing.visit
    if deal.deleted_at is not None:
        yield "gone"
    if deal.outcome == Deal.Outcome.LOST:
        yield "lost"
    if visit.reverted_at is not None or (rule.trigger == Trigger.LEAVING and visit.left_at is None):
        yield "undone"
    if not StageRule.objects.in_force().filter(pk=rule.pk).exists():
        yield "switched_off"
    if rule.trigger == Trigger.STAYING and visit.left_at is not None:
        yield "moved_on"
    if rule.trigger == Trigger.STAYING and not rule.meeting(Deal.objects.filter(pk=deal.pk)).exists():
        yield "unmet"


def _do_all(firing: RuleFiring, deal: Deal) -> list[dict[str, str]]:
    act_deal = deal
    results = []
    for action in firing.rule.actions.order_by("position", "pk"):
        act = Act(firing, action, act_deal, timezone.now())
        results.append({"kind": action.kind, **_do(action, act)})
        act_deal = act.deal
    return results


def _do(action: StageAction, act: Act) -> dict[str, str]:
    """Do one action; a refusal undoes what it had begun, is written down, and keeps nobody else."""
    kind = kind_of(action)
    if kind is None:
        return {"why": "unknown_kind"}
    try:
        with transaction.atomic():
            return {"detail": kind.run(act, kind.read(action.parameters))[:500]}
    except NotDone as refusal:
        return {"why": refusal.why, "detail": refusal.detail[:500]}
    except RuleError as refusal:
        return {"why": refusal.code, "detail": _detail(refusal)[:500]}


def _detail(refusal: RuleError) -> str:
    """What is missing by name; other messages may name customers, and stay out of what is kept."""
    if isinstance(refusal, StageRequires):
        return ", ".join(item.label for item in refusal.missing)
    if isinstance(refusal, MissingValue):
        return ", ".join(str(all_fields()[key].label) for key in refusal.keys)
    return ""
