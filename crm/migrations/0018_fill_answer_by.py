"""Leads that are there already are to be answered by when they were before: so many minutes after they came in."""

from typing import Any

from django.conf import settings
from django.db import migrations

FILL = """
    UPDATE crm_lead SET
        answer_by = created_at + wait,
        escalated_at = CASE WHEN created_at + wait <= now() THEN now() END
    FROM (
        SELECT lead.id, make_interval(mins => coalesce(source.respond_within_minutes, %s)) AS wait
        FROM crm_lead lead LEFT JOIN crm_leadsource source ON source.id = lead.source_id
    ) waits
    WHERE waits.id = crm_lead.id AND answer_by IS NULL
"""


def fill(_apps: Any, schema_editor: Any) -> None:
    """Fill the column; nobody is called for clocks that ran out before anybody was called for them."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FILL, [settings.RESPOND_WITHIN_MINUTES])


class Migration(migrations.Migration):
    """The times to answer, as data."""

    dependencies = [("crm", "0017_lead_answer_by")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
