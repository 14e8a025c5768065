"""`manage.py release`: what a new version needs before its processes start."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from apps.common.db import turn

LEAST_POSTGRESQL = 17  # rows are stored by MERGE .. RETURNING (apps/common/bulk.py)


class Command(BaseCommand):
    help = "Bring the database up to this version, and create what is missing of the first seller."
    requires_system_checks: list[str] = []  # the migration runs them

    def handle(self, **options: Any) -> None:
        self.stdout.ending = ""  # the commands below end their lines themselves
        try:
            _refuse_an_older_server()
            with turn("release", on_wait=self._say_so):  # two at once would migrate the same tables
                call_command("migrate", interactive=False, stdout=self.stdout, stderr=self.stderr)
                call_command("bootstrap", stdout=self.stdout, stderr=self.stderr)
        except OperationalError as error:
            raise CommandError(f"The database refuses, and the new version must not start: {error}") from error

    def _say_so(self) -> None:
        self.stdout.write("Another release is under way; this one waits for its end.\n")
        self.stdout.flush()


def _refuse_an_older_server() -> None:
    version = connection.get_database_version()[0]
    if version < LEAST_POSTGRESQL:
        raise CommandError(
            f"The server that DATABASE_URL names is PostgreSQL {version}; Vitrina needs {LEAST_POSTGRESQL} or newer."
        )
