"""`manage.py demo_clock`: the demo's stand-in for beat. With `--once` it also stands in for the person, and ends."""

from __future__ import annotations

import sys
import time
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from tabulate import tabulate

from apps.backoffice.demo.days import DemoFailed, Shops, live_through, ticking, wait_for_figures
from apps.backoffice.demo.people import OWNER_ID, introduce
from apps.backoffice.demo.progress import Progress, took
from apps.backoffice.demo.walk import walk
from apps.backoffice.demo.world import World
from apps.catalog.costs import import_costs
from apps.shops.models import Shop

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Live through the demo's days as they come."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="walk through the whole loop without a person, and end")

    def handle(self, **options: Any) -> None:
        world = World(settings.WORLD_URL)
        shops = Shops(*(Shop.objects.select_related("seller").get(kind=kind) for kind in ("ozon", "keycrm")))
        with translation.override(settings.LANGUAGE_CODE), ticking():
            try:
                self._first_day(world, shops)
                if options["once"]:
                    walk(world, shops, self._say)
                    return
                self._say(self._table(shops))
                self._live_on(world, shops)
            except DemoFailed as error:
                raise CommandError(str(error)) from error

    def _first_day(self, world: World, shops: Shops) -> None:
        world.wait_for_answer()
        day = world.today()

        def enter_costs() -> None:
            import_costs(shop=shops.ozon, costs=world.costs(), starts_on=day.replace(year=day.year - 1), by=None)

        introduce(world, shops.ozon.seller)
        runs = live_through(world, shops, day, watch=Progress(self._say).watch, after={"ozon_sync": enter_costs})
        wait_for_figures()
        self._say(f"  the first morning: {took(runs)}")

    def _live_on(self, world: World, shops: Shops) -> None:
        lived = world.today()
        while True:
            day = world.today()
            if day != lived:
                self._live(world, shops, day)
                lived = day
            time.sleep(LOOK_SECONDS)

    def _live(self, world: World, shops: Shops, day: date) -> None:
        try:
            live_through(world, shops, day)
        except DemoFailed as error:
            self.stderr.write(str(error))
            world.notice(str(error)[:500], "trouble", day)

    def _table(self, shops: Shops) -> str:
        rows = [
            ("Chat (Telegram)", f"{settings.WORLD_URL}/chat#{OWNER_ID}", "", ""),
            ("Admin", f"{settings.DASHBOARD_URL}/admin/", settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD),
            ("REST API", f"{settings.DASHBOARD_URL}/api/docs", settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD),
            ("Flower", f"http://127.0.0.1:{settings.FLOWER_PORT}/", settings.FLOWER_USER, settings.FLOWER_PASSWORD),
        ]
        table = tabulate(rows, headers=["", "address", "user", "password"])
        asking = (
            f'curl -H "Authorization: Bearer $TOKEN" "{settings.DASHBOARD_URL}/api/summary?period=last_28_days&shop='
        )
        questions = "\n".join(f'{asking}{shop.pk}"  # {shop}' for shop in shops)
        tokens = f"A program asks the API with a token, which {settings.DASHBOARD_URL}/admin/me/tokens/ makes:"
        return f"\n{table}\n\n{tokens}\n{questions}\n\nReady. Ctrl-C stops everything.\n"

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        sys.stdout.flush()
