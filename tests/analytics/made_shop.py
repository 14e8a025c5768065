"""A small shop with everything that is awkward: made from a seed, changed from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from apps.catalog.models import Brand, Category, Product
from apps.common.periods import Period
from apps.sales.models import Buyer, Expense, ExpenseType, Order, OrderLine, SalesType, Source
from apps.shops.models import Shop

DAYS = Period(date(2025, 11, 18), date(2026, 2, 4))
ROLES = {1: "sales", 2: "sales", 3: "history", 5: "exhibition", 9: ""}


@dataclass
class MadeShop:
    """Orders without a buyer, lines without a product, fractional quantities, several postings under one number (also
    on two days, with two types, one of them returned), returns, sources of history, of a fair and of no word yet, and
    rows stored before there were sources."""

    shop: Shop
    random: Random
    sources: list[Source]
    products: list[Product]
    buyers: list[Buyer]
    expense_types: list[ExpenseType]
    made: int = 0

    @classmethod
    def of(cls, shop: Shop, seed: int) -> MadeShop:
        random = Random(seed)
        sources = [
            Source.objects.create(shop=shop, external_id=i, name=f"Source {i}", currency="RUB", role=role)
            for i, role in ROLES.items()
        ]
        roots = [Category.objects.create(shop=shop, external_id=f"r{i}", name=f"Root {i}") for i in range(2)]
        below = [
            Category.objects.create(shop=shop, external_id=f"b{i}", name=f"Below {i}", parent=roots[i % 2])
            for i in range(3)
        ]
        leaves = [
            Category.objects.create(shop=shop, external_id=f"l{i}", name=f"Leaf {i}", parent=below[i % 3])
            for i in range(4)
        ]
        brands = [Brand.objects.create(shop=shop, name=name) for name in ("Dawn", "DAWN", "Dusk", "Noon")]
        products = [
            Product.objects.create(
                shop=shop,
                external_id=str(i),
                offer_id=str(i),
                name=f"Product {i}",
                currency="RUB",
                family=f"family {i // 2}" if i < 6 else "",
                brand=random.choice([*brands, None]),
                category=random.choice([*below, *leaves, None]),
            )
            for i in range(14)
        ]
        buyers = [Buyer.objects.create(shop=shop, external_id=i) for i in range(12)]
        types = [ExpenseType.objects.create(shop=shop, external_id=i, name=f"Type {i}") for i in range(2)]
        return cls(shop, random, sources, products, buyers, types)

    def sell(self, orders: int) -> None:
        """So many new orders, in one to three postings."""
        for _ in range(orders):
            self.made += 1
            number, buyer = f"N{self.made}", self.random.choice([*self.buyers, None])
            source, kind, day = self._source(), self._type(), self._day()
            for part in range(self.random.choice([1, 1, 1, 2, 3])):
                if self.random.random() < 0.2:
                    source, kind, day = self._source(), self._type(), self._day()
                self._post(f"{number}-{part}", number, buyer, source, kind, day)

    def change(self, orders: int) -> None:
        """Change so many in one respect or another: day, status, buyer, lines, expenses, source, type."""
        for order in self.random.sample(list(Order.objects.filter(shop=self.shop).order_by("pk")), orders):
            what = self.random.randrange(8)
            if what == 0:
                order.placed_on = self._day()
            elif what == 1:
                order.status = self._status()
            elif what == 2:
                order.buyer = self.random.choice([*self.buyers, None])
            elif what == 3:
                order.source, order.sales_type = self._source(), self._type()
            elif what == 4:
                order.lines.all().delete()
                self._add_lines(order)
            elif what == 5:
                order.expenses.all().delete()
            elif what == 6:
                order.total += 1
            else:
                order.delete()
                continue
            order.save()

    def _post(  # noqa: PLR0917
        self, external_id: str, number: str, buyer: Buyer | None, source: Source | None, kind: str, day: date
    ) -> None:
        order = Order.objects.create(
            shop=self.shop,
            external_id=external_id,
            order_number=number,
            channel="any",
            source=source,
            sales_type=kind,
            buyer=buyer,
            status=self._status(),
            raw_status="",
            placed_at=datetime.combine(day, time(9), UTC),
            placed_on=day,
            total=self._money(),
            currency="RUB",
        )
        self._add_lines(order)
        for i in range(self.random.choice([0, 0, 1, 2])):
            kind_of_expense = self.random.choice([*self.expense_types, None])
            Expense.objects.create(order=order, external_id=i, type=kind_of_expense, amount=self._money())

    def _add_lines(self, order: Order) -> None:
        OrderLine.objects.bulk_create(
            OrderLine(
                order=order,
                position=position,
                product=self.random.choice([*self.products, None]),
                external_product_id="",
                name="",
                quantity=Decimal(self.random.randrange(1, 4000)) / self.random.choice([1, 1000]),
                price=self._money(),
            )
            for position in range(self.random.randrange(4))
        )

    def _day(self) -> date:
        return DAYS.first + timedelta(days=self.random.randrange(DAYS.days))

    def _source(self) -> Source | None:
        return self.random.choice([*self.sources, None])

    def _type(self) -> str:
        return self.random.choice(SalesType.values)

    def _status(self) -> str:
        return self.random.choice([*["open", "delivered"] * 3, "cancelled", "returned"])

    def _money(self) -> Decimal:
        return Decimal(self.random.randrange(1, 10_000_000)) / 100
