"""All that came before the first release in one step: a new database is made by this, an old one has it already."""

import crm.models.money
import crm.models.text
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import pipeline.models.ranges
from crm.models.migrating import Together
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models
from importlib import import_module


def _before(name):
    """What an earlier migration did beside the tables."""
    return import_module(f"pipeline.migrations.{name}")


class Migration(migrations.Migration):

    replaces = [('pipeline', '0001_initial'), ('pipeline', '0002_default_pipeline'), ('pipeline', '0003_life_of_deals'), ('pipeline', '0004_search_in_any_spelling'), ('pipeline', '0005_quiet_days_and_alerts'), ('pipeline', '0006_fill_quiet_days'), ('pipeline', '0007_stage_rules'), ('pipeline', '0008_entry_follow_ups_become_rules'), ('pipeline', '0009_entry_follow_ups_gone')]

    initial = True

    dependencies = [
        ('crm', '0001_squashed_0041_own_languages'),
        ('crm', '__first__'),
    ]

    operations = [
        Together([
            migrations.CreateModel(
                name='FollowUpList',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('name_ru', models.CharField(blank=True, max_length=120, verbose_name='name in Russian')),
                ],
                options={
                    'verbose_name': 'list of follow-ups',
                    'verbose_name_plural': 'lists of follow-ups',
                    'ordering': ('name', 'pk'),
                },
            ),
            migrations.CreateModel(
                name='Product',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=200, unique=True, verbose_name='name')),
                    ('price', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, verbose_name='price')),
                    ('currency', models.CharField(default=crm.models.money.base_currency, max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'Give a currency as three capital letters, such as EUR.')], verbose_name='currency')),
                    ('is_archived', models.BooleanField(default=False, verbose_name='archived')),
                ],
                options={
                    'verbose_name': 'product',
                    'verbose_name_plural': 'products',
                    'ordering': ('name',),
                },
            ),
            migrations.CreateModel(
                name='ListedFollowUp',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('name_ru', models.CharField(blank=True, max_length=120, verbose_name='name in Russian')),
                    ('kind', models.CharField(choices=[('call', 'Call'), ('email', 'Write'), ('meeting', 'Meet'), ('task', 'Do')], default='task', max_length=10, verbose_name='kind')),
                    ('after_days', models.PositiveIntegerField(default=1, validators=[django.core.validators.MaxValueValidator(3650)], verbose_name='after days')),
                    ('at_time', models.TimeField(default='10:00', verbose_name='at')),
                    ('position', models.PositiveIntegerField(db_index=True, default=0, verbose_name='position')),
                    ('given_with', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='pipeline.followuplist', verbose_name='list')),
                ],
                options={
                    'verbose_name': 'follow-up of a list',
                    'verbose_name_plural': 'follow-ups of the list',
                    'ordering': ('given_with', 'position', 'pk'),
                },
            ),
            migrations.CreateModel(
                name='Pipeline',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('name_ru', models.CharField(blank=True, max_length=120, verbose_name='name in Russian')),
                    ('slug', models.SlugField(unique=True, verbose_name='slug')),
                    ('position', models.PositiveIntegerField(db_index=True, default=0, verbose_name='position')),
                    ('is_archived', models.BooleanField(default=False, verbose_name='archived')),
                    ('teams', models.ManyToManyField(blank=True, help_text='Empty: everybody works in it.', related_name='pipelines', to='crm.team', verbose_name='teams')),
                ],
                options={
                    'verbose_name': 'pipeline',
                    'verbose_name_plural': 'pipelines',
                    'ordering': ('position', 'pk'),
                },
            ),
            migrations.CreateModel(
                name='LossReason',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('name_ru', models.CharField(blank=True, max_length=120, verbose_name='name in Russian')),
                    ('position', models.PositiveIntegerField(db_index=True, default=0, verbose_name='position')),
                    ('is_archived', models.BooleanField(default=False, verbose_name='archived')),
                    ('pipeline', models.ForeignKey(blank=True, help_text='Empty: for every pipeline.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='loss_reasons', to='pipeline.pipeline', verbose_name='pipeline')),
                ],
                options={
                    'verbose_name': 'loss reason',
                    'verbose_name_plural': 'loss reasons',
                    'ordering': ('position', 'pk'),
                },
            ),
            migrations.CreateModel(
                name='Deal',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('next_step_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('last_touch_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('name', models.CharField(max_length=200, verbose_name='name')),
                    ('external_id', models.CharField(blank=True, max_length=100, null=True, unique=True, verbose_name='external id')),
                    ('rank', models.CharField(db_collation='C', editable=False, max_length=200)),
                    ('outcome', models.CharField(choices=[('open', 'Open'), ('won', 'Won'), ('lost', 'Lost')], default='open', max_length=4, verbose_name='outcome')),
                    ('amount', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='amount')),
                    ('currency', models.CharField(default=crm.models.money.base_currency, max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'Give a currency as three capital letters, such as EUR.')], verbose_name='currency')),
                    ('expected_close_on', models.DateField(blank=True, null=True, verbose_name='expected close')),
                    ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='tags')),
                    ('created_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True, verbose_name='created')),
                    ('recorded_at', models.DateTimeField(auto_now_add=True)),
                    ('stage_entered_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('won_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='won')),
                    ('lost_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='lost')),
                    ('loss_note', models.TextField(blank=True, max_length=10000, verbose_name='how it was lost')),
                    ('competitor', models.CharField(blank=True, max_length=120, verbose_name='competitor')),
                    ('version', models.PositiveIntegerField(default=1, editable=False)),
                    ('search', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Replace(django.db.models.functions.text.Lower(crm.models.text.Joined(models.F('name'), crm.models.text.OneSpelling(models.F('name')))), models.Value('ё'), models.Value('е')), output_field=models.TextField())),
                    ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='crm.campaign', verbose_name='campaign')),
                    ('closing_owner', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('company', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='crm.company', verbose_name='company')),
                    ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='crm.contact', verbose_name='contact')),
                    ('lead', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deal', to='crm.lead', verbose_name='lead')),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deals', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                    ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='crm.leadsource', verbose_name='source')),
                    ('loss_reason', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pipeline.lossreason', verbose_name='loss reason')),
                    ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='pipeline.pipeline', verbose_name='pipeline')),
                    ('stage', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='pipeline.stage', verbose_name='stage')),
                ],
                options={
                    'verbose_name': 'deal',
                    'verbose_name_plural': 'deals',
                    'ordering': ('-recorded_at', '-pk'),
                    'indexes': [models.Index(condition=models.Q(('deleted_at', None), ('outcome', 'open')), fields=['stage', 'rank', 'id'], name='pipeline_deal_column'), models.Index(condition=models.Q(('deleted_at', None), ('outcome', 'open')), fields=['owner', 'stage', 'rank', 'id'], name='pipeline_deal_own_column'), models.Index(condition=models.Q(('deleted_at', None), ('next_step_at__isnull', False), ('outcome', 'open')), fields=['stage', 'next_step_at', 'owner'], name='pipeline_deal_next_step'), models.Index(condition=models.Q(('outcome', 'won')), fields=['stage', 'won_at'], name='pipeline_deal_won_column'), models.Index(condition=models.Q(('outcome', 'won')), fields=['won_at'], name='pipeline_deal_won'), models.Index(condition=models.Q(('outcome', 'lost')), fields=['lost_at'], name='pipeline_deal_lost'), models.Index(fields=['-recorded_at', '-id'], name='pipeline_deal_newest'), models.Index(fields=['owner', '-recorded_at', '-id'], name='pipeline_deal_own_newest'), django.contrib.postgres.indexes.GistIndex(pipeline.models.ranges.TimeRange(models.F('created_at'), django.db.models.functions.comparison.Coalesce('won_at', 'lost_at')), name='pipeline_deal_life'), django.contrib.postgres.indexes.GinIndex(fields=['search'], name='pipeline_deal_search', opclasses=('gin_trgm_ops',))],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('lost_at', None), ('outcome', 'open'), ('won_at', None)), models.Q(('lost_at', None), ('outcome', 'won'), ('won_at__isnull', False)), models.Q(('lost_at__isnull', False), ('outcome', 'lost'), ('won_at', None)), _connector='OR'), name='pipeline_deal_outcome_has_its_time', violation_error_message='A won deal says when it was won, a lost one when it was lost, never both.'), models.CheckConstraint(condition=models.Q(('created_at', None), ('outcome', 'open'), ('won_at__gte', models.F('created_at')), ('lost_at__gte', models.F('created_at')), _connector='OR'), name='pipeline_deal_closed_after_created', violation_error_message='A deal cannot be closed before it was created.'), models.CheckConstraint(condition=models.Q(('amount', None), ('amount__gte', 0), _connector='OR'), name='pipeline_deal_amount_not_negative', violation_error_message='An amount is not negative.')],
                },
            ),
            migrations.CreateModel(
                name='LineItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('quantity', models.DecimalField(decimal_places=3, default=1, max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name='quantity')),
                    ('unit_price', models.DecimalField(decimal_places=2, max_digits=14, validators=[django.core.validators.MinValueValidator(0)], verbose_name='unit price')),
                    ('deal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='line_items', to='pipeline.deal', verbose_name='deal')),
                    ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pipeline.product', verbose_name='product')),
                ],
                options={
                    'verbose_name': 'line item',
                    'verbose_name_plural': 'line items',
                    'ordering': ('pk',),
                },
            ),
            migrations.CreateModel(
                name='Stage',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('name_ru', models.CharField(blank=True, max_length=120, verbose_name='name in Russian')),
                    ('slug', models.SlugField(verbose_name='slug')),
                    ('position', models.PositiveIntegerField(db_index=True, default=0, verbose_name='position')),
                    ('kind', models.CharField(choices=[('open', 'Open'), ('won', 'Won')], default='open', max_length=4, verbose_name='kind')),
                    ('probability', models.DecimalField(decimal_places=2, default=Decimal(0), max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal(0)), django.core.validators.MaxValueValidator(Decimal(100))], verbose_name='probability, %')),
                    ('rotting_days', models.PositiveIntegerField(blank=True, help_text='Empty: a deal may stay as long as it likes.', null=True, verbose_name='rotting after, days')),
                    ('quiet_days', models.PositiveIntegerField(blank=True, help_text='Without an answer or a meeting for so long, a deal has gone quiet. Empty: never.', null=True, verbose_name='quiet after, days')),
                    ('color', models.CharField(choices=[('slate', 'slate'), ('cyan', 'cyan'), ('blue', 'blue'), ('indigo', 'indigo'), ('purple', 'purple'), ('plum', 'plum'), ('teal', 'teal'), ('clay', 'clay'), ('olive', 'olive'), ('graphite', 'graphite')], default='slate', max_length=10, verbose_name='colour')),
                    ('required_fields', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('amount', 'Amount'), ('company', 'Company'), ('contact', 'Contact'), ('expected_close_on', 'Expected close'), ('source', 'Source')], max_length=30), blank=True, default=list, size=None, verbose_name='required on entering')),
                    ('playbook', models.TextField(blank=True, verbose_name='playbook')),
                    ('playbook_ru', models.TextField(blank=True, verbose_name='playbook in Russian')),
                    ('is_archived', models.BooleanField(default=False, verbose_name='archived')),
                    ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stages', to='pipeline.pipeline', verbose_name='pipeline')),
                ],
                options={
                    'verbose_name': 'stage',
                    'verbose_name_plural': 'stages',
                    'ordering': ('pipeline', 'position', 'pk'),
                    'constraints': [models.UniqueConstraint(fields=('pipeline', 'slug'), name='pipeline_stage_slug_once'), models.CheckConstraint(condition=models.Q(('probability__gte', 0), ('probability__lte', 100)), name='pipeline_stage_probability_percent', violation_error_message='A probability lies between 0 and 100 %.')],
                },
            ),
            migrations.CreateModel(
                name='ChecklistItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('name_ru', models.CharField(blank=True, max_length=120, verbose_name='name in Russian')),
                    ('is_required', models.BooleanField(default=False, verbose_name='needed to move on')),
                    ('position', models.PositiveIntegerField(db_index=True, default=0, verbose_name='position')),
                    ('stage', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='checklist', to='pipeline.stage', verbose_name='stage')),
                ],
                options={
                    'verbose_name': 'checklist item',
                    'verbose_name_plural': 'checklist',
                    'ordering': ('stage', 'position', 'pk'),
                },
            ),
            migrations.CreateModel(
                name='StageProbabilityChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('before', models.DecimalField(decimal_places=2, max_digits=5)),
                    ('stage', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='probability_changes', to='pipeline.stage')),
                ],
                options={
                    'indexes': [models.Index(fields=['stage', 'at'], name='pipeline_stageprob_as_of')],
                },
            ),
            migrations.CreateModel(
                name='StageRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('name_ru', models.CharField(blank=True, max_length=120, verbose_name='name in Russian')),
                    ('trigger', models.CharField(choices=[('entering', 'when a deal enters'), ('staying', 'when a deal has stayed for so many days'), ('leaving', 'when a deal moves on to another stage')], default='entering', max_length=8, verbose_name='when')),
                    ('days', models.PositiveIntegerField(blank=True, help_text='Only for a rule about staying: after how many days in the stage.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='days')),
                    ('is_active', models.BooleanField(default=False, help_text='Look at the dry run first: it shows what would have happened.', verbose_name='in force')),
                    ('active_since', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='in force since')),
                    ('position', models.PositiveIntegerField(db_index=True, default=0, verbose_name='position')),
                    ('least_amount', models.DecimalField(blank=True, decimal_places=2, help_text='In the base currency; a deal without an amount does not meet it.', max_digits=14, null=True, validators=[django.core.validators.MinValueValidator(Decimal(0))], verbose_name='amount from')),
                    ('tag', models.CharField(blank=True, max_length=40, verbose_name='with this tag')),
                    ('is_unplanned', models.BooleanField(default=False, verbose_name='only while nothing is planned')),
                    ('sources', models.ManyToManyField(blank=True, related_name='+', to='crm.leadsource', verbose_name='of these sources')),
                    ('stage', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='pipeline.stage', verbose_name='stage')),
                    ('teams', models.ManyToManyField(blank=True, related_name='+', to='crm.team', verbose_name='of owners in these teams')),
                ],
                options={
                    'verbose_name': 'stage rule',
                    'verbose_name_plural': 'stage rules',
                    'ordering': ('stage', 'position', 'pk'),
                    'indexes': [models.Index(condition=models.Q(('is_active', True)), fields=['stage', 'trigger'], name='pipeline_stagerule_asked')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('days__gte', 1), ('trigger', 'staying')), models.Q(models.Q(('trigger', 'staying'), _negated=True), ('days', None)), _connector='OR'), name='pipeline_stagerule_days_of_staying', violation_error_message='A rule about staying says after how many days; no other rule does.'), models.CheckConstraint(condition=models.Q(('is_active', False), ('active_since__isnull', False), _connector='OR'), name='pipeline_stagerule_active_since', violation_error_message='A rule in force says since when.')],
                },
            ),
            migrations.CreateModel(
                name='StageAction',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=30, verbose_name='kind')),
                    ('parameters', models.JSONField(blank=True, default=dict, verbose_name='parameters')),
                    ('position', models.PositiveIntegerField(db_index=True, default=0, verbose_name='position')),
                    ('turns', models.JSONField(default=dict, editable=False)),
                    ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='pipeline.stagerule', verbose_name='rule')),
                ],
                options={
                    'verbose_name': 'action',
                    'verbose_name_plural': 'actions',
                    'ordering': ('rule', 'position', 'pk'),
                },
            ),
            migrations.CreateModel(
                name='StageTotal',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(max_length=3)),
                    ('deals', models.BigIntegerField()),
                    ('planned', models.BigIntegerField(default=0)),
                    ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                    ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('stage', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='totals', to='pipeline.stage')),
                ],
                options={
                    'indexes': [models.Index(fields=['stage', 'owner'], name='pipeline_total_header')],
                },
            ),
            migrations.CreateModel(
                name='StageVisit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('entered_at', models.DateTimeField(null=True, verbose_name='entered')),
                    ('left_at', models.DateTimeField(blank=True, null=True, verbose_name='left')),
                    ('direction', models.CharField(choices=[('start', 'start'), ('forward', 'forward'), ('back', 'back')], default='start', max_length=7, verbose_name='direction')),
                    ('recorded_at', models.DateTimeField(auto_now_add=True)),
                    ('reverted_at', models.DateTimeField(blank=True, null=True, verbose_name='undone')),
                    ('deal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='visits', to='pipeline.deal', verbose_name='deal')),
                    ('moved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='moved by')),
                    ('stage', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='pipeline.stage', verbose_name='stage')),
                ],
                options={
                    'verbose_name': 'stage visit',
                    'verbose_name_plural': 'stage visits',
                    'ordering': ('deal', models.OrderBy(models.F('entered_at'), nulls_first=True), 'pk'),
                    'indexes': [models.Index(condition=models.Q(('reverted_at', None)), fields=['left_at'], name='pipeline_visit_left'), models.Index(condition=models.Q(('reverted_at', None)), fields=['stage', 'entered_at', 'deal'], name='pipeline_visit_reached')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('left_at', None), ('entered_at', None), ('left_at__gte', models.F('entered_at')), _connector='OR'), name='pipeline_visit_ends_after_it_begins', violation_error_message='A stay cannot end before it began.')],
                },
            ),
            migrations.CreateModel(
                name='RuleFiring',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('waiting', 'waiting'), ('done', 'done'), ('dropped', 'not needed'), ('stopped', 'stopped: rules in a circle'), ('failed', 'failed')], default='waiting', max_length=7, verbose_name='state')),
                    ('at', models.DateTimeField(verbose_name='came true')),
                    ('due_at', models.DateTimeField(verbose_name='due')),
                    ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                    ('results', models.JSONField(blank=True, default=list, verbose_name='results')),
                    ('reason', models.CharField(blank=True, max_length=40, verbose_name='reason')),
                    ('error', models.TextField(blank=True, verbose_name='error')),
                    ('depth', models.PositiveSmallIntegerField(default=0, verbose_name='depth')),
                    ('serial', models.PositiveSmallIntegerField(default=1)),
                    ('deal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='firings', to='pipeline.deal', verbose_name='deal')),
                    ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='firings', to='pipeline.stagerule', verbose_name='rule')),
                    ('opened', models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='opened_by_firing', to='pipeline.stagevisit')),
                    ('visit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='firings', to='pipeline.stagevisit', verbose_name='stay')),
                ],
                options={
                    'verbose_name': 'firing',
                    'verbose_name_plural': 'firings',
                    'ordering': ('-at', '-pk'),
                    'constraints': [models.UniqueConstraint(fields=('deal', 'rule', 'visit'), name='pipeline_firing_once_a_stay')],
                },
            ),
            migrations.CreateModel(
                name='StayAlert',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('unplanned', 'Nothing planned'), ('quiet', 'Gone quiet')], max_length=10)),
                    ('at', models.DateTimeField(default=django.utils.timezone.now)),
                    ('visit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alerts', to='pipeline.stagevisit')),
                ],
                options={
                    'verbose_name': 'alert of a stay',
                    'verbose_name_plural': 'alerts of stays',
                    'constraints': [models.UniqueConstraint(fields=('visit', 'kind'), name='pipeline_alert_once_a_stay')],
                },
            ),
            migrations.CreateModel(
                name='Contract',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('external_id', models.CharField(blank=True, max_length=100, null=True, unique=True, verbose_name='external id')),
                    ('starts_on', models.DateField(verbose_name='starts on')),
                    ('ends_on', models.DateField(blank=True, help_text='The first day without it.', null=True, verbose_name='ends on')),
                    ('cancelled_on', models.DateField(blank=True, null=True, verbose_name='cancelled on')),
                    ('monthly_value', models.DecimalField(decimal_places=2, default=Decimal(0), max_digits=14, validators=[django.core.validators.MinValueValidator(0)], verbose_name='monthly value')),
                    ('currency', models.CharField(default=crm.models.money.base_currency, max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'Give a currency as three capital letters, such as EUR.')], verbose_name='currency')),
                    ('churn_reason', models.CharField(blank=True, max_length=200, verbose_name='why they left')),
                    ('recorded_at', models.DateTimeField(auto_now_add=True)),
                    ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contracts', to='crm.company', verbose_name='company')),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                    ('deal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='contracts', to='pipeline.deal', verbose_name='deal')),
                ],
                options={
                    'verbose_name': 'contract',
                    'verbose_name_plural': 'contracts',
                    'ordering': ('-starts_on', '-pk'),
                    'indexes': [models.Index(fields=['starts_on', 'ends_on'], name='pipeline_contract_term')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gt', models.F('starts_on')), _connector='OR'), name='pipeline_contract_ends_after_start', violation_error_message='A contract ends after it starts.'), models.CheckConstraint(condition=models.Q(('cancelled_on', None), ('cancelled_on__gte', models.F('starts_on')), _connector='OR'), name='pipeline_contract_cancelled_after_start', violation_error_message='A contract cannot be cancelled before it starts.'), models.CheckConstraint(condition=models.Q(('monthly_value__gte', 0)), name='pipeline_contract_value_not_negative', violation_error_message='A monthly value is not negative.')],
                },
            ),
            migrations.CreateModel(
                name='ChecklistTick',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField(default=django.utils.timezone.now)),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='pipeline.checklistitem')),
                    ('deal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ticks', to='pipeline.deal')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('deal', 'item'), name='pipeline_tick_once')],
                },
            ),
            migrations.CreateModel(
                name='DealAmountChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('amount', models.DecimalField(decimal_places=2, max_digits=14, null=True)),
                    ('currency', models.CharField(max_length=3)),
                    ('deal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='amount_changes', to='pipeline.deal')),
                ],
                options={
                    'indexes': [models.Index(fields=['deal', 'at'], name='pipeline_dealamount_as_of')],
                },
            ),
        ]),
        # In this order, as it always was: PostgreSQL names the first of the two that a second open stay offends.
        migrations.AddConstraint(
            model_name='stagevisit',
            constraint=models.UniqueConstraint(condition=models.Q(('left_at', None), ('reverted_at', None)), fields=('deal',), name='pipeline_visit_one_open', violation_error_message='A deal stands in one stage at a time.'),
        ),
        migrations.AddConstraint(
            model_name='stagevisit',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('reverted_at', None)), expressions=[(models.F('deal'), '='), (pipeline.models.ranges.TimeRange(models.F('entered_at'), models.F('left_at')), '&&')], name='pipeline_visit_no_overlap', violation_error_message='Two stays of one deal overlap.'),
        ),
        Together([
            pgtrigger.migrations.AddTrigger(
                model_name='stage',
                trigger=pgtrigger.compiler.Trigger(name='probability_history', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.probability <> NEW.probability)', func='\n        INSERT INTO pipeline_stageprobabilitychange (stage_id, at, before) VALUES (OLD.id, now(), OLD.probability);\n        RETURN NULL;\n    ', hash='1dedfd172a394c7559b2ff5f42a7e8416081bd87', operation='UPDATE OF "probability"', pgid='pgtrigger_probability_history_ff465', table='pipeline_stage', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stage',
                trigger=pgtrigger.compiler.Trigger(name='audit_stage', sql=pgtrigger.compiler.UpsertTriggerSql(declare="DECLARE old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}'::jsonb ELSE to_jsonb(OLD) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at'] END; new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}'::jsonb ELSE to_jsonb(NEW) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at'] END; was jsonb; became jsonb;", func="\nIF TG_OP = 'UPDATE' AND old_row = new_row THEN\n    RETURN NULL;\nELSIF TG_OP = 'UPDATE' THEN\n    SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, new_row -> o.key) INTO was, became\n    FROM jsonb_each(old_row) o WHERE o.value IS DISTINCT FROM new_row -> o.key;\nELSE\n    was := jsonb_strip_nulls(old_row);\n    became := jsonb_strip_nulls(new_row);\nEND IF;\nINSERT INTO crm_auditentry (at, actor_id, through, note, kind, record_id, action, before, after)\nVALUES (\n    clock_timestamp(),\n    nullif(current_setting('voronka.actor', true), '')::bigint,\n    coalesce(nullif(current_setting('voronka.through', true), ''), 'system'),\n    coalesce(current_setting('voronka.note', true), ''),\n    'stage',\n    CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END,\n    CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,\n    was,\n    became\n);\nRETURN NULL;\n", hash='f4186285bf432b51c6542effc781251827370694', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_audit_stage_90eee', table='pipeline_stage', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deal',
                trigger=pgtrigger.compiler.Trigger(name='totals_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            INSERT INTO pipeline_stagetotal (stage_id, owner_id, currency, deals, planned, amount)\n            SELECT stage_id, owner_id, currency, sum(sign), coalesce(sum(sign) FILTER (WHERE next_step_at IS NOT NULL), 0),\n                   sum(sign * coalesce(amount, 0))\n            FROM (SELECT 1 AS sign, * FROM new_rows) AS changed\n            WHERE outcome = 'open' AND deleted_at IS NULL\n            GROUP BY stage_id, owner_id, currency\n            HAVING sum(sign) <> 0 OR sum(sign * coalesce(amount, 0)) <> 0\n                OR sum(sign) FILTER (WHERE next_step_at IS NOT NULL) <> 0;\n            RETURN NULL;\n        ", hash='759654d3ae9790b8bd13382af99a878605ae7c5b', level='STATEMENT', operation='INSERT', pgid='pgtrigger_totals_insert_320f8', referencing='REFERENCING NEW TABLE AS new_rows ', table='pipeline_deal', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deal',
                trigger=pgtrigger.compiler.Trigger(name='totals_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            INSERT INTO pipeline_stagetotal (stage_id, owner_id, currency, deals, planned, amount)\n            SELECT stage_id, owner_id, currency, sum(sign), coalesce(sum(sign) FILTER (WHERE next_step_at IS NOT NULL), 0),\n                   sum(sign * coalesce(amount, 0))\n            FROM (SELECT -1 AS sign, * FROM old_rows) AS changed\n            WHERE outcome = 'open' AND deleted_at IS NULL\n            GROUP BY stage_id, owner_id, currency\n            HAVING sum(sign) <> 0 OR sum(sign * coalesce(amount, 0)) <> 0\n                OR sum(sign) FILTER (WHERE next_step_at IS NOT NULL) <> 0;\n            RETURN NULL;\n        ", hash='856f3a9d968098e07e8ea9905a19ac5b6120f64c', level='STATEMENT', operation='DELETE', pgid='pgtrigger_totals_delete_83782', referencing='REFERENCING OLD TABLE AS old_rows ', table='pipeline_deal', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deal',
                trigger=pgtrigger.compiler.Trigger(name='totals_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            INSERT INTO pipeline_stagetotal (stage_id, owner_id, currency, deals, planned, amount)\n            SELECT stage_id, owner_id, currency, sum(sign), coalesce(sum(sign) FILTER (WHERE next_step_at IS NOT NULL), 0),\n                   sum(sign * coalesce(amount, 0))\n            FROM (SELECT -1 AS sign, * FROM old_rows UNION ALL SELECT 1 AS sign, * FROM new_rows) AS changed\n            WHERE outcome = 'open' AND deleted_at IS NULL\n            GROUP BY stage_id, owner_id, currency\n            HAVING sum(sign) <> 0 OR sum(sign * coalesce(amount, 0)) <> 0\n                OR sum(sign) FILTER (WHERE next_step_at IS NOT NULL) <> 0;\n            RETURN NULL;\n        ", hash='91bacb553c7fa16c168fc4cd9c7f1608da0da770', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_totals_update_40f07', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='pipeline_deal', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deal',
                trigger=pgtrigger.compiler.Trigger(name='agrees_with_visits', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE deal pipeline_deal%ROWTYPE; first_stay pipeline_stagevisit%ROWTYPE; last_stay pipeline_stagevisit%ROWTYPE;', func="\n        SELECT * INTO deal FROM pipeline_deal WHERE id = NEW.id;\n        IF NOT FOUND THEN RETURN NULL; END IF;\n        SELECT * INTO first_stay FROM pipeline_stagevisit\n        WHERE deal_id = deal.id AND reverted_at IS NULL ORDER BY entered_at NULLS FIRST, id LIMIT 1;\n        SELECT * INTO last_stay FROM pipeline_stagevisit\n        WHERE deal_id = deal.id AND reverted_at IS NULL ORDER BY entered_at DESC NULLS LAST, id DESC LIMIT 1;\n        IF first_stay.id IS NULL THEN\n            RAISE EXCEPTION 'deal % has no stage visit', deal.id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_has_visits';\n        ELSIF first_stay.entered_at IS DISTINCT FROM deal.created_at THEN\n            RAISE EXCEPTION 'deal % begins at % but its first visit at %', deal.id, deal.created_at, first_stay.entered_at\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_begins_with_visit';\n        ELSIF NOT (CASE deal.outcome\n            WHEN 'open' THEN last_stay.left_at IS NULL\n            WHEN 'won' THEN last_stay.left_at IS NULL OR last_stay.left_at = deal.won_at\n            ELSE coalesce(last_stay.left_at = deal.lost_at, false)\n        END) THEN\n            RAISE EXCEPTION 'deal % is % but its last visit ends at %', deal.id, deal.outcome, last_stay.left_at\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_ends_with_visit';\n        ELSIF last_stay.left_at IS NULL AND last_stay.stage_id <> deal.stage_id THEN\n            RAISE EXCEPTION 'deal % stands in stage % but its visit is to stage %', deal.id, deal.stage_id, last_stay.stage_id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_stands_in_visit';\n        ELSIF NOT EXISTS (SELECT 1 FROM pipeline_stage WHERE id = deal.stage_id AND pipeline_id = deal.pipeline_id) THEN\n            RAISE EXCEPTION 'deal % stands in a stage of another pipeline', deal.id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_stage_of_pipeline';\n        END IF;\n        RETURN NULL;\n    ", hash='9a5c46b45f799cb1cd010a244b812d9dbb1c459d', operation='INSERT OR UPDATE OF "stage_id", "pipeline_id", "outcome", "won_at", "lost_at", "created_at"', pgid='pgtrigger_agrees_with_visits_b760a', table='pipeline_deal', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deal',
                trigger=pgtrigger.compiler.Trigger(name='amount_history', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN ((OLD.amount IS DISTINCT FROM NEW.amount OR OLD.currency <> NEW.currency) AND current_setting('voronka.through', true) IS DISTINCT FROM 'import')", func='\n        INSERT INTO pipeline_dealamountchange (deal_id, at, amount, currency)\n        VALUES (OLD.id, now(), OLD.amount, OLD.currency);\n        RETURN NULL;\n    ', hash='3bd51c7bf4f12d19c46ba13196843b75859d4fd2', operation='UPDATE OF "amount", "currency"', pgid='pgtrigger_amount_history_e6ad7', table='pipeline_deal', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deal',
                trigger=pgtrigger.compiler.Trigger(name='audit_deal', sql=pgtrigger.compiler.UpsertTriggerSql(declare="DECLARE old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}'::jsonb ELSE to_jsonb(OLD) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at'] END; new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}'::jsonb ELSE to_jsonb(NEW) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at'] END; was jsonb; became jsonb;", func="\nIF TG_OP = 'UPDATE' AND old_row = new_row THEN\n    RETURN NULL;\nELSIF TG_OP = 'UPDATE' THEN\n    SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, new_row -> o.key) INTO was, became\n    FROM jsonb_each(old_row) o WHERE o.value IS DISTINCT FROM new_row -> o.key;\nELSE\n    was := jsonb_strip_nulls(old_row);\n    became := jsonb_strip_nulls(new_row);\nEND IF;\nINSERT INTO crm_auditentry (at, actor_id, through, note, kind, record_id, action, before, after)\nVALUES (\n    clock_timestamp(),\n    nullif(current_setting('voronka.actor', true), '')::bigint,\n    coalesce(nullif(current_setting('voronka.through', true), ''), 'system'),\n    coalesce(current_setting('voronka.note', true), ''),\n    'deal',\n    CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END,\n    CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,\n    was,\n    became\n);\nRETURN NULL;\n", hash='8d11d0daefb07a5baed52451d7cb20114f362cec', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_audit_deal_1195d', table='pipeline_deal', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stagerule',
                trigger=pgtrigger.compiler.Trigger(name='audit_stage_rule', sql=pgtrigger.compiler.UpsertTriggerSql(declare="DECLARE old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}'::jsonb ELSE to_jsonb(OLD) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at'] END; new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}'::jsonb ELSE to_jsonb(NEW) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at'] END; was jsonb; became jsonb;", func="\nIF TG_OP = 'UPDATE' AND old_row = new_row THEN\n    RETURN NULL;\nELSIF TG_OP = 'UPDATE' THEN\n    SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, new_row -> o.key) INTO was, became\n    FROM jsonb_each(old_row) o WHERE o.value IS DISTINCT FROM new_row -> o.key;\nELSE\n    was := jsonb_strip_nulls(old_row);\n    became := jsonb_strip_nulls(new_row);\nEND IF;\nINSERT INTO crm_auditentry (at, actor_id, through, note, kind, record_id, action, before, after)\nVALUES (\n    clock_timestamp(),\n    nullif(current_setting('voronka.actor', true), '')::bigint,\n    coalesce(nullif(current_setting('voronka.through', true), ''), 'system'),\n    coalesce(current_setting('voronka.note', true), ''),\n    'stage_rule',\n    CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END,\n    CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,\n    was,\n    became\n);\nRETURN NULL;\n", hash='5be3242a13accf3d7736970610e6fdf0d7ce97fe', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_audit_stage_rule_38ffc', table='pipeline_stagerule', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stageaction',
                trigger=pgtrigger.compiler.Trigger(name='audit_stage_action', sql=pgtrigger.compiler.UpsertTriggerSql(declare="DECLARE old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}'::jsonb ELSE to_jsonb(OLD) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at', 'turns'] END; new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}'::jsonb ELSE to_jsonb(NEW) - ARRAY['version', 'updated_at', 'rank', 'search', 'next_step_at', 'last_touch_at', 'stage_entered_at', 'turns'] END; was jsonb; became jsonb;", func="\nIF TG_OP = 'UPDATE' AND old_row = new_row THEN\n    RETURN NULL;\nELSIF TG_OP = 'UPDATE' THEN\n    SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, new_row -> o.key) INTO was, became\n    FROM jsonb_each(old_row) o WHERE o.value IS DISTINCT FROM new_row -> o.key;\nELSE\n    was := jsonb_strip_nulls(old_row);\n    became := jsonb_strip_nulls(new_row);\nEND IF;\nINSERT INTO crm_auditentry (at, actor_id, through, note, kind, record_id, action, before, after)\nVALUES (\n    clock_timestamp(),\n    nullif(current_setting('voronka.actor', true), '')::bigint,\n    coalesce(nullif(current_setting('voronka.through', true), ''), 'system'),\n    coalesce(current_setting('voronka.note', true), ''),\n    'stage_action',\n    CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END,\n    CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,\n    was,\n    became\n);\nRETURN NULL;\n", hash='ec0bf8273fa9c8ea41ede8c4efd5742a5d3ff3e5', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_audit_stage_action_fada7', table='pipeline_stageaction', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stagevisit',
                trigger=pgtrigger.compiler.Trigger(name='no_gaps_insert', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE torn bigint;', func="\n            SELECT stay.deal_id INTO torn FROM (\n                SELECT deal_id, entered_at,\n                       lag(left_at) OVER life AS previous_left_at, row_number() OVER life AS place\n                FROM pipeline_stagevisit\n                WHERE reverted_at IS NULL AND deal_id IN (SELECT deal_id FROM new_rows)\n                WINDOW life AS (PARTITION BY deal_id ORDER BY entered_at NULLS FIRST, left_at NULLS LAST, id)\n            ) AS stay\n            WHERE place > 1 AND entered_at IS DISTINCT FROM previous_left_at LIMIT 1;\n            IF FOUND THEN\n                RAISE EXCEPTION 'the visits of deal % leave a gap', torn\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_visit_no_gap';\n            END IF;\n            RETURN NULL;\n        ", hash='18ef55ada10dac7bc8bbcb6d39e5ae6abe18045e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_no_gaps_insert_95bd4', referencing='REFERENCING NEW TABLE AS new_rows ', table='pipeline_stagevisit', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stagevisit',
                trigger=pgtrigger.compiler.Trigger(name='no_gaps_update', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE torn bigint;', func="\n            SELECT stay.deal_id INTO torn FROM (\n                SELECT deal_id, entered_at,\n                       lag(left_at) OVER life AS previous_left_at, row_number() OVER life AS place\n                FROM pipeline_stagevisit\n                WHERE reverted_at IS NULL AND deal_id IN (SELECT deal_id FROM new_rows)\n                WINDOW life AS (PARTITION BY deal_id ORDER BY entered_at NULLS FIRST, left_at NULLS LAST, id)\n            ) AS stay\n            WHERE place > 1 AND entered_at IS DISTINCT FROM previous_left_at LIMIT 1;\n            IF FOUND THEN\n                RAISE EXCEPTION 'the visits of deal % leave a gap', torn\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_visit_no_gap';\n            END IF;\n            RETURN NULL;\n        ", hash='14c554f2ebc87a10bed32fb1fa7f157e678e5f31', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_no_gaps_update_b7d24', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='pipeline_stagevisit', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stagevisit',
                trigger=pgtrigger.compiler.Trigger(name='no_gaps_delete', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE torn bigint;', func="\n            SELECT stay.deal_id INTO torn FROM (\n                SELECT deal_id, entered_at,\n                       lag(left_at) OVER life AS previous_left_at, row_number() OVER life AS place\n                FROM pipeline_stagevisit\n                WHERE reverted_at IS NULL AND deal_id IN (SELECT deal_id FROM old_rows)\n                WINDOW life AS (PARTITION BY deal_id ORDER BY entered_at NULLS FIRST, left_at NULLS LAST, id)\n            ) AS stay\n            WHERE place > 1 AND entered_at IS DISTINCT FROM previous_left_at LIMIT 1;\n            IF FOUND THEN\n                RAISE EXCEPTION 'the visits of deal % leave a gap', torn\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_visit_no_gap';\n            END IF;\n            RETURN NULL;\n        ", hash='0f3f0cb227b2909f78cbb14c6c105f4f61d8bdff', level='STATEMENT', operation='DELETE', pgid='pgtrigger_no_gaps_delete_7a09c', referencing='REFERENCING OLD TABLE AS old_rows ', table='pipeline_stagevisit', when='AFTER')),
            ),
        ]),
        *_before("0002_default_pipeline").Migration.operations,
        *_before("0006_fill_quiet_days").Migration.operations,
    ]
