"""The bin keeps what people delete for 30 days; then it is gone."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.apps import apps
from django.db import transaction
from django.db.models import ProtectedError

from crm.models import FirstAnswer, Recoverable
from crm.models.access import KEPT_IN_BIN
from crm.rules.audit import acting

FIRST_ANSWERS_KEPT = dt.timedelta(days=1)
EMPTIED_AT_ONCE = 500


def empty_bin(*, now: dt.datetime) -> Counter[str]:
    """Delete for good what has lain in the bin for 30 days; what others still refer to stays until they are gone."""
    gone: Counter[str] = Counter()
    kinds = [model for model in apps.get_models() if issubclass(model, Recoverable)]
    for model in reversed(kinds):  # the apps above first: a deal refers to its company
        old = model._default_manager.filter(deleted_at__lt=now - KEPT_IN_BIN).order_by("deleted_at")
        for row in old[:EMPTIED_AT_ONCE]:
            gone[str(model._meta.model_name)] += _delete(row)
    return gone


def forget_first_answers(*, now: dt.datetime) -> int:
    """Throw away the first answers of keyed writes after a day: nobody retries for so long."""
    count, _by_model = FirstAnswer.objects.filter(created_at__lt=now - FIRST_ANSWERS_KEPT).delete()
    return count


def _delete(row: Recoverable) -> bool:
    try:
        with acting(None, note="the bin was emptied"), transaction.atomic():
            row.delete()
    except ProtectedError:
        return False
    return True
