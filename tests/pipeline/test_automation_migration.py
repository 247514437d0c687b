"""Follow-ups that stages gave on entering become lists and rules, and come back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = [("pipeline", "0007_stage_rules")], [("pipeline", "0008_entry_follow_ups_become_rules")]


@pytest.mark.django_db(transaction=True)
def test_entry_follow_ups_become_rules_and_come_back() -> None:
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    try:
        apps = executor.migrate(BEFORE).apps
        stage = apps.get_model("pipeline", "Stage").objects.create(
            pipeline=apps.get_model("pipeline", "Pipeline").objects.create(name="P", slug="p"), name="Meeting", slug="m"
        )
        entries = apps.get_model("pipeline", "EntryFollowUp")
        for name, days in (("Call", 1), ("Write", 3)):
            entries.objects.create(stage=stage, name=name, name_ru="", kind="call", after_days=days)

        apps = MigrationExecutor(connection).migrate(AFTER).apps
        rule = apps.get_model("pipeline", "StageRule").objects.get(stage_id=stage.pk)
        assert (rule.trigger, rule.is_active, rule.active_since is None) == ("entering", True, False)
        given = apps.get_model("pipeline", "FollowUpList").objects.get(pk=rule.actions.get().parameters["list"])
        assert list(given.items.order_by("position").values_list("name", "after_days")) == [("Call", 1), ("Write", 3)]

        entries.objects.all().delete()
        apps = MigrationExecutor(connection).migrate(BEFORE).apps
        assert apps.get_model("pipeline", "EntryFollowUp").objects.filter(stage_id=stage.pk).count() == 2
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(latest)
