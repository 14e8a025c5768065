from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0001_experiments_and_verdicts'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='experiment',
            name='one_live_experiment_per_product',
        ),
        migrations.AddField(
            model_name='experiment',
            name='stopped_on',
            field=models.DateField(blank=True, null=True, verbose_name='stopped on'),
        ),
        migrations.AlterField(
            model_name='experiment',
            name='state',
            field=models.CharField(choices=[('running', 'running'), ('judged', 'judged, waiting for a decision'), ('stopped', 'stopped, waiting for a decision'), ('kept', 'kept'), ('rolling_back', 'being rolled back'), ('rolled_back', 'rolled back'), ('void', 'void')], default='running', max_length=12, verbose_name='state'),
        ),
        migrations.AddConstraint(
            model_name='experiment',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['running', 'judged', 'stopped', 'rolling_back'])), fields=('product',), name='one_live_experiment_per_product'),
        ),
    ]
