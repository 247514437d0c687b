"""All that came before the first release in one step: a new database is made by this, an old one has it already."""

import crm.models.money
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from crm.models.migrating import Together
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('metrics', '0001_initial'), ('metrics', '0002_spend_of_campaigns')]

    initial = True

    dependencies = [
        ('crm', '0001_squashed_0041_own_languages'),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='Spend',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('on', models.DateField(verbose_name='on')),
                    ('amount', models.DecimalField(decimal_places=2, max_digits=14, validators=[django.core.validators.MinValueValidator(0)], verbose_name='amount')),
                    ('currency', models.CharField(default=crm.models.money.base_currency, max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'Give a currency as three capital letters, such as EUR.')], verbose_name='currency')),
                    ('category', models.CharField(choices=[('sales', 'Sales'), ('marketing', 'Marketing')], default='marketing', max_length=10, verbose_name='category')),
                    ('is_monthly', models.BooleanField(default=False, editable=False, verbose_name='for the whole month')),
                    ('import_key', models.CharField(blank=True, editable=False, max_length=200, null=True, unique=True)),
                    ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='spend', to='crm.campaign', verbose_name='campaign')),
                    ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='spend', to='crm.leadsource', verbose_name='source')),
                ],
                options={
                    'verbose_name': 'spend',
                    'verbose_name_plural': 'spend',
                    'ordering': ('-on', '-pk'),
                    'indexes': [models.Index(fields=['on'], name='metrics_spend_day')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='metrics_spend_not_negative', violation_error_message='Spend is not negative.'), models.UniqueConstraint(condition=models.Q(('is_monthly', True)), fields=('source', 'campaign', 'category', 'on'), name='metrics_spend_one_a_month', nulls_distinct=False)],
                },
            ),
        ]),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='spend',
                trigger=pgtrigger.compiler.Trigger(name='audit_spend', sql=pgtrigger.compiler.UpsertTriggerSql(declare="DECLARE old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}'::jsonb ELSE to_jsonb(OLD) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at'] END; new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}'::jsonb ELSE to_jsonb(NEW) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at'] END; was jsonb; became jsonb;", func="\nIF TG_OP = 'UPDATE' AND old_row = new_row THEN\n    RETURN NULL;\nELSIF TG_OP = 'UPDATE' THEN\n    SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, new_row -> o.key) INTO was, became\n    FROM jsonb_each(old_row) o WHERE o.value IS DISTINCT FROM new_row -> o.key;\nELSE\n    was := jsonb_strip_nulls(old_row);\n    became := jsonb_strip_nulls(new_row);\nEND IF;\nINSERT INTO crm_auditentry (at, actor_id, through, note, kind, record_id, action, before, after)\nVALUES (\n    clock_timestamp(),\n    nullif(current_setting('voronka.actor', true), '')::bigint,\n    coalesce(nullif(current_setting('voronka.through', true), ''), 'system'),\n    coalesce(current_setting('voronka.note', true), ''),\n    'spend',\n    CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END,\n    CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,\n    was,\n    became\n);\nRETURN NULL;\n", hash='424b6245033b858e464f08fe28087753693c1f04', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_audit_spend_4334b', table='metrics_spend', when='AFTER')),
            ),
        ]),
    ]
