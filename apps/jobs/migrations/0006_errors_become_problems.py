from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0005_problems_of_runs'),
    ]

    operations = [
        migrations.RunSQL(
            "update jobs_jobrun set problem = jsonb_build_object('message', error) where error <> ''",
            migrations.RunSQL.noop,
        ),
    ]
