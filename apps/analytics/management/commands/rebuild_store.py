"""`manage.py rebuild_store --shop 3`: the read store from the database alone; until it ends the last one answers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.analytics import build
from apps.analytics.errors import Damaged, StoreBusy
from apps.shops.models import Shop


class Command(BaseCommand):
    help = "Build the read store anew from the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", type=int, metavar="ID", help="one shop (without it: every active shop)")

    def handle(self, *, shop: int | None, **_: Any) -> None:
        shops = Shop.objects.filter(pk=shop) if shop else Shop.objects.filter(is_active=True)
        if not shops:
            raise CommandError(f"--shop: there is no shop {shop or ''}")
        for one in shops.order_by("pk"):
            try:
                version = build.rebuild(one, progress=lambda step, one=one: self._say(f"{one}: {step}"))  # type: ignore[misc]
            except (StoreBusy, Damaged, OSError) as error:
                raise CommandError(f"{one}: {error}") from error
            self._say(f"{one}: version {version.number}, {version.size:,} bytes, {version.seconds:.1f} s")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
