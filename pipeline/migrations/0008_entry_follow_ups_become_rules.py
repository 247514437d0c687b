"""What a stage gave to deals that entered it becomes a list of follow-ups and a rule that gives it."""

from django.db import migrations
from django.utils import timezone


def make_rules(apps, _schema_editor):
    entries = apps.get_model("pipeline", "EntryFollowUp").objects.select_related("stage")
    model = {name: apps.get_model("pipeline", name) for name in ("FollowUpList", "ListedFollowUp", "StageRule", "StageAction")}
    given = {}
    for entry in entries.order_by("stage_id", "after_days", "pk"):
        stage = entry.stage
        if stage.pk not in given:
            given[stage.pk] = model["FollowUpList"].objects.create(
                name=f"On entering {stage.name}"[:120],
                name_ru=f"При входе на этап «{stage.name_ru or stage.name}»"[:120],
            )
            rule = model["StageRule"].objects.create(
                stage=stage,
                name="Plan follow-ups",
                name_ru="Запланировать следующие шаги",
                trigger="entering",
                is_active=True,
                active_since=timezone.now(),
            )
            model["StageAction"].objects.create(rule=rule, kind="follow_ups", parameters={"list": given[stage.pk].pk})
        listed = model["ListedFollowUp"].objects.filter(given_with=given[stage.pk])
        listed.create(
            given_with=given[stage.pk],
            name=entry.name,
            name_ru=entry.name_ru,
            kind=entry.kind,
            after_days=entry.after_days,
            at_time=entry.at_time,
            position=listed.count() + 1,
        )


def make_entries(apps, _schema_editor):
    """Back: every follow-up that a rule in force gives on entering."""
    entry = apps.get_model("pipeline", "EntryFollowUp")
    listed = apps.get_model("pipeline", "ListedFollowUp")
    actions = apps.get_model("pipeline", "StageAction").objects.filter(kind="follow_ups", rule__trigger="entering")
    for action in actions.filter(rule__is_active=True).select_related("rule"):
        for item in listed.objects.filter(given_with=action.parameters["list"]):
            entry.objects.create(
                stage_id=action.rule.stage_id,
                name=item.name,
                name_ru=item.name_ru,
                kind=item.kind,
                after_days=item.after_days,
                at_time=item.at_time,
            )


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0007_stage_rules")]

    operations = [migrations.RunPython(make_rules, make_entries)]
