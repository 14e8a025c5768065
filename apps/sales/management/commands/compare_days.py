"""`manage.py compare_days --shop 3 --from 2026-03-01 --to 2026-03-31`: a shop's books beside its CRM, day by day.

Nothing is changed; `run_job keycrm_night` compares and sets right. Ends with 1 when something differs.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.errors import UserError
from apps.common.periods import Period
from apps.jobs.sync_runs import Doubtful
from apps.marketplaces.errors import ApiError
from apps.sales.day_checks import compare, read_day
from apps.shops.clients import keycrm
from apps.shops.models import Shop


class Command(BaseCommand):
    help = "Compare a shop's orders with its CRM, day by day and order by order. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", type=int, required=True, metavar="ID")
        parser.add_argument("--from", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD", dest="first")
        parser.add_argument("--to", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD", dest="last")

    def handle(self, *, shop: int, first: date, last: date, **options: Any) -> None:
        found = Shop.objects.filter(pk=shop, kind=Shop.Kind.KEYCRM).first()
        if found is None:
            raise CommandError(f"--shop: there is no shop {shop} in a CRM")
        if first > last:
            raise CommandError("--from: it is after --to")
        try:
            differing = sum(self._compare(found, day) for day in Period(first, last))
        except (ApiError, Doubtful, UserError) as error:
            raise CommandError(str(error)) from error
        if differing:
            raise CommandError(f"{differing} differences")
        self.stdout.write("no difference")

    def _compare(self, shop: Shop, day: date) -> int:
        """A line for the day and one for each difference; returns how many there are."""
        source, stored, differences = compare(shop, read_day(keycrm(shop), shop, day))
        totals = [sum(side.total for side in sides.values()) for sides in (source, stored)]
        difference = totals[0] - totals[1]
        self.stdout.write(
            f"{day}: {len(source)} orders of {totals[0]} in the CRM, {len(stored)} of {totals[1]} in the books,"
            f" difference {difference}"
        )
        for one in differences:
            self.stdout.write(f"  order {one.order}: {one.field}: {one.source or '—'} / {one.stored or '—'}")
        return len(differences)
