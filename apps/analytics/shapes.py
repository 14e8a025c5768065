"""What the read store may be asked about, and the shape of each answer.

Amounts are in the shops' currency and exact; rates, labels and words are the asker's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from apps.common.periods import Period

ALL_TYPES = "all"


@dataclass(frozen=True)
class Filters:
    """What is asked about. The shops have one currency; the asker may see them.

    `sales_type` is a value of `SalesType` or `ALL_TYPES`; `source_id` is `Source.external_id`; `category_id` is our
    `Category`, all its descendants included; `brand` is compared without regard to case.
    """

    shops: tuple[int, ...]
    period: Period
    sales_type: str = "retail"
    source_id: int | None = None
    category_id: int | None = None
    brand: str | None = None

    @property
    def by_lines(self) -> bool:
        """Whether revenue is that of matching lines rather than of whole orders."""
        return self.category_id is not None or self.brand is not None


@dataclass(frozen=True)
class Summary:
    orders: int
    revenue: Decimal
    returns: int
    returned_revenue: Decimal


@dataclass(frozen=True)
class DaySales:
    day: date
    orders: int
    revenue: Decimal


@dataclass(frozen=True)
class SourceSales:
    """`source_id` is `Source.external_id`."""

    source_id: int
    name: str
    orders: int
    revenue: Decimal


@dataclass(frozen=True)
class ProductSales:
    """A product with all its variants; id and name are those of its first one. None: lines of no known product."""

    product_id: int | None
    name: str
    quantity: Decimal
    revenue: Decimal


@dataclass(frozen=True)
class TopProducts:
    """The products that sold most units; `quantity` is that of all products of the period."""

    products: tuple[ProductSales, ...]
    quantity: Decimal


@dataclass(frozen=True)
class CategorySales:
    """A category with all its descendants, by lines."""

    category_id: int
    name: str
    quantity: Decimal
    revenue: Decimal


@dataclass(frozen=True)
class Performance:
    """The products with the highest revenue, and the roots of the category tree, both by lines.

    The totals are those of all lines, also of products that have no category: the roots need not add up to them.
    """

    products: tuple[ProductSales, ...]
    roots: tuple[CategorySales, ...]
    product_count: int
    quantity: Decimal
    revenue: Decimal


@dataclass(frozen=True)
class Ever:
    """All buyers so far, by source and type alone: neither the period nor category and brand narrow it down.

    `orders` and `spent` are those of all buyers, `repeat_spent` of the buyers with two orders or more. `lifespan_days`
    is the sum of the days between each buyer's first and last order.
    """

    buyers: int
    repeat_buyers: int
    orders: int
    spent: Decimal
    repeat_spent: Decimal
    lifespan_days: int


@dataclass(frozen=True)
class Customers:
    """Distinct buyers of the period. One is new on the day of the first order that no cancellation or return undid, of
    any source and type, also those of history; an order on a later day makes a returning one. A buyer may be both.

    `buyer_orders` are the orders of known buyers, `orders` all of them.
    """

    buyers: int
    new: int
    returning: int
    buyer_orders: int
    orders: int
    revenue: Decimal
    days: tuple[DaySales, ...]
    ever: Ever


@dataclass(frozen=True)
class BrandSales:
    """By lines; brands whose names differ in case alone are one, under the name that came first."""

    name: str
    orders: int
    quantity: Decimal
    revenue: Decimal


@dataclass(frozen=True)
class Brands:
    """The totals are those of all branded lines; what has no brand is in none of it."""

    by_revenue: tuple[BrandSales, ...]
    by_quantity: tuple[BrandSales, ...]
    brand_count: int
    quantity: Decimal
    revenue: Decimal


@dataclass(frozen=True)
class TypeExpenses:
    """None: expenses whose type the channel did not tell."""

    type_id: int | None
    name: str
    amount: Decimal
    count: int


@dataclass(frozen=True)
class DayExpenses:
    day: date
    amount: Decimal


@dataclass(frozen=True)
class Expenses:
    """Expenses of the orders that count as sales, on the days of these orders; `orders` are those that have any.

    Under a category or a brand: the whole expenses of the orders that have a line of it.
    """

    by_type: tuple[TypeExpenses, ...]
    days: tuple[DayExpenses, ...]
    amount: Decimal
    count: int
    orders: int


@dataclass(frozen=True)
class DayProfit:
    day: date
    revenue: Decimal
    expenses: Decimal

    @property
    def profit(self) -> Decimal:
        return self.revenue - self.expenses


@dataclass(frozen=True)
class Profit:
    """Revenue less the orders' expenses; the cost of goods is not in it."""

    days: tuple[DayProfit, ...]
    revenue: Decimal
    expenses: Decimal

    @property
    def profit(self) -> Decimal:
        return self.revenue - self.expenses


@dataclass(frozen=True)
class Category:
    id: int
    name: str


@dataclass(frozen=True)
class ExpenseType:
    """`id` is that of our `ExpenseType`."""

    id: int
    name: str
    alias: str


@dataclass(frozen=True)
class Version:
    """The version of a shop's store that answers now: what was in PostgreSQL at `as_of`.

    `behind_since` is since when something newer waits to be in it; None: it is up to date.
    """

    shop_id: int
    number: int
    as_of: datetime
    behind_since: datetime | None
