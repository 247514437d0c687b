"""Learns a score from the team's own outcomes, measures it on leads it has not seen, and decides whether it is used.

A run is a row. Killed half-way it leaves that row and nothing else: the model in use stays in use, and the next run
marks the row as abandoned.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import transaction
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from crm.models import FEWEST_OUTCOMES, ScoreModel
from crm.rules.scoring.additive import AdditiveModel, Value
from crm.rules.scoring.coded import Columns, Floats, code, rows_of
from crm.rules.scoring.facts import KINDS, Facts, read_histories
from crm.rules.scoring.learning import Additive, one_thread
from crm.rules.scoring.outcomes import Outcome
from crm.rules.sweeping import alone

LEARNING_LOCK = 7_021
"""The advisory lock under which one process at a time learns; it dies with the process that holds it."""
MOST_OUTCOMES = 10_000
"""The latest outcomes teach; more of them take longer than they add."""
HELD_OUT = 0.2
"""Share of the leads, those that came in last, on which the model is measured and from which it never learns."""
FEWEST_OF_A_KIND = 20
AGES = tuple(dt.timedelta(days=days) for days in (0, 1, 3, 7, 14, 30, 60))
"""Moments of a lead's life that teach, by its age: never by the outcome's time, which nobody knew then."""
JUST_AFTER = dt.timedelta(minutes=1)
PENALTIES = (0.03, 0.1, 0.3, 1.0)
FOLDS, SEED = 5, 20
CALIBRATION_BINS = 5
CHUNK = 2_000


@dataclass
class Examples:
    """Moments of leads whose outcome is known: columns of facts, answers, and how much each moment counts."""

    columns: dict[str, list[Value]] = field(default_factory=lambda: {key: [] for key in KINDS})
    rows: list[Facts] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    importance: list[float] = field(default_factory=list)
    leads: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome, moments: Sequence[Facts]) -> None:
        """Add a lead's moments; together they count as one lead."""
        for facts in moments:
            self.rows.append(facts)
            for key, values in self.columns.items():
                values.append(facts[key])
            self.answers.append(float(outcome.is_customer))
            self.importance.append(1 / len(moments))
            self.leads.append(outcome.lead_id)

    @property
    def targets(self) -> Floats:
        """The answers as an array."""
        return np.array(self.answers)

    @property
    def weights(self) -> Floats:
        """How much each moment counts, as an array."""
        return np.array(self.importance)


def learn_score(outcomes: Sequence[Outcome], *, now: dt.datetime) -> ScoreModel | None:
    """Learn from the outcomes and put the model into use unless it is worse; None where another process is learning.

    Below 200 outcomes nothing is learned, and the rules go on scoring.
    """
    with alone(LEARNING_LOCK) as is_mine:
        if not is_mine:
            return None
        attempt = _begin(outcomes, now=now)
        if attempt.state == ScoreModel.State.LEARNING:
            with one_thread():
                _learn(attempt, outcomes)
        attempt.finished_at = now
        _conclude(attempt)
    return attempt


def _begin(outcomes: Sequence[Outcome], *, now: dt.datetime) -> ScoreModel:
    """Write the run's row, and mark one that somebody left behind: whoever held the lock before is gone."""
    states = ScoreModel.State
    customers = sum(outcome.is_customer for outcome in outcomes)
    fewest = min(customers, len(outcomes) - customers)
    is_enough = len(outcomes) >= FEWEST_OUTCOMES and fewest >= FEWEST_OF_A_KIND
    with transaction.atomic():
        left_behind = ScoreModel.objects.filter(state=states.LEARNING)
        left_behind.update(state=states.ABANDONED, finished_at=now, rescored_at=now)
        return ScoreModel.objects.create(
            state=states.LEARNING if is_enough else states.TOO_FEW,
            started_at=now,
            outcomes=len(outcomes),
            customers=customers,
        )


def _learn(attempt: ScoreModel, outcomes: Sequence[Outcome]) -> None:
    """Fill the attempt with weights and with their figures on the leads that came last."""
    latest = sorted(outcomes, key=lambda outcome: (outcome.created_at, outcome.lead_id))[-MOST_OUTCOMES:]
    cut = round(len(latest) * (1 - HELD_OUT))
    seen, unseen = _examples(latest[:cut]), _examples(latest[cut:])
    attempt.held_out = len(latest) - cut
    if len(set(seen.answers)) < 2 or len(set(unseen.answers)) < 2:
        attempt.state = ScoreModel.State.TOO_FEW
        return
    attempt.parameters = fit(seen)
    found = judged(attempt.parameters, unseen)
    weights, targets = unseen.weights, unseen.targets
    attempt.auc = float(roc_auc_score(targets, found, sample_weight=weights))
    attempt.brier = float(brier_score_loss(targets, found, sample_weight=weights))
    usual = float(np.average(seen.targets, weights=seen.weights))
    attempt.chance_brier = float(brier_score_loss(targets, np.full(len(targets), usual), sample_weight=weights))
    attempt.calibration = calibration(found, targets, weights)
    attempt.rival_brier = _rival_brier(unseen)
    attempt.state = _verdict(attempt)


def _verdict(attempt: ScoreModel) -> str:
    """Whether the model is to be used: it knows something, and no less than the one in use."""
    assert attempt.brier is not None  # measured by the caller
    assert attempt.chance_brier is not None
    if attempt.brier >= attempt.chance_brier:
        return ScoreModel.State.POOR
    if attempt.rival_brier is not None and attempt.brier > attempt.rival_brier:
        return ScoreModel.State.REJECTED
    return ScoreModel.State.IN_USE


def _conclude(attempt: ScoreModel) -> None:
    """Write the verdict; where it is "in use", the model before retires in the same transaction."""
    states = ScoreModel.State
    with transaction.atomic():
        if attempt.state == states.IN_USE:
            ScoreModel.objects.filter(state=states.IN_USE).exclude(pk=attempt.pk).update(state=states.RETIRED)
        attempt.save()


def _rival_brier(unseen: Examples) -> float | None:
    """The figure of the model in use on the same leads, which came in after those that it learned from, too."""
    rival = ScoreModel.objects.in_use()
    if rival is None or rival.parameters is None:
        return None
    try:
        found = judged(rival.parameters, unseen)
    except (KeyError, TypeError, ValueError):
        return None  # of another version of the program: not to be used any more
    return float(brier_score_loss(unseen.targets, found, sample_weight=unseen.weights))


def judged(parameters: Mapping[str, Any], examples: Examples) -> Floats:
    """Return the probabilities that the stored weights give, by the very code that scores leads."""
    model = AdditiveModel(parameters)
    return np.array([model.judge(facts).probability for facts in examples.rows])


# --- Examples -------------------------------------------------------------------------------------------------------


def _examples(outcomes: Sequence[Outcome]) -> Examples:
    """Read the moments of leads while they were in hand."""
    examples = Examples()
    for begins in range(0, len(outcomes), CHUNK):
        chunk = outcomes[begins : begins + CHUNK]
        histories = read_histories((outcome.lead_id for outcome in chunk), with_changes=True)
        for outcome in chunk:
            if history := histories.get(outcome.lead_id):
                examples.add(outcome, [history.facts_at(moment) for moment in moments_of(outcome)])
    return examples


def moments_of(outcome: Outcome) -> list[dt.datetime]:
    """Return when to look at a lead: as it came in, and at fixed ages as long as it was still in hand."""
    moments = [outcome.created_at + max(age, JUST_AFTER) for age in AGES]
    in_hand = [moment for moment in moments if moment < outcome.ended_at]
    return in_hand or [min(outcome.created_at, outcome.ended_at)]


# --- Fitting --------------------------------------------------------------------------------------------------------


def fit(examples: Examples) -> dict[str, Any]:
    """Return calibrated weights; penalty and calibration are chosen by folds that never share a lead."""
    targets, weights, columns = examples.targets, examples.weights, code(KINDS, examples.columns)
    unseen = {penalty: _out_of_fold(examples, columns, penalty) for penalty in PENALTIES}
    best = min(PENALTIES, key=lambda penalty: log_loss(targets, _curve(unseen[penalty]), sample_weight=weights))
    slope, shift = _calibrate(unseen[best], targets, weights)
    fitted = Additive.learn(columns, targets, importance=weights, penalty=best)
    return fitted.parameters(columns, weights, slope=slope, shift=shift)


def _out_of_fold(examples: Examples, columns: Columns, penalty: float) -> Floats:
    targets, weights = examples.targets, examples.weights
    found = np.zeros(len(targets))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for seen, unseen in folds.split(found, targets, groups=examples.leads):
        taught = Additive.learn(rows_of(columns, seen), targets[seen], importance=weights[seen], penalty=penalty)
        found[unseen] = taught.log_odds(rows_of(columns, unseen))
    return found


def _calibrate(log_odds: Floats, targets: Floats, weights: Floats) -> tuple[float, float]:
    """Return slope and shift that make the log-odds mean what they say (Platt); never a slope that turns them round."""
    line = LogisticRegression(C=1e6).fit(log_odds[:, None], targets, sample_weight=weights)
    return max(float(line.coef_[0][0]), 0.0), float(line.intercept_[0])


def _curve(log_odds: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))
    return found


def _fifths(found: Floats, weights: Floats) -> list[Any]:
    """The places of the leads in `found`, the lowest first, in parts that weigh the same."""
    order = np.argsort(found, kind="stable")
    weighed = np.cumsum(weights[order]) - weights[order] / 2  # a lead belongs where its middle lies
    edges = weights.sum() * np.arange(1, CALIBRATION_BINS) / CALIBRATION_BINS
    parts: list[Any] = np.split(order, np.searchsorted(weighed, edges))
    return parts


def calibration(found: Floats, targets: Floats, weights: Floats) -> list[dict[str, float]]:
    """Return, for fifths of the leads by score, what was foretold and what came true.

    A lead that is known from several moments weighs one in all: the fifths are of equal weight, not of equal length.
    """
    fifths = _fifths(found, weights)
    return [
        {
            "foretold": round(float(np.average(found[fifth], weights=weights[fifth])), 4),
            "came_true": round(float(np.average(targets[fifth], weights=weights[fifth])), 4),
            "leads": round(float(weights[fifth].sum()), 1),
        }
        for fifth in fifths
        if len(fifth)
    ]
