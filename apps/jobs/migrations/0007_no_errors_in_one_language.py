from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0006_errors_become_problems'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='jobrun',
            name='error',
        ),
    ]
