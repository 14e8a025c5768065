"""From the database to `PriceFacts`: everything a price decision needs, loaded at once and frozen.

A handful of queries whatever the number of products. What is not known stays None.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isnan

import numpy as np
from django.db.models import Max, QuerySet

from apps.catalog.fees import Fees
from apps.catalog.models import Cost, PriceChange, Product, ProductSettings
from apps.catalog.stock import stock_by_scheme
from apps.common.periods import Period, day_of
from apps.experiments.models import Experiment, Verdict
from apps.pricing.economics import acquiring_rate
from apps.pricing.models import PriceRecommendation, PricingSettings
from apps.pricing.records import OwnRules, PastChange, PriceFacts, PriceRules
from apps.sales.panel import Panel, panel
from apps.sales.rates import RATE_DAYS, daily_rates
from apps.sales.shop_sync import data_as_of
from apps.shops.models import Shop

RETURN_RATE_STEP = Decimal("0.0001")
UNITS_STEP = Decimal("0.001")


def rules_of(shop: Shop) -> PriceRules:
    """The shop's settings as the pure modules read them."""
    settings, _ = PricingSettings.objects.get_or_create(shop=shop)
    return PriceRules(
        min_margin_rate=settings.min_margin_rate,
        max_step_rate=settings.max_step_rate,
        days_between_changes=settings.days_between_changes,
        tax_rate=settings.tax_rate or None,
    )


def load_facts(shop: Shop, *, product_ids: Collection[int] | None = None) -> list[PriceFacts]:
    """The facts of the shop's products that are on sale (all, or some), in the order of their ids.

    A product whose price the marketplace has not told has no facts; neither has a shop that was never synced.
    """
    as_of = data_as_of(shop)
    if as_of is None:
        return []
    today = day_of(as_of, shop.timezone)
    wanted = on_sale(shop) if product_ids is None else on_sale(shop).filter(pk__in=product_ids)
    products = list(wanted.order_by("pk"))
    loaded = _load(shop, products, today, only=product_ids)
    return [_facts(product, loaded, today, as_of) for product in products]


def on_sale(shop: Shop) -> QuerySet[Product]:
    """The products that count as the shop's assortment: not archived, with a price."""
    return Product.objects.filter(shop=shop, is_archived=False, price__isnull=False)


@dataclass(frozen=True)
class _Loaded:
    sales: Panel
    costs: dict[int, Decimal]
    stock: dict[int, dict[str, int]]
    changes: dict[int, list[PriceChange]]
    verdicts: dict[int, Verdict]
    reviewed_on: dict[int, date]
    in_experiment: set[int]
    settings: dict[int, ProductSettings]


def _load(shop: Shop, products: list[Product], today: date, *, only: Collection[int] | None) -> _Loaded:
    ids = [product.pk for product in products]
    observed = Period.ending(today - timedelta(days=1), days=RATE_DAYS)
    return _Loaded(
        sales=panel(shop, observed.first, observed.last, product_ids=only),
        costs=Cost.objects.filter(product__in=ids).in_force(today).by_product(),
        stock=stock_by_scheme(shop, today),
        changes=_changes(ids),
        verdicts=_verdicts(ids),
        reviewed_on=_reviewed_on(ids, shop),
        in_experiment=set(
            Experiment.objects.filter(product__in=ids, state__in=Experiment.LIVE).values_list("product_id", flat=True)
        ),
        settings=ProductSettings.objects.filter(product__in=ids).in_bulk(),
    )


def _changes(ids: list[int]) -> dict[int, list[PriceChange]]:
    """The real changes of each product's price, oldest first."""
    changes: dict[int, list[PriceChange]] = {}
    for change in PriceChange.objects.filter(product__in=ids, price_from__isnull=False).order_by("seen_at", "pk"):
        changes.setdefault(change.product_id, []).append(change)
    return changes


def _verdicts(ids: list[int]) -> dict[int, Verdict]:
    """The last verdict on each command that changed one of these products."""
    verdicts = Verdict.objects.filter(experiment__product__in=ids).select_related("experiment").order_by("as_of")
    return {verdict.experiment.command_id: verdict for verdict in verdicts}


def _reviewed_on(ids: list[int], shop: Shop) -> dict[int, date]:
    looks = (
        PriceRecommendation.objects.filter(product__in=ids)
        .values_list("product_id")
        .annotate(last=Max("proposal__created_at"))
    )
    return {product_id: day_of(last, shop.timezone) for product_id, last in looks}


def _facts(product: Product, loaded: _Loaded, today: date, as_of: datetime) -> PriceFacts:
    sales = _Sales.of(loaded.sales, product.pk)
    stock = loaded.stock.get(product.pk)
    changes = loaded.changes.get(product.pk, [])
    reviewed = loaded.reviewed_on.get(product.pk)
    fees = Fees.of(product, stock or {})
    price = product.price or Decimal(0)
    return PriceFacts(
        product_id=product.pk,
        sku=product.offer_id,
        currency=product.currency,
        today=today,
        as_of=as_of,
        price=price,
        base_price=_base_price(changes, price),
        old_price=product.old_price,
        min_price=product.min_price,
        cost=loaded.costs.get(product.pk),
        commission_rate=fees.commission_rate,
        logistics=fees.logistics,
        acquiring_rate=acquiring_rate(product.acquiring, _synced_price(changes, price, as_of)),
        return_rate=sales.return_rate,
        return_logistics=fees.return_logistics,
        units_per_day=sales.units_per_day,
        units_last_7=sales.units(7, 0),
        units_previous_7=sales.units(14, 7),
        in_stock_days_last_7=sales.stocked_days(7, 0),
        in_stock_days_previous_7=sales.stocked_days(14, 7),
        days_observed=sales.days_observed,
        days_since_sale=sales.days_since_sale,
        stock=sum(stock.values()) if stock is not None else None,
        inbound=None,
        last_change=_past(changes[-1], loaded.verdicts) if changes else None,
        days_since_review=(today - reviewed).days if reviewed else None,
        in_experiment=product.pk in loaded.in_experiment,
        own=_own_rules(loaded.settings.get(product.pk)),
    )


def _own_rules(said: ProductSettings | None) -> OwnRules:
    if said is None:
        return OwnRules()
    return OwnRules(
        min_price=said.min_price,
        max_price=said.max_price,
        min_margin_rate=said.min_margin_rate,
        is_repriced=said.is_repriced is not False,
    )


def _synced_price(changes: list[PriceChange], price: Decimal, as_of: datetime) -> Decimal:
    """The price at the last sync, which fees in money were told for: a command may have changed it since."""
    since = next((change for change in changes if change.seen_at > as_of), None)
    return price if since is None else since.price_from or price


def _base_price(changes: list[PriceChange], price: Decimal) -> Decimal:
    """The seller's own price: what stood before our first change since they last set one themselves."""
    base = price
    for change in reversed(changes):
        if change.source != PriceChange.Source.VITRINA:
            break
        base = change.price_from or base
    return base


def _past(change: PriceChange, verdicts: dict[int, Verdict]) -> PastChange:
    verdict = verdicts.get(change.command_id) if change.command_id else None
    return PastChange(
        changed_on=change.seen_on,
        old_price=change.price_from or change.price_to,
        new_price=change.price_to,
        verdict=verdict.result if verdict else None,
        profit_per_day=verdict.per_day if verdict else None,
    )


@dataclass(frozen=True, eq=False)
class _Sales:
    """The observed days of one product, oldest first. Days of unknown stock count as in stock, as for verdicts."""

    sold: np.ndarray
    returned: int
    stocked: np.ndarray

    @classmethod
    def of(cls, sales: Panel, product_id: int) -> _Sales:
        row = sales.row_of(product_id)
        if row is None:
            return cls(np.zeros(0, dtype=np.int64), 0, np.zeros(0, dtype=bool))
        known = sales.known_days
        return cls(sales.units[row, known], int(sales.returned[row].sum()), sales.stocked[row, known])

    @property
    def days_observed(self) -> int:
        return len(self.sold)

    @property
    def units_per_day(self) -> Decimal | None:
        (rate,) = daily_rates(self.sold[None], self.stocked[None]).tolist()
        return None if isnan(rate) else Decimal(str(rate)).quantize(UNITS_STEP)

    @property
    def return_rate(self) -> Decimal | None:
        sold = int(self.sold.sum())
        return (Decimal(self.returned) / sold).quantize(RETURN_RATE_STEP) if sold else None

    @property
    def days_since_sale(self) -> int | None:
        days = np.flatnonzero(self.sold)
        return int(len(self.sold) - days[-1]) if len(days) else None

    def units(self, start: int, end: int) -> int:
        """Sold from `start` days ago up to, not including, `end` days ago."""
        return int(self._part(self.sold, start, end).sum())

    def stocked_days(self, start: int, end: int) -> int:
        return int(self._part(self.stocked, start, end).sum())

    @staticmethod
    def _part(values: np.ndarray, start: int, end: int) -> np.ndarray:
        return values[max(0, len(values) - start) : len(values) - end]
