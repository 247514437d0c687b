"""Text search finds deals in any spelling and script."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Lower, Replace

from crm.models.text import Joined, OneSpelling

INDEX = GinIndex(fields=["search"], name="pipeline_deal_search", opclasses=("gin_trgm_ops",))


class Migration(migrations.Migration):
    """The search column of deals, replaced: PostgreSQL changes its expression only from version 17 on."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("pipeline", "0003_life_of_deals"),
        ("crm", "0016_search_in_any_spelling"),
    ]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.RemoveIndex("deal", INDEX.name),
        migrations.RemoveField("deal", "search"),
        migrations.AddField(
            "deal",
            "search",
            models.GeneratedField(
                expression=Replace(Lower(Joined(F("name"), OneSpelling(F("name")))), Value("ё"), Value("е")),
                output_field=models.TextField(),
                db_persist=True,
            ),
        ),
        migrations.AddIndex("deal", INDEX),
    ]
