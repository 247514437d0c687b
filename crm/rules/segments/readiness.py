"""How near a contact is to buying, by what they did: measured as `Lead.with_readiness` measures leads.

Leads keep the time of their last sign of interest in a column; of contacts it is asked for.
"""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When

from crm.models import Activity, Contact, Lead
from crm.rules.segments.fields import Asking


def readiness_of_contacts(asking: Asking) -> Case:
    """Return the expression for the readiness of a contact: a sign is a touch of theirs, or a good answer to ours."""
    kind = ContentType.objects.get_for_model(Contact)
    is_sign = Q(direction=Activity.Direction.IN) | Q(response=Activity.Response.POSITIVE)
    signs = Activity.objects.present().touches().filter(is_sign, subject_type=kind, subject_id=OuterRef("pk"))
    return Case(
        When(Exists(signs.filter(at__gt=asking.now - Lead.HOT_FOR)), then=Value(Lead.Readiness.HOT)),
        When(Exists(signs.filter(at__gt=asking.now - Lead.WARM_FOR)), then=Value(Lead.Readiness.WARM)),
        default=Value(Lead.Readiness.COLD),
        output_field=CharField(),
    )


def readiness_of_leads(asking: Asking) -> Case:
    """Return the expression for the readiness of a lead."""
    return Lead.readiness_when(asking.now)
