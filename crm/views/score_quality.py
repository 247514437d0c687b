"""How good the score is: what it foretold of leads it had not seen, and what came true, night by night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.models import FEWEST_OUTCOMES, ScoreModel, ScoreRule, User
from crm.views.requests import PersonRequest

NIGHTS = 60
"""Attempts the page looks back on."""
WIDTH, HEIGHT, MARGIN = 640.0, 160.0, 24.0
LOWEST_AUC, HIGHEST_AUC = 0.4, 1.0
READERS = frozenset({User.Role.MANAGER, User.Role.ADMIN, User.Role.VIEWER})


@dataclass(frozen=True)
class Point:
    """One attempt in the chart."""

    x: float
    y: float
    attempt: ScoreModel


@require_safe
def score_quality(request: PersonRequest) -> HttpResponse:
    """AUC, Brier score and calibration of the model in use, and how attempts fared over time."""
    if request.user.role not in READERS:
        raise PermissionDenied
    return render(request, "crm/score_quality.html", _quality(request.user))


def _quality(user: User) -> dict[str, Any]:
    attempts = list(ScoreModel.objects.defer("parameters").order_by("-started_at")[:NIGHTS])
    model = next((attempt for attempt in attempts if attempt.state == ScoreModel.State.IN_USE), None)
    model = model or ScoreModel.objects.in_use()
    points = _points([attempt for attempt in reversed(attempts) if attempt.auc is not None])
    return {
        "model": model,
        "latest": attempts[0] if attempts else None,
        "fewest": FEWEST_OUTCOMES,
        "attempts": attempts,
        "points": points,
        "line": " ".join(f"{point.x:.1f},{point.y:.1f}" for point in points),
        "grid": [(level, _height(level)) for level in (0.5, 0.6, 0.7, 0.8, 0.9)],
        "chart": {"width": WIDTH, "height": HEIGHT, "left": MARGIN, "right": WIDTH - 8},
        "calibration": [_compared(fifth) for fifth in model.calibration] if model else [],
        "rules": ScoreRule.objects.filter(is_active=True) if model is None else [],
        "may_change_rules": user.is_admin,
    }


def _compared(fifth: dict[str, float]) -> dict[str, float]:
    """One fifth of the leads in percent."""
    return {
        "foretold": 100 * fifth["foretold"],
        "came_true": 100 * fifth["came_true"],
        "leads": fifth["leads"],
    }


def _points(attempts: list[ScoreModel]) -> list[Point]:
    """Measured attempts as points, oldest at the left."""
    step = (WIDTH - MARGIN - 24) / max(len(attempts) - 1, 1)
    return [
        Point(MARGIN + 8 + step * place, _height(attempt.auc or 0.0), attempt) for place, attempt in enumerate(attempts)
    ]


def _height(auc: float) -> float:
    share = (min(max(auc, LOWEST_AUC), HIGHEST_AUC) - LOWEST_AUC) / (HIGHEST_AUC - LOWEST_AUC)
    return round(HEIGHT - 8 - share * (HEIGHT - 16), 1)
