from django.db import migrations

import crm.models.leads


class Migration(migrations.Migration):

    dependencies = [
        ("crm", "0018_fill_answer_by"),
    ]

    operations = [
        migrations.AlterField(
            model_name='lead',
            name='answer_by',
            field=crm.models.leads.AnswerBy(editable=False, verbose_name='to be answered by'),
        ),
    ]
