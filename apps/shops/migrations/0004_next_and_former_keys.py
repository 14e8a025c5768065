import apps.common.encrypted
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shops', '0003_key_to_claude'),
    ]

    operations = [
        migrations.AddField(
            model_name='credential',
            name='ask_at',
            field=models.DateTimeField(blank=True, help_text='real time', null=True, verbose_name='asked about not before'),
        ),
        migrations.AddField(
            model_name='credential',
            name='former_client_id',
            field=models.CharField(blank=True, max_length=200, verbose_name='client id of the former key'),
        ),
        migrations.AddField(
            model_name='credential',
            name='former_secret',
            field=apps.common.encrypted.SecretField(blank=True, null=True, verbose_name='former key'),
        ),
        migrations.AddField(
            model_name='credential',
            name='is_refused',
            field=models.BooleanField(default=False, verbose_name='refused'),
        ),
        migrations.AddField(
            model_name='credential',
            name='methods',
            field=models.JSONField(blank=True, default=list, verbose_name='what it may call'),
        ),
        migrations.AddField(
            model_name='credential',
            name='next_client_id',
            field=models.CharField(blank=True, max_length=200, verbose_name='client id of the next key'),
        ),
        migrations.AddField(
            model_name='credential',
            name='next_secret',
            field=apps.common.encrypted.SecretField(blank=True, null=True, verbose_name='next key'),
        ),
        migrations.AddField(
            model_name='credential',
            name='problem_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='since'),
        ),
        migrations.AddField(
            model_name='credential',
            name='roles',
            field=models.JSONField(blank=True, default=list, verbose_name='roles'),
        ),
        migrations.AddField(
            model_name='credential',
            name='version',
            field=models.PositiveIntegerField(default=1),
        ),
    ]
