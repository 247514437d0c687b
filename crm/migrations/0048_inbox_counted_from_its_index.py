from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0047_columns_of_lists'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='lead',
            name='crm_lead_inbox',
        ),
        migrations.AddIndex(
            model_name='lead',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['status', 'owner', '-created_at'], include=('id', 'team', 'first_response_at', 'nurture_until'), name='crm_lead_inbox'),
        ),
        # Whether a lead is new and whether it was answered go together: taken for independent of each other, the
        # planner expects a handful of waiting leads, and sorts them all where their index has them in order.
        migrations.RunSQL(
            'CREATE STATISTICS crm_lead_answered (mcv) ON status, first_response_at FROM crm_lead',
            'DROP STATISTICS crm_lead_answered',
        ),
    ]
