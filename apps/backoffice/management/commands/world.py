"""`manage.py world next-day`: move the demo's date on; `manage.py world clock` tells it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.backoffice.demo.world import World


class Command(BaseCommand):
    help = "The demo's world: its date, and the next one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["clock", "next-day"])

    def handle(self, action: str, **options: Any) -> None:
        if not settings.WORLD_URL:
            raise CommandError("There is no world here: WORLD_URL is set by `make demo`.")
        world = World(settings.WORLD_URL)
        try:
            day = world.today() if action == "clock" else world.next_day()
        except OSError as error:
            raise CommandError(f"The world at {settings.WORLD_URL} does not answer; is `make demo` running?") from error
        self.stdout.write(day.isoformat())
