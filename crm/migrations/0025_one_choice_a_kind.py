from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("crm", "0024_fill_channels")]
    operations = [
        migrations.RemoveField(
            model_name='user',
            name='reminds_by_email',
        ),
        migrations.RemoveField(
            model_name='user',
            name='reminds_in_page',
        ),
    ]
