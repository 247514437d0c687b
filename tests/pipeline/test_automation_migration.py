"""Follow-ups that stages gave on entering become lists and rules, and come back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

BEFORE, AFTER = [("pipeline", "0007_stage_rules")], [("pipeline", "0008_entry_follow_ups_become_rules")]


class EarlierLoader(MigrationLoader):
    """What a database goes by that was there before the squashed migrations."""

    def load_disk(self) -> None:
        super().load_disk()
        self.disk_migrations = {key: found for key, found in self.disk_migrations.items() if not found.replaces}


def of_old() -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.loader = EarlierLoader(connection)
    return executor


@pytest.mark.django_db(transaction=True)
def test_entry_follow_ups_become_rules_and_come_back() -> None:
    executor = of_old()
    latest = executor.loader.graph.leaf_nodes()
    try:
        apps = executor.migrate(BEFORE).apps
        stage = apps.get_model("pipeline", "Stage").objects.create(
            pipeline=apps.get_model("pipeline", "Pipeline").objects.create(name="P", slug="p"), name="Meeting", slug="m"
        )
        entries = apps.get_model("pipeline", "EntryFollowUp")
        for name, days in (("Call", 1), ("Write", 3)):
            entries.objects.create(stage=stage, name=name, name_ru="", kind="call", after_days=days)

        apps = of_old().migrate(AFTER).apps
        rule = apps.get_model("pipeline", "StageRule").objects.get(stage_id=stage.pk)
        assert (rule.trigger, rule.is_active, rule.active_since is None) == ("entering", True, False)
        given = apps.get_model("pipeline", "FollowUpList").objects.get(pk=rule.actions.get().parameters["list"])
        assert list(given.items.order_by("position").values_list("name", "after_days")) == [("Call", 1), ("Write", 3)]

        entries.objects.all().delete()
        apps = of_old().migrate(BEFORE).apps
        assert apps.get_model("pipeline", "EntryFollowUp").objects.filter(stage_id=stage.pk).count() == 2
    finally:
        executor = of_old()
        executor.migrate(latest)
