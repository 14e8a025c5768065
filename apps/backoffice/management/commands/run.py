"""`manage.py run`: the processes of the Procfile on the settings in .env, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from apps.backoffice import processes
from config.accounts import ServiceError
from config.env import is_demo
from config.services import ensure


class Command(BaseCommand):
    help = "Run all processes of the Procfile, and the embedded servers when no others are named."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        if is_demo():
            raise CommandError("There is no .env yet: run `make env` and fill it in. (`make demo` is the demo.)")
        try:
            with ensure(settings.PLACE) if settings.EMBEDDED else nullcontext():
                code = self._run()
        except ServiceError as error:
            raise CommandError(str(error)) from error
        sys.exit(code)

    def _run(self) -> int:
        call_command("release")
        connections.close_all()
        manager = processes.Processes(processes.environment())
        for name, command in processes.procfile().items():
            if name == "flower" and not settings.FLOWER_USER:
                self.stdout.write("Flower stays off: FLOWER_USER and FLOWER_PASSWORD are not set.")
            elif name != processes.RELEASE:
                manager.add(name, command)
        manager.loop()
        return int(manager.returncode or 0)
