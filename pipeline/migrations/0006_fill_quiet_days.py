"""Gives the stages of the default pipeline, where nobody has changed them, the days after which a deal is quiet."""

from typing import Any

from django.db import migrations

QUIET_DAYS = {"prospecting": 14, "qualification": 10, "meeting": 10, "proposal": 7, "negotiation": 7, "close": 5}


def fill(apps: Any, _schema_editor: Any) -> None:
    stages = apps.get_model("pipeline", "Stage").objects.filter(pipeline__slug="sales", quiet_days=None)
    for slug, days in QUIET_DAYS.items():
        stages.filter(slug=slug, kind="open").update(quiet_days=days)


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0005_quiet_days_and_alerts")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
