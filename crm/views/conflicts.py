"""What to say to the one who came second: who changed what, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from crm.models import AuditEntry, User, kind_of
from crm.templatetags.formats import NO_DATA


@dataclass(frozen=True)
class Difference:
    """A field that is now another than the person typed."""

    label: str
    now: str


@dataclass(frozen=True)
class Conflict:
    """Who changed the record, when, and where it now differs from the form."""

    who: User | None
    at: dt.datetime | None
    differences: Sequence[Difference]


def conflict_with(fresh: Any, form: forms.BaseForm) -> Conflict:
    """Compare what was typed into `form` with the record as it is now."""
    last = AuditEntry.objects.about(kind_of(fresh), fresh.pk).select_related("actor").first()
    differences = [
        Difference(str(form.fields[name].label), _written(getattr(fresh, name)))
        for name, typed in form.cleaned_data.items()
        if name != "version" and hasattr(fresh, name) and typed != getattr(fresh, name)
    ]
    return Conflict(last.actor if last else None, last.at if last else None, differences)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or NO_DATA
    return NO_DATA if value in {None, ""} else str(value)
