"""Text search finds names in any spelling and script, and phone numbers by their digits.

A generated column is replaced, not altered: PostgreSQL changes its expression only from version 17 on.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Lower, Replace

from crm.models.text import Digits, Joined, OneSpelling

SEARCHED = {
    "company": Joined(F("name"), F("domain"), OneSpelling(F("name"))),
    "contact": Joined(F("name"), F("email"), F("phone"), OneSpelling(F("name")), Digits(F("phone"))),
    "lead": Joined(
        F("name"),
        F("company_name"),
        F("email"),
        F("phone"),
        OneSpelling(F("name")),
        OneSpelling(F("company_name")),
        Digits(F("phone")),
    ),
}


def replaced(name: str, searched: Joined) -> list[migrations.operations.base.Operation]:
    """Replace the column and its indexes."""
    indexes: list[models.Index] = [GinIndex(fields=["search"], name=f"crm_{name}_search", opclasses=("gin_trgm_ops",))]
    if name != "lead":
        indexes.append(models.Index(fields=["search", "id"], name=f"crm_{name}_by_name"))
    column = models.GeneratedField(
        expression=Replace(Lower(searched), Value("ё"), Value("е")), output_field=models.TextField(), db_persist=True
    )
    return [
        *(migrations.RemoveIndex(name, index.name) for index in indexes),
        migrations.RemoveField(name, "search"),
        migrations.AddField(name, "search", column),
        *(migrations.AddIndex(name, index) for index in indexes),
    ]


class Migration(migrations.Migration):
    """The search columns of companies, contacts and leads."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("crm", "0015_emails")]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        operation for name, searched in SEARCHED.items() for operation in replaced(name, searched)
    ]
