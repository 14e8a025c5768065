"""Rows of files name what they change: until now a row held one amount, and what had been there."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def name_the_change(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for found in apps.get_model("catalog", "CostImport").objects.iterator():
        found.lines = [_with_changes(line) for line in found.lines]
        found.save(update_fields=["lines"])


def _with_changes(line: dict) -> dict:
    amount, previous = line.pop("amount", None), line.pop("previous", None)
    if amount is not None:
        line["changes"] = [{"field": "amount", "before": previous, "after": amount}]
    return line


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_product_settings_and_their_sheets'),
    ]

    operations = [migrations.RunPython(name_the_change, migrations.RunPython.noop)]
