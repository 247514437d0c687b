"""Versions: what decides who was first where two people, or a person and a program, change one row."""

from __future__ import annotations

import pgtrigger
from django.db import models


class Versioned(models.Model):
    """A row whose `version` rises with every change of what people say of it, whatever code path changes it."""

    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


def raises_version(*fields: str) -> pgtrigger.Trigger:
    """Return the trigger that raises the version where one of `fields` changes; times that follow count for nothing."""
    return pgtrigger.Trigger(
        name="raise_version",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.AnyChange(*fields),
        func="NEW.version = OLD.version + 1; RETURN NEW;",
    )
