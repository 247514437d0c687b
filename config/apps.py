"""The project itself as an app, so that it can carry commands and system checks."""

from typing import Any

from django.apps import AppConfig, apps
from django.core.management import call_command
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    """Commands (`build_assets`) and checks of the whole project."""

    name = "config"

    def ready(self) -> None:
        """Register the checks, and see to it that whoever migrates has the cache's table too."""
        from config import checks  # noqa: F401 (imported for its registrations)

        post_migrate.connect(_make_cache_table, sender=apps.get_app_config("crm"))


def _make_cache_table(using: str, **_kwargs: Any) -> None:
    call_command("createcachetable", database=using, verbosity=0)
