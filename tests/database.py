"""The database between two tests that commit."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from psycopg import sql

from apps.shops.models import AuditEntry

MADE_BY_MIGRATE = (ContentType, Permission)


def empty() -> None:
    """Delete every row but those that `migrate` makes.

    Django's own flush truncates, which gives each table and index a new file, and makes content types and permissions
    anew: forty times as long for the few rows of a test. Foreign keys are checked at the end of the transaction, so the
    order does not matter. The audit trail refuses deletion, and truncation too but in tests.
    """
    trail = AuditEntry._meta.db_table
    kept = {model._meta.db_table for model in MADE_BY_MIGRATE}
    models = apps.get_models(include_auto_created=True)
    tables = {model._meta.db_table for model in models if model._meta.managed} - kept - {trail}
    deletes = [sql.SQL("delete from {}").format(sql.Identifier(table)) for table in sorted(tables)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("truncate {}").format(sql.Identifier(trail)))
        cursor.execute(sql.SQL(";").join(deletes))
