"""Registers the pipeline app."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PipelineConfig(AppConfig):
    """The pipeline app."""

    name = "pipeline"
    verbose_name = _("Pipeline")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make known what registers itself: kinds of record, what segments ask and e-mails say of deals, notices."""
        import_module("pipeline.rules.records.kinds")
        import_module("pipeline.rules.mail_places")
        import_module("pipeline.rules.segment_fields")
        import_module("pipeline.rules.merge_fields")
        import_module("pipeline.rules.silence")
        import_module("pipeline.rules.lead_checklists")
        import_module("pipeline.jobs")
