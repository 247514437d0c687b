"""Why two records may be the same person or organisation, and how sure that is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """What two records have in common."""

    EMAIL = "email", _("same e-mail")
    PHONE = "phone", _("same phone")
    DOMAIN = "domain", _("same domain")
    NAME = "name", _("same name")
    SIMILAR_NAME = "similar_name", _("similar name")
    COMPANY = "company", _("same company")


class Strength(models.IntegerChoices):
    """How sure it is that two records are one."""

    POSSIBLE = 1, _("Possibly the same")
    LIKELY = 2, _("Probably the same")
    CERTAIN = 3, _("Surely the same")
