"""A shop of so many orders with its read store: made once and kept under .vitrina/bench/, for every bench that asks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.database import kept_database
from config.env import state_folder

if TYPE_CHECKING:
    from apps.shops.models import Shop

DATA = Path(__file__).with_name("shop_data.sql")


@contextmanager
def shop_of(orders: int) -> Iterator["Shop"]:
    """The shop, in a database of its own, with a store that is up to date."""
    name = f"bench_{orders}_orders"
    os.environ["STORE_FOLDER"] = str(state_folder() / "bench" / "store" / name)
    with kept_database(name):
        from apps.analytics.build import refresh
        from apps.shops.models import Shop

        shop = Shop.objects.filter(name=name).first() or _make(name, orders)
        refresh(shop)
        yield shop


def _make(name: str, orders: int) -> "Shop":
    from django.db import connection, transaction

    from apps.shops.models import Seller, Shop

    with transaction.atomic(), connection.cursor() as cursor:
        shop = Shop.objects.create(
            seller=Seller.objects.create(name=name),
            name=name,
            kind=Shop.Kind.KEYCRM,
            currency="UAH",
            timezone="Europe/Kyiv",
        )
        cursor.execute(DATA.read_text(), {"shop": shop.pk, "orders": orders})
    return shop
