"""The database of a test run: made once, copied for each process, emptied between two tests that commit."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Model
from psycopg import sql

from apps.shops.models import AuditEntry
from config.services import locked

TEMPLATE = "vitrina_template_"
MADE_BY_MIGRATE = (ContentType, Permission)


def use_template(lock: Path) -> None:
    """Have the test database copied from one that was migrated before: by another process, or in an earlier run."""
    name = TEMPLATE + migrations_digest()
    own = connection.settings_dict["TEST"]
    with locked(lock, fcntl.LOCK_EX):
        if name not in templates():
            wanted, own["NAME"] = own["NAME"], f"{name}_unfinished"
            make_template(name)
            own["NAME"] = wanted
    own.update(TEMPLATE=name, MIGRATE=False)


def make_template(name: str) -> None:
    outside = connection.settings_dict["NAME"]
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    connection.settings_dict["NAME"] = outside
    with connection._nodb_cursor() as cursor:
        for old in templates():
            cursor.execute(sql.SQL("drop database {}").format(sql.Identifier(old)))
        cursor.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(made), sql.Identifier(name)))


def templates() -> list[str]:
    with connection._nodb_cursor() as cursor:
        cursor.execute("select datname from pg_database where starts_with(datname, %s)", [TEMPLATE])
        return [name for (name,) in cursor.fetchall() if not name.endswith("_unfinished")]


def migrations_digest() -> str:
    """Of the texts of all migrations of all apps: it names the database that they make."""
    digest = hashlib.sha256()
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path).glob("migrations/*.py")):
            digest.update(config.label.encode() + path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


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
        cursor.execute("set local session_replication_role = replica")  # triggers would write new rows
        cursor.execute(sql.SQL("truncate {}").format(sql.Identifier(trail)))
        cursor.execute(sql.SQL(";").join(deletes))


def analyse(model: type[Model]) -> None:
    """Have statistics of a table that has rows: a set-based write has them made when it meets a table without."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("analyze {}").format(sql.Identifier(model._meta.db_table)))
