"""How ready somebody is to buy, by what they did: cold, warm or hot.

Hot: they answered well, or met with us, within 14 days, or wrote or called three times within 30. Warm: they were heard
from at all, or met, within 60 days. Everybody else is cold.
"""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, Count, Exists, OuterRef, Q, Value, When
from django.utils.translation import pgettext_lazy

from crm.models import Activity
from crm.rules.segments.fields import Asking

HOT_DAYS, BUSY_DAYS, WARM_DAYS = 14, 30, 60
BUSY = 3

READINESS = (
    ("cold", pgettext_lazy("readiness", "cold")),
    ("warm", pgettext_lazy("readiness", "warm")),
    ("hot", pgettext_lazy("readiness", "hot")),
)


def readiness_of(model: Any, asking: Asking) -> Case:
    """Return the expression for the readiness of a row of `model`: a lead or a contact."""
    theirs = _activities(model)
    heard = Q(direction=Activity.Direction.IN) | Q(kind=Activity.Kind.MEETING)
    keen = Q(response=Activity.Response.POSITIVE) | Q(kind=Activity.Kind.MEETING)
    inbound = theirs.filter(direction=Activity.Direction.IN, at__gte=asking.days_ago(BUSY_DAYS))
    busy = inbound.order_by().values("subject_id").annotate(times=Count("pk")).filter(times__gte=BUSY)
    is_hot = Exists(theirs.filter(keen, at__gte=asking.days_ago(HOT_DAYS), at__lte=asking.now)) | Exists(busy)
    is_warm = Exists(theirs.filter(heard | keen, at__gte=asking.days_ago(WARM_DAYS), at__lte=asking.now))
    return Case(When(is_hot, then=Value("hot")), When(is_warm, then=Value("warm")), default=Value("cold"))


def _activities(model: Any) -> Any:
    kind = ContentType.objects.get_for_model(model)
    return Activity.objects.present().touches().filter(subject_type=kind, subject_id=OuterRef("pk"))
