"""How long the stock of each product lasts, and what to order: from the database to plain records.

A handful of queries whatever the number of products. What is not known stays None.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np

from apps.catalog.fees import Fees
from apps.catalog.models import Cost, Product, ProductSettings
from apps.catalog.stock import stock_by_scheme
from apps.common.periods import Period, day_of
from apps.inventory.reorder import ORIGIN_STEP, ORIGINS, Supply, drift, need, service_level
from apps.sales.panel import panel
from apps.sales.rates import RATE_DAYS, daily_rates
from apps.sales.shop_sync import data_as_of
from apps.shops.models import Shop

SUPPLY = Supply()
OBSERVED_DAYS = RATE_DAYS + SUPPLY.exposed_days + ORIGIN_STEP * (ORIGINS - 1)


@dataclass(frozen=True, kw_only=True)
class Cover:
    """One product this morning. `stock` is what can be sold, without what is reserved; `rate` is units a day over the
    days in stock; `point` is the reorder point and `order` how many to order now, 0 for none.

    None is unknown. What is on the way is never known here: OZON does not tell it.
    """

    product: Product
    stock: int | None
    rate: float | None
    point: int | None
    order: int

    @property
    def days(self) -> float | None:
        """How many days the stock lasts; None when that is unknown or nothing sells."""
        return self.stock / self.rate if self.stock is not None and self.rate else None

    @property
    def is_low(self) -> bool:
        """It runs out before goods that are ordered later than now can come."""
        return self.order > 0

    @property
    def is_out(self) -> bool:
        return self.is_low and not self.stock


@dataclass(frozen=True)
class ShopCover:
    """A shop's products as of its last complete sync, the most urgent first."""

    as_of: datetime
    today: date
    covers: tuple[Cover, ...]

    @property
    def low(self) -> tuple[Cover, ...]:
        return tuple(cover for cover in self.covers if cover.is_low)

    @property
    def unknown(self) -> tuple[Cover, ...]:
        """Products of which nobody can say how long they last."""
        return tuple(cover for cover in self.covers if cover.stock is None or cover.rate is None)


def load_cover(shop: Shop, *, supply: Supply = SUPPLY) -> ShopCover | None:
    """The products that are not archived; None for a shop that was never synced to the end."""
    as_of = data_as_of(shop)
    if as_of is None:
        return None
    today = day_of(as_of, shop.timezone)
    observed = Period.ending(today - timedelta(days=1), days=OBSERVED_DAYS)
    sales = panel(shop, observed.first, observed.last)
    rates = daily_rates(sales.units[:, -RATE_DAYS:], sales.stocked[:, -RATE_DAYS:])
    morning = _Morning(
        today=today,
        rates=dict(zip(sales.product_ids.tolist(), rates.tolist(), strict=True)),
        stock=stock_by_scheme(shop, today),
        costs=Cost.objects.filter(product__shop=shop).in_force(today).by_product(),
        kappa=drift(sales.units, sales.stocked, window_days=supply.exposed_days),
        settings=ProductSettings.objects.filter(product__shop=shop).in_bulk(),
    )
    products = Product.objects.filter(shop=shop, is_archived=False)
    covers = [_cover(product, morning, _supply_of(morning.settings.get(product.pk), supply)) for product in products]
    return ShopCover(as_of, today, tuple(sorted(covers, key=_urgency)))


@dataclass(frozen=True)
class _Morning:
    today: date
    rates: dict[int, float]
    stock: dict[int, dict[str, int]]
    costs: dict[int, Decimal]
    kappa: float
    settings: dict[int, ProductSettings]


def _supply_of(said: ProductSettings | None, supply: Supply) -> Supply:
    """How this product comes: as all do, but for what its settings say."""
    if said is None:
        return supply
    own = {"lead_days": said.lead_days, "pack_size": said.pack_size, "min_order": said.min_order}
    return replace(supply, **{name: value for name, value in own.items() if value is not None})


def _cover(product: Product, morning: _Morning, supply: Supply) -> Cover:
    schemes = morning.stock.get(product.pk)
    stock = sum(schemes.values()) if schemes is not None else None
    rate = morning.rates.get(product.pk)
    if rate is None or np.isnan(rate):
        return Cover(product=product, stock=stock, rate=None, point=None, order=0)
    if stock is None:
        return Cover(product=product, stock=None, rate=rate, point=None, order=0)
    cost = morning.costs.get(product.pk)
    margin = _margin(product, cost, schemes or {})
    level = service_level(_float(margin), _float(cost), supply)
    found = need(rate=rate, stock=stock, inbound=0, level=level, kappa=morning.kappa, supply=supply)
    return Cover(product=product, stock=stock, rate=rate, point=found.point, order=found.order)


def _margin(product: Product, cost: Decimal | None, schemes: dict[str, int]) -> Decimal | None:
    """What a lost sale costs: the profit of a unit under the scheme that holds most of the stock."""
    fees = Fees.of(product, schemes)
    share, logistics, acquiring, price = fees.commission_rate, fees.logistics, product.acquiring, product.price
    if price is None or share is None or logistics is None or acquiring is None or cost is None:
        return None
    margin: Decimal = price * (1 - share) - logistics - acquiring - cost
    return margin


def _urgency(cover: Cover) -> tuple[bool, float, float, int]:
    """What is to be ordered first, and of that what is gone or goes soonest; what sells more before what sells less."""
    days = cover.days if cover.days is not None else float("inf")
    return (not cover.is_low, days, -(cover.rate or 0.0), cover.product.pk)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
