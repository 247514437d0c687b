"""Gives a new organisation its first checklist for leads; an admin changes all of it afterwards."""

from typing import Any

from django.db import migrations

QUESTIONS = (
    ("Budget", "Бюджет", "Is there money for it, and about how much?", "Есть ли на это деньги и примерно сколько?"),
    ("Fit", "Соответствие", "Do we offer what they need?", "Есть ли у нас то, что им нужно?"),
    ("Decision maker", "Лицо, принимающее решение", "Do we talk to who decides?", "Говорим ли мы с тем, кто решает?"),
    ("Need", "Потребность", "What is it to solve, and how badly?", "Какую задачу решают и насколько она остра?"),
    ("Timing", "Сроки", "When do they want to start?", "Когда хотят начать?"),
)


def create(apps: Any, _schema_editor: Any) -> None:
    """Create the default questions where an organisation has none of its own."""
    questions = apps.get_model("crm", "QualifyingQuestion").objects
    if not questions.exists():
        questions.bulk_create(
            questions.model(name=name, name_ru=name_ru, hint=hint, hint_ru=hint_ru, position=position)
            for position, (name, name_ru, hint, hint_ru) in enumerate(QUESTIONS, start=1)
        )


class Migration(migrations.Migration):
    """The default questions, as data."""

    dependencies = [("crm", "0029_qualifying")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop, elidable=False)]
