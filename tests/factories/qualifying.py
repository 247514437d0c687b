"""The checklist a new organisation begins with."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps

MIGRATION = "crm.migrations.0030_qualifying_questions"


def default_questions() -> None:
    """Ask what a new organisation asks; tests that empty the tables leave none."""
    import_module(MIGRATION).create(apps, None)
