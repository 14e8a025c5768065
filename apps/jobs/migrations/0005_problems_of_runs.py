from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0004_words_of_sources'),
    ]

    operations = [
        migrations.AddField(
            model_name='jobrun',
            name='problem',
            field=models.JSONField(blank=True, default=dict, verbose_name='error'),
        ),
    ]
