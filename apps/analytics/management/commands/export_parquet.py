"""`manage.py export_parquet --shop 3 --to folder`: the facts of the read store as Parquet, a folder for each month."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.analytics.errors import NotBuilt
from apps.analytics.export import export


class Command(BaseCommand):
    help = "Write the facts of the read store as Parquet files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", type=int, required=True, metavar="ID")
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a folder that is empty or new")

    def handle(self, *, shop: int, to: Path, **_: Any) -> None:
        if to.exists() and any(to.iterdir()):
            raise CommandError(f"--to: {to} is not empty")
        try:
            written = export(shop, to)
        except NotBuilt as error:
            raise CommandError(str(error)) from error
        for name, rows in written.items():
            self.stdout.write(f"{name}: {rows:,} rows")
