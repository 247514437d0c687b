"""Rules to score by until there is something to learn from, and the signs of interest of leads that are here."""

from typing import Any

from django.db import migrations

RULES = [
    # condition, value, points, name, name in Russian
    ("positive", "", 25, "Reacted positively", "Положительная реакция"),
    ("inbound", "2", 15, "Got in touch twice or more", "Обращался два раза и больше"),
    ("has_company", "", 10, "Named a company", "Назвал компанию"),
    ("has_phone", "", 10, "Left a phone number", "Оставил телефон"),
    ("message_length", "120", 5, "Wrote in detail", "Написал подробно"),
    ("free_mail", "", -10, "Writes from a free mailbox", "Пишет с бесплатной почты"),
    ("quiet_days", "30", -20, "Silent for a month", "Молчит месяц"),
    ("negative", "", -25, "Reacted negatively", "Отрицательная реакция"),
]

FILL_SIGNS = """
UPDATE crm_lead SET last_sign_at = signs.at FROM (
    SELECT a.subject_id, max(a.at) AS at FROM crm_activity a
    JOIN django_content_type t ON t.id = a.subject_type_id AND t.app_label = 'crm' AND t.model = 'lead'
    WHERE a.deleted_at IS NULL AND a.kind <> 'note' AND (a.direction = 'in' OR a.response = 'positive')
    GROUP BY a.subject_id
) signs WHERE signs.subject_id = crm_lead.id
"""


def create_rules(apps: Any, _schema_editor: Any) -> None:
    rules = apps.get_model("crm", "ScoreRule")
    rules.objects.bulk_create(
        rules(condition=condition, value=value, points=points, name=name, name_ru=name_ru)
        for condition, value, points, name, name_ru in RULES
    )


class Migration(migrations.Migration):
    dependencies = [("crm", "0012_lead_scores")]

    operations = [
        migrations.RunPython(create_rules, migrations.RunPython.noop, elidable=True),
        migrations.RunSQL(FILL_SIGNS, migrations.RunSQL.noop, elidable=True),
    ]
