"""A shop whose days are written down by hand: products, mornings, daily facts, and a sync that has come to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from apps.catalog.models import Cost, Product, StockSnapshot, Warehouse
from apps.common.periods import at_time
from apps.jobs.models import SyncRun
from apps.sales.models import DailyFact, Order, OrderLine, SalesHistory
from apps.sales.rollup import SOURCE
from apps.shops.models import Shop

TODAY = date(2026, 3, 2)
"""A Monday."""
YESTERDAY = TODAY - timedelta(days=1)
MORNING = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""Nine o'clock in Moscow."""


@dataclass
class Shelf:
    """The products of one shop, for tests to fill."""

    shop: Shop
    products: list[Product] = field(default_factory=list)

    def product(
        self, name: str = "Scarf", *, price: str = "1000", cost: str | None = "500", **columns: object
    ) -> Product:
        number = len(self.products) + 1
        made = Product.objects.create(
            shop=self.shop,
            external_id=f"{self.shop.pk}{number}",
            offer_id=f"SKU-{number}",
            name=name,
            currency=self.shop.currency,
            price=Decimal(price),
            **{"fbo_commission_rate": Decimal("0.2"), "fbo_logistics": 80, "acquiring": 15, **columns},
        )
        if cost is not None:
            Cost.objects.create(product=made, starts_on=date(2025, 1, 1), amount=Decimal(cost), currency="RUB")
        self.products.append(made)
        return made

    def morning(self, product: Product, present: int, *, reserved: int = 0, day: date = TODAY) -> None:
        place, _ = Warehouse.objects.get_or_create(shop=self.shop, scheme="fbo", external_id="1")
        StockSnapshot.objects.update_or_create(
            product=product, warehouse=place, day=day, defaults={"present": present, "reserved": reserved}
        )

    def sold(self, product: Product, units: Sequence[int | None], *, last: date = YESTERDAY) -> None:
        """Units of consecutive days, the last on `last`; None is a day out of stock."""
        DailyFact.objects.bulk_create(
            DailyFact(
                product=product,
                day=last - timedelta(days=len(units) - 1 - place),
                units=count or 0,
                revenue=(count or 0) * (product.price or 0),
                cancellations=0,
                returns=0,
                in_stock=count is not None,
            )
            for place, count in enumerate(units)
        )

    def order(self, product: Product, *, day: date = YESTERDAY, number: str = "", quantity: int = 1) -> Order:
        external_id = f"{self.shop.pk}-{Order.objects.count() + 1}"
        order = Order.objects.create(
            shop=self.shop,
            external_id=external_id,
            order_number=number or external_id,
            channel="ozon",
            status=Order.Status.OPEN,
            raw_status="awaiting_deliver",
            placed_at=at_time(day, time(12), self.shop.timezone),
            placed_on=day,
            total=(product.price or 0) * quantity,
            currency=self.shop.currency,
        )
        OrderLine.objects.create(
            order=order, position=1, product=product, name=product.name, quantity=quantity, price=product.price or 0
        )
        return order

    def synced(self, at: datetime = MORNING, *, since: date = date(2025, 9, 1)) -> None:
        """The shop's data are complete as of `at`, and its sales known from `since` on."""
        SalesHistory.objects.get_or_create(shop=self.shop, defaults={"sales_from": since, "events_from": since})
        SyncRun.objects.create(
            shop=self.shop, source=SOURCE, state=SyncRun.State.COMPLETE, started_at=at, finished_at=at, as_of=at
        )


@contextmanager
def queries_counted() -> Iterator[list[str]]:
    """The statements of the block. (Django's own capture replaces the cursor by one that cannot COPY.)"""
    seen: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen
