"""`manage.py demo`: two shops that live on this machine, with stand-ins for OZON, KeyCRM and Telegram.

Everything is started here and stopped together; what must happen in it is `demo_clock`'s.
"""

from __future__ import annotations

import io
import sys
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from apps.backoffice import processes
from apps.backoffice.demo.stage import Stage, StageTaken, empty_data, only_one, set_stage
from apps.backoffice.demo.terminal import TELLER, Terminal
from config.env import env_file
from config.servers import ServiceError
from config.services import ensure

CRM_ORDERS = 2_000  # in 400 days
SHARED = 12  # products of both shops
KEYS = ("OZON_CLIENT_ID", "OZON_API_KEY", "KEYCRM_API_KEY")
LEFT_OUT = (processes.RELEASE, "beat")
# Nobody reads greetings here; and where the demo is run as root, its workers need not be told that it is.
QUIET = {
    "GUNICORN_CMD_ARGS": "--log-level warning",
    "UVICORN_LOG_LEVEL": "warning",
    "PYTHONWARNINGS": "ignore:::celery.platforms",
}


class Command(BaseCommand):
    help = "Run the demo until Ctrl-C or SIGTERM; with --once walk through the loop without a person, and end."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="without a person: print each stage, and end")
        parser.add_argument("--skus", type=int, default=300, help="products of the OZON shop (default: 300)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same figures (default: 1)")

    def handle(self, once: bool, skus: int, seed: int, **options: Any) -> None:
        if not 20 <= skus <= 100_000:
            raise CommandError(f"--skus: expected 20 to 100000, got {skus}")
        self.stdout.write("Preparing the demo: PostgreSQL and Redis…")
        try:
            with only_one(), ensure(settings.PLACE) if settings.EMBEDDED else nullcontext():
                self.stdout.write("  an empty database…")
                empty_data()
                self._release()
                code = self._run(set_stage(env_file()), once=once, skus=skus, seed=seed)
        except (ServiceError, StageTaken) as error:
            raise CommandError(str(error)) from error
        sys.exit(code)

    def _release(self) -> None:
        """In this process, which has loaded everything for it; its words matter only when it fails."""
        words = io.StringIO()
        try:
            call_command("release", stdout=words, stderr=words)
        except Exception:
            self.stderr.write(words.getvalue())
            raise
        connections.close_all()

    def _run(self, stage: Stage, *, once: bool, skus: int, seed: int) -> int:
        self.stdout.write(f"  a world of {skus} products at OZON and {CRM_ORDERS} orders in KeyCRM, web, workers, bot…")
        terminal = Terminal(sys.stdout, settings.STATE / "demo.log")
        manager = processes.Processes(processes.environment(stage.variables | QUIET), terminal)
        manager.add("world", self._world(stage, skus, seed))
        manager.add(TELLER, f"exec python manage.py demo_clock{' --once' if once else ''}")
        for name, command in processes.procfile().items():
            if name not in LEFT_OUT:
                manager.add(name, command)
        manager.loop()
        return int(manager.returncode or 0)

    @staticmethod
    def _world(stage: Stage, skus: int, seed: int) -> str:
        keys = " ".join(f"{name}={getattr(settings, name)}" for name in KEYS)
        sizes = f"--skus {skus} --orders {CRM_ORDERS} --shared {SHARED} --seed {seed}"
        return f"{keys} exec python -m apps.marketplaces.standins --port {stage.world} {sizes}"
