"""`manage.py services`: the embedded PostgreSQL and Redis, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.accounts import ServiceError
from config.services import own


class Command(BaseCommand):
    help = "Run the embedded PostgreSQL and Redis until Ctrl-C or SIGTERM."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        if not settings.EMBEDDED:
            self.stdout.write("DATABASE_URL and REDIS_URL name servers of your own: there is nothing to start.")
            return
        announce = (
            f"PostgreSQL and Redis are ready under {settings.PLACE.root}; Ctrl-C stops them.\n"
            f"  {settings.PLACE.database_url}\n  {settings.PLACE.redis_url}\n"
        )
        try:
            own(settings.PLACE, announce=announce)
        except ServiceError as error:
            raise CommandError(str(error)) from error
