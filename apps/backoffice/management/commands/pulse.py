"""`manage.py pulse queue:fast clock`: whether parts of the system were at work lately; containers ask it for health."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.clock import real_now
from apps.jobs.models import Pulse


class Command(BaseCommand):
    help = "Fail when one of the parts gave no sign of life for as long as its longest task may take."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("parts", nargs="+", help="queue:<name> or clock")

    def handle(self, *, parts: list[str], **options: Any) -> None:
        oldest = real_now() - timedelta(seconds=settings.JOB_LEASE_SECONDS + settings.TICK_ALERT_SECONDS)
        alive = set(Pulse.objects.filter(part__in=parts, at__gt=oldest).values_list("part", flat=True))
        if silent := sorted(set(parts) - alive):
            raise CommandError(f"no sign of life since {oldest:%Y-%m-%d %H:%M:%S} UTC: {', '.join(silent)}")
        self.stdout.write("alive")
