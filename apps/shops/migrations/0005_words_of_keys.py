from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shops', '0004_next_and_former_keys'),
    ]

    operations = [
        migrations.AlterField(
            model_name='credential',
            name='checked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='checked at'),
        ),
    ]
