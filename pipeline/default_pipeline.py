"""The pipeline a new organisation starts with; an admin changes all of it afterwards."""

from __future__ import annotations

from typing import Any

SLUG = "sales"

STAGES = (
    # slug, name, name in Russian, colour, probability %, rotting after days
    ("prospecting", "Prospecting", "Разведка", "slate", 10, 21),
    ("qualification", "Qualification", "Квалификация", "cyan", 20, 14),
    ("meeting", "Meeting", "Встреча", "blue", 35, 21),
    ("proposal", "Proposal", "Предложение", "indigo", 50, 14),
    ("negotiation", "Negotiation", "Переговоры", "purple", 65, 14),
    ("close", "Close", "Закрытие", "plum", 85, 10),
    ("fulfilment", "Fulfilment", "Исполнение", "teal", 100, None),
)

LOSS_REASONS = (
    ("Price", "Цена"),
    ("Chose a competitor", "Выбрали конкурента"),
    ("No budget", "Нет бюджета"),
    ("No decision", "Решение не принято"),
    ("Not a fit", "Не подходит"),
    ("Stopped answering", "Перестали отвечать"),
)


def create_default_pipeline(pipelines: Any, stages: Any, loss_reasons: Any) -> Any:
    """Create the pipeline with the given models' managers (a migration passes historical ones); return it."""
    pipeline, is_new = pipelines.get_or_create(slug=SLUG, defaults={"name": "Sales", "name_ru": "Продажи"})
    if is_new:
        stages.bulk_create(
            stages.model(
                pipeline=pipeline,
                slug=slug,
                name=name,
                name_ru=name_ru,
                color=color,
                probability=probability,
                rotting_days=rotting_days,
                kind="won" if slug == "fulfilment" else "open",
                position=position,
            )
            for position, (slug, name, name_ru, color, probability, rotting_days) in enumerate(STAGES, start=1)
        )
        loss_reasons.bulk_create(
            loss_reasons.model(name=name, name_ru=name_ru, position=position)
            for position, (name, name_ru) in enumerate(LOSS_REASONS, start=1)
        )
    return pipeline
