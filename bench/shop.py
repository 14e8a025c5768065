"""The shop of `bench/queries.py` for benches that ask it from another process: the same data, the same folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.database import kept_database
from bench.queries import fill
from config.env import state_folder

if TYPE_CHECKING:
    from apps.shops.models import Shop


@contextmanager
def shop_of(orders: int) -> Iterator["Shop"]:
    """The shop, with a store that is up to date; processes that are started meanwhile find it by their environment."""
    os.environ["STORE_FOLDER"] = str(state_folder() / "bench" / f"store_{orders}")
    with kept_database(f"vitrina_bench_queries_{orders}"):
        from apps.analytics.build import refresh

        shop: Shop = fill(orders)
        refresh(shop)
        yield shop
