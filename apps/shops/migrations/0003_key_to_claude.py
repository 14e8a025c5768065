from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shops', '0002_audit_is_append_only'),
    ]

    operations = [
        migrations.AlterField(
            model_name='credential',
            name='api',
            field=models.CharField(choices=[('ozon_seller', 'OZON Seller API'), ('ozon_performance', 'OZON Performance API'), ('keycrm', 'KeyCRM API'), ('anthropic', 'Claude API')], max_length=30, verbose_name='API'),
        ),
    ]
