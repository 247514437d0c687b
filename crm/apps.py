"""Registers the crm app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    """The crm app."""

    name = "crm"
    verbose_name = _("People and companies")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make known what registers itself: kinds of record to bring in, kinds of notices and their senders."""
        import_module("crm.rules.records.kinds")
        import_module("crm.jobs")
