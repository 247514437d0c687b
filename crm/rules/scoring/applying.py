"""Gives leads their scores: one at once where it comes in, many in steps that record how far they got."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from crm.models import Lead, LeadSource, ScoreModel, ScoreRule
from crm.rules.scoring.additive import AdditiveModel, Judgement
from crm.rules.scoring.declared import START, rules_met
from crm.rules.scoring.facts import Facts, History, read_histories

STEP = 1_000
"""Leads a transaction: each is done in well under a second, and holds its rows no longer."""
REASONS_KEPT = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """A score from 0 to 100 and the sum it is: start, the strongest reasons, and the rest of them as one."""

    score: int
    reasons: list[dict[str, Any]]


class Scorer:
    """What scores leads at present: the model in use, else the admin's rules."""

    def __init__(self) -> None:
        self.model = ScoreModel.objects.in_use()
        self._learned = _readable(self.model)
        if self._learned is None:
            self.model = None
            self._rules = list(ScoreRule.objects.filter(is_active=True))
            self._slugs = {str(pk): slug for pk, slug in LeadSource.objects.values_list("pk", "slug")}

    def score(self, facts: Facts) -> Scored | None:
        """Return the score of a lead with these facts; None where there is neither a model nor a rule."""
        if self._learned is not None:
            return _by_judgement(self._learned.judge(facts))
        if not self._rules:
            return None
        return _by_rules(rules_met(self._rules, facts, source_slug=self._slugs.get(str(facts["source"]), "")))


def _readable(model: ScoreModel | None) -> AdditiveModel | None:
    """The weights of a model, where this version of the program can read them."""
    if model is None or model.parameters is None:
        return None
    try:
        return AdditiveModel(model.parameters)
    except (KeyError, TypeError, ValueError) as error:
        logger.warning("Score model %s cannot be used: %s", model.pk, error)
        return None


def _by_judgement(judgement: Judgement) -> Scored:
    reasons = [
        {"feature": reason.feature, "value": reason.value, "points": round(judgement.points(reason))}
        for reason in judgement.reasons[:REASONS_KEPT]
    ]
    return _summed(round(100 * judgement.probability), round(100 * judgement.start), reasons)


def _by_rules(rules: Sequence[ScoreRule]) -> Scored:
    score = min(max(START + sum(rule.points for rule in rules), 0), 100)
    reasons = [
        {"feature": "rule", "value": rule.name, "value_ru": rule.name_ru, "points": rule.points}
        for rule in rules[:REASONS_KEPT]
    ]
    return _summed(score, START, reasons)


def _summed(score: int, start: int, reasons: list[dict[str, Any]]) -> Scored:
    told = [reason for reason in reasons if reason["points"]]
    rest = score - start - sum(reason["points"] for reason in told)
    ends = [{"feature": "start", "points": start}, {"feature": "rest", "points": rest}]
    return Scored(score, [ends[0], *told, *(ends[1:] if rest else ())])


# --- One lead, and many ---------------------------------------------------------------------------------------------


def score_lead(lead: Lead, *, now: dt.datetime) -> Lead:
    """Score one lead at once, such as one that has just come in; its other columns are as they were."""
    with transaction.atomic():
        _score([lead.pk], Scorer(), now=now)
    lead.refresh_from_db(fields=["score", "score_reasons", "scored_at", "score_model"])
    return lead


def score_due(*, now: dt.datetime, seconds: float) -> int:
    """Score leads of which something has changed, for `seconds` at most; return how many were scored."""
    ends, count = time.monotonic() + seconds, 0
    scorer = Scorer()
    while time.monotonic() < ends:
        with transaction.atomic():
            due = Lead.objects.to_score().order_by("pk").select_for_update(of=("self",), skip_locked=True)
            pks = list(due.values_list("pk", flat=True)[:STEP])
            _score(pks, scorer, now=now)
        count += len(pks)
        if len(pks) < STEP:
            break
    return count


def rescore_all(*, now: dt.datetime, seconds: float) -> bool:
    """Go on scoring every living lead anew for `seconds`, from where the last step ended; say whether more are left.

    How far it got is written with the scores themselves, so that a step that is killed is repeated, and no other.
    """
    ends = time.monotonic() + seconds
    scorer = Scorer()
    while time.monotonic() < ends:
        with transaction.atomic():
            rounds = ScoreModel.objects.select_for_update(skip_locked=True).exclude(state=ScoreModel.State.LEARNING)
            latest = rounds.filter(rescored_at__isnull=True).order_by("-pk").first()
            if latest is None:
                return False
            alive = Lead.objects.present().alive().filter(pk__gt=latest.rescored_to).order_by("pk")
            pks = list(alive.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:STEP])
            _score(pks, scorer, now=now)
            _note_progress(latest, pks, now=now)
    return True


def _note_progress(latest: ScoreModel, pks: list[int], *, now: dt.datetime) -> None:
    if pks:
        latest.rescored_to = pks[-1]
        latest.save(update_fields=["rescored_to"])
    else:  # an older round that was never finished is finished by a newer one
        ScoreModel.objects.filter(rescored_at__isnull=True, pk__lte=latest.pk).update(rescored_at=now)


def ask_for_rescoring() -> None:
    """Have every lead scored anew, such as when the rules have changed and rules are what scores."""
    latest = ScoreModel.objects.exclude(state=ScoreModel.State.LEARNING).order_by("-pk").first()
    if latest is None:
        Lead.objects.present().alive().filter(scored_at__isnull=False).update(scored_at=None)
    else:
        ScoreModel.objects.filter(pk=latest.pk).update(rescored_to=0, rescored_at=None)


def _score(pks: Sequence[int], scorer: Scorer, *, now: dt.datetime) -> None:
    """Score these leads and write what is new; a score that stays as it was costs no write."""
    if not pks:
        return
    histories = read_histories(pks, with_changes=False)
    leads = Lead.objects.filter(pk__in=pks).only("pk", "score", "score_reasons", "score_model_id", "scored_at")
    changed = [lead for lead in leads if _take(lead, scorer, histories[lead.pk], now)]
    Lead.objects.bulk_update(_in_order(changed), ["score", "score_reasons", "score_model", "scored_at"], batch_size=500)


def _take(lead: Lead, scorer: Scorer, history: History, now: dt.datetime) -> bool:
    """Give the lead its score as of `now`; say whether anything is to be written."""
    scored = scorer.score(history.facts_at(now))
    score, reasons = (scored.score, scored.reasons) if scored else (None, [])
    model_id = scorer.model.pk if scorer.model else None
    is_same = (lead.score, lead.score_reasons, lead.score_model_id) == (score, reasons, model_id)
    if is_same and lead.scored_at is not None:
        return False
    lead.score, lead.score_reasons, lead.score_model_id, lead.scored_at = score, reasons, model_id, now
    return True


def _in_order(leads: Iterable[Lead]) -> list[Lead]:
    """By key, as everybody else who locks several leads."""
    return sorted(leads, key=lambda lead: lead.pk)
