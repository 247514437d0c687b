"""Gives a new organisation its first reasons for disqualifying a lead; an admin changes all of them afterwards."""

from typing import Any

from django.db import migrations

REASONS = (
    ("Not a fit", "Не подходит"),
    ("No budget", "Нет бюджета"),
    ("No need now", "Сейчас не нужно"),
    ("Cannot be reached", "Не удаётся связаться"),
    ("Wrong contact details", "Неверные контакты"),
    ("Duplicate", "Дубликат"),
    ("Spam", "Спам"),
)


def create(apps: Any, _schema_editor: Any) -> None:
    """Create the default reasons where an organisation has none of its own."""
    reasons = apps.get_model("crm", "DisqualifyReason").objects
    if not reasons.exists():
        reasons.bulk_create(reasons.model(name=name, name_ru=name_ru) for name, name_ru in REASONS)


class Migration(migrations.Migration):
    """The default disqualify reasons, as data."""

    dependencies = [("crm", "0003_outbox_digests")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, elidable=False)]
