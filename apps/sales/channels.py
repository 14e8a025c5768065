"""An article in each shop that sells it: price, cost, stock and sales side by side, and nothing added up.

Currencies differ, and two shops may show the same shelf: a sum over shops would be no figure of anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import F, Max, Sum

from apps.catalog.articles import same_articles
from apps.catalog.models import Cost, Product, StockSnapshot
from apps.common.periods import Period, day_of
from apps.sales.models import DailyFact
from apps.shops.models import Shop

DAYS = 28
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Stock:
    """What could be sold on the morning of `day`, without what was reserved."""

    units: int
    day: date


@dataclass(frozen=True)
class Sold:
    """Units and money of the last `DAYS` whole days of the shop, without what was cancelled or came back since."""

    units: int
    revenue: Decimal


NOTHING = Sold(0, Decimal(0))


@dataclass(frozen=True)
class Channel:
    """A product in its own shop; sales in the shop's currency. None is not known."""

    product: Product
    cost: Cost | None
    stock: Stock | None
    sold: Sold


def channels(products: Iterable[Product], *, now: datetime) -> dict[int, list[Channel]]:
    """By the id of each product that is an article: that article in every shop, the product itself included."""
    articles = same_articles(products)
    by_shop: dict[Shop, set[int]] = defaultdict(set)
    for product in (one for members in articles.values() for one in members):
        by_shop[product.shop].add(product.pk)
    known: dict[int, tuple[Cost | None, Stock | None, Sold]] = {}
    for shop, ids in by_shop.items():
        today = day_of(now, shop.timezone)
        costs, stock, sold = (
            _costs(ids, today),
            _stock(shop, ids),
            _sold(ids, Period.ending(today - ONE_DAY, days=DAYS)),
        )
        known |= {pk: (costs.get(pk), stock.get(pk), sold.get(pk, NOTHING)) for pk in ids}
    return {pk: [Channel(one, *known[one.pk]) for one in members] for pk, members in articles.items()}


def _costs(ids: Collection[int], today: date) -> dict[int, Cost]:
    return {cost.product_id: cost for cost in Cost.objects.filter(product__in=ids).in_force(today)}


def _stock(shop: Shop, ids: Collection[int]) -> dict[int, Stock]:
    """On the shop's last morning that was read."""
    day = StockSnapshot.objects.filter(warehouse__shop=shop).aggregate(last=Max("day"))["last"]
    rows = (
        StockSnapshot.objects.filter(product__in=ids, day=day)
        .values_list("product")
        .annotate(units=Sum(F("present") - F("reserved")))
    )
    return {pk: Stock(max(units, 0), day) for pk, units in rows}


def _sold(ids: Collection[int], days: Period) -> dict[int, Sold]:
    rows = DailyFact.objects.filter(product__in=ids, day__range=(days.first, days.last))
    sums = rows.values_list("product").annotate(
        units=Sum(F("units") - F("cancelled_units") - F("returned_units")),
        revenue=Sum(F("revenue") - F("cancelled_revenue") - F("returned_revenue")),
    )
    return {pk: Sold(units, revenue) for pk, units, revenue in sums}
