"""`manage.py erase_buyer --shop 3 +380501234567`: forget who a buyer is, by phone, e-mail or number in the CRM."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common import clock
from apps.sales.buyers import erase, search
from apps.sales.models import Buyer
from apps.shops.models import Shop


class Command(BaseCommand):
    help = "Erase a buyer's name, phone and e-mail for good; the orders stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", type=int, required=True, metavar="ID")
        parser.add_argument("buyer", help="a whole phone number, a whole e-mail address, or a number in the CRM")

    def handle(self, *, shop: int, buyer: str, **options: Any) -> None:
        found_shop = Shop.objects.filter(pk=shop).first()
        if found_shop is None:
            raise CommandError(f"--shop: there is no shop {shop}")
        found = list(search(Buyer.objects.filter(shop=found_shop), buyer))
        if not found:
            raise CommandError("there is no such buyer")
        for one in found:
            erase(buyer=one, by=None, now=clock.now())
            self.stdout.write(f"erased: buyer {one.external_id}")
