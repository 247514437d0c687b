"""What people had chosen for all reminders becomes their choice for each kind."""

from django.db import migrations

KINDS = ("reminder", "rotting")


def choose_by_kind(apps, _schema_editor):
    choice = apps.get_model("crm", "NotificationChoice")
    people = apps.get_model("crm", "User").objects.exclude(reminds_by_email=True, reminds_in_page=True)
    choice.objects.bulk_create(
        choice(
            user=person,
            kind=kind,
            in_page=person.reminds_in_page,
            by_mail="at_once" if person.reminds_by_email else "never",
        )
        for person in people
        for kind in KINDS
    )


def choose_for_all(apps, _schema_editor):
    choices = apps.get_model("crm", "NotificationChoice").objects.filter(kind="reminder")
    for chosen in choices.select_related("user"):
        chosen.user.reminds_in_page, chosen.user.reminds_by_email = chosen.in_page, chosen.by_mail != "never"
        chosen.user.save(update_fields=["reminds_in_page", "reminds_by_email"])


class Migration(migrations.Migration):
    dependencies = [("crm", "0023_channels_and_attempts")]
    operations = [migrations.RunPython(choose_by_kind, choose_for_all)]
