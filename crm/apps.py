"""Registers the crm app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    """The crm app."""

    name = "crm"
    verbose_name = _("People and companies")
    default_auto_field = "django.db.models.BigAutoField"
