"""`manage.py score_leads`: learn a score and apply it, or measure how well a table's outcomes can be foretold."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.rules.errors import RuleError
from crm.rules.scoring.applying import STEP, rescore_all, score_due
from pipeline.rules.lead_outcomes import known_outcomes

NOT_EVALUATED = 2
LONG = 3_600.0


class Command(BaseCommand):
    """Exit status: 0 done, 2 the file could not be read or does not answer the question."""

    help = "Learn from the outcomes so far and score all leads; or, with --evaluate, measure a table (docs/scoring.md)."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--evaluate", type=Path, metavar="FILE.csv", help="a table with known outcomes")
        parser.add_argument("--target", metavar="COLUMN", help="the column to foretell")
        parser.add_argument("--positive", metavar="VALUE", help="which of its values means yes")
        parser.add_argument(
            "--drop",
            nargs="+",
            action="extend",
            default=[],
            metavar="COLUMN",
            help="columns that may not be looked at, because they follow from the outcome",
        )
        parser.add_argument("--folds", type=int, default=5, help="how many parts, each foretold from the others")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["evaluate"] is None:
            self._learn_and_score(options)
            return
        if not options["target"]:
            raise CommandError("Say which column to foretell: --target COLUMN", returncode=NOT_EVALUATED)
        self._evaluate(options)

    def _learn_and_score(self, options: dict[str, Any]) -> None:
        from crm.rules.scoring.training import learn_score  # scikit-learn takes seconds to import

        now = timezone.now()
        attempt = learn_score(known_outcomes(now=now), now=now)
        if attempt is None:
            raise CommandError("Another process is learning at this moment.")
        while score_due(now=now, seconds=LONG) >= STEP or rescore_all(now=now, seconds=LONG):
            continue
        names = ("state", "outcomes", "customers", "held_out", "auc", "brier", "chance_brier", "rival_brier")
        self._tell({name: getattr(attempt, name) for name in names}, is_json=options["json"])

    def _evaluate(self, options: dict[str, Any]) -> None:
        from crm.rules.scoring.evaluating import Question, evaluate_file  # scikit-learn takes seconds to import

        question = Question(options["target"], options["positive"], tuple(options["drop"]), options["folds"])
        try:
            evaluation = evaluate_file(options["evaluate"], question)
        except RuleError as refusal:
            raise CommandError(refusal.message, returncode=NOT_EVALUATED) from refusal
        for remark in evaluation.remarks:
            self.stderr.write(remark)
        self._tell(evaluation.figures(), is_json=options["json"])

    def _tell(self, figures: dict[str, Any], *, is_json: bool) -> None:
        if is_json:
            self.stdout.write(json.dumps(figures))
            return
        for name, figure in figures.items():
            self.stdout.write(f"{name:12} {figure}")
