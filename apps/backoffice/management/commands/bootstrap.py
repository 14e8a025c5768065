"""`manage.py bootstrap`: the first seller, shops, keys and owner, from the environment."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.backoffice.bootstrap import bootstrap, unused


class Command(BaseCommand):
    help = "Create the first seller, shops, keys and owner from the environment; harmless when run again."

    def handle(self, **options: Any) -> None:
        created = bootstrap()
        for line in created:
            self.stdout.write(f"created {line}")
        if not created:
            self.stdout.write("nothing to create: the admin is the truth")
        for sentence in unused():
            self.stdout.write(sentence)
