"""Gives a new organisation its first pipeline."""

from typing import Any

from django.db import migrations

from pipeline.default_pipeline import create_default_pipeline


def create(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 (Django's signature)
    """Create the seven default stages and the loss reasons."""
    models = (apps.get_model("pipeline", name) for name in ("Pipeline", "Stage", "LossReason"))
    create_default_pipeline(*(model._default_manager for model in models))


class Migration(migrations.Migration):
    """The default pipeline, as data."""

    dependencies = [("pipeline", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, elidable=False)]
