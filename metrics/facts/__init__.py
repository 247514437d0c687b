"""Dated facts, counted by PostgreSQL: one statement answers a fact for many periods and groups at once.

Nothing here depends on a row's present state where a date says what was: the past does not change when somebody moves
a card today.
"""

from metrics.facts.fact import FACTS, Fact
from metrics.facts.gathering import Gathered, gather

# Imported for their declarations.
from metrics.facts import customers, deals, leads, stages, work  # noqa: F401 isort: skip

__all__ = ["FACTS", "Fact", "Gathered", "gather"]
