"""The questions that the read store answers.

An order counts in sales when its source's role is sales or exhibition, whatever its type; a cancelled or returned one
counts as a return instead. Orders are counted by distinct order number, within a day as over a year.

Revenue is what buyers pay: the orders' totals, discount and delivery included. Under a category or a brand it is price
times quantity of the lines that match (`Filters.by_lines`), and an order counts when it has such a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Min
from django.utils.translation import gettext as _

from apps.analytics.blocks import LEVEL, MONTHS, cover
from apps.analytics.days import NOTHING, Days, money, number, units
from apps.analytics.directories import Rows
from apps.analytics.models import StaleDay, StoreVersion
from apps.analytics.months import Totals
from apps.analytics.reader import Ranges, Store, answer
from apps.analytics.shapes import (
    ALL_TYPES,
    Brands,
    BrandSales,
    Category,
    CategorySales,
    Customers,
    DayExpenses,
    DayProfit,
    DaySales,
    Ever,
    Expenses,
    ExpenseType,
    Filters,
    Performance,
    ProductSales,
    Profit,
    SourceSales,
    Summary,
    TopProducts,
    TypeExpenses,
    Version,
)
from apps.analytics.visits import Visits
from apps.common.errors import NotFound

MONTHS_AND_YEARS = Ranges("block", [(MONTHS, 4 * LEVEL)])
NO_BUYERS = (0, 0, 0, NOTHING, NOTHING, 0)


@dataclass(frozen=True)
class Scattered:
    """Orders that no sum may hold, because their number lies in several cells."""

    orders: int = 0
    returns: int = 0
    buyer_orders: int = 0


NONE = Scattered()


def answering(shops: tuple[int, ...]) -> tuple[StoreVersion, ...]:
    """The same as `version`, but for what waits: it costs no question to PostgreSQL. Raises `NotBuilt`."""
    return answer(shops, lambda store: store.versions)


def version(shops: tuple[int, ...]) -> tuple[Version, ...]:
    """Which versions answer about these shops, in the order of their ids. Raises `NotBuilt` when one has none yet."""
    found = answering(shops)
    waiting = dict(
        StaleDay.objects.filter(shop__in=shops)
        .values_list("shop")
        .annotate(since=Min("changed_at"))
        .values_list("shop", "since")
    )
    lost = dict(StoreVersion.objects.filter(shop__in=shops).exclude(damaged_at=None).values_list("shop", "as_of"))
    return tuple(Version(v.shop_id, v.number, v.as_of, lost.get(v.shop_id) or waiting.get(v.shop_id)) for v in found)


def summary(asked: Filters) -> Summary:
    def find(store: Store) -> Summary:
        orders, returns, _, revenue, returned_revenue = _sales(store, asked)
        return Summary(orders, money(revenue), returns, money(returned_revenue))

    return answer(asked.shops, find)


def trend(asked: Filters) -> tuple[DaySales, ...]:
    """Every day of the period."""
    return answer(asked.shops, lambda store: _trend(store, asked))


def by_source(asked: Filters) -> tuple[SourceSales, ...]:
    """The sources with sales, by revenue. Sources of several shops with one id stand side by side."""
    found = [
        source
        for shop in sorted(set(asked.shops))
        for source in answer((shop,), lambda store: _by_source(store, asked))
    ]
    return tuple(sorted(found, key=lambda source: -source.revenue))


def top_products(asked: Filters, limit: int) -> TopProducts:
    found = answer(asked.shops, lambda store: _best_products(store, asked, "quantity", limit))
    return TopProducts(found.products, found.quantity)


def product_performance(asked: Filters, limit: int) -> Performance:
    def find(store: Store) -> Performance:
        roots = _categories(store, asked, store.directories.children.get(None, []))
        return replace(_best_products(store, asked, "revenue", limit), roots=roots)

    return answer(asked.shops, find)


def category_breakdown(asked: Filters, parent_name: str) -> tuple[CategorySales, ...]:
    """The children with sales of the category of this name, without regard to case, by revenue."""

    def find(store: Store) -> tuple[CategorySales, ...]:
        names, children = store.directories.category_names, store.directories.children
        parents = [category for category, name in names.items() if name.lower() == parent_name.lower()]
        return _categories(store, asked, [child for parent in parents for child in children.get(parent, [])])

    return answer(asked.shops, find)


def customers(asked: Filters) -> Customers:
    def find(store: Store) -> Customers:
        buyers, new, returning = _visits(store, asked).distinct(asked.period)
        orders, _, buyer_orders, revenue, _ = _sales(store, asked)
        ever = Ever(*store.directories.ever.get((asked.source_id or 0, asked.sales_type), NO_BUYERS))
        return Customers(buyers, new, returning, buyer_orders, orders, money(revenue), _trend(store, asked), ever)

    return answer(asked.shops, find)


def brands(asked: Filters, limit: int) -> Brands:
    found = answer(asked.shops, lambda store: _brands(store, asked))
    by_revenue = sorted(found, key=lambda brand: (-brand.revenue, brand.name))
    by_quantity = sorted(found, key=lambda brand: (-brand.quantity, brand.name))
    return Brands(
        tuple(by_revenue[:limit]),
        tuple(by_quantity[:limit]),
        len(found),
        sum((brand.quantity for brand in found), NOTHING),
        sum((brand.revenue for brand in found), NOTHING),
    )


def expenses(asked: Filters, expense_type_id: int | None = None) -> Expenses:
    return answer(asked.shops, lambda store: _expenses(store, asked, expense_type_id or 0))


def profit(asked: Filters) -> Profit:
    def find(store: Store) -> Profit:
        spent = _expense_days(_spent(store, asked), asked, 0)
        days = tuple(
            DayProfit(sold.day, sold.revenue, cost.amount)
            for sold, cost in zip(_trend(store, asked), spent, strict=True)
        )
        return Profit(days, sum((day.revenue for day in days), NOTHING), sum((day.expenses for day in days), NOTHING))

    return answer(asked.shops, find)


def root_categories(shops: tuple[int, ...]) -> tuple[Category, ...]:
    """By name."""
    return answer(shops, lambda store: _named(store, store.directories.children.get(None, [])))


def children(shops: tuple[int, ...], category_id: int) -> tuple[Category, ...]:
    """By name. Raises `NotFound` when no shop of these has the category."""

    def find(store: Store) -> tuple[Category, ...]:
        if category_id not in store.directories.category_names:
            raise NotFound(_("There is no such category."))
        return _named(store, store.directories.children.get(category_id, []))

    return answer(shops, find)


def brand_names(shops: tuple[int, ...]) -> tuple[str, ...]:
    """By name; of those that differ in case alone the first."""
    return answer(shops, lambda store: tuple(sorted(set(store.directories.brand_names.values()), key=str.lower)))


def expense_types(shops: tuple[int, ...]) -> tuple[ExpenseType, ...]:
    """By name."""

    def find(store: Store) -> tuple[ExpenseType, ...]:
        found = [ExpenseType(id_, name, alias) for id_, (name, alias) in store.directories.expense_types.items()]
        return tuple(sorted(found, key=lambda one: (one.name.lower(), one.id)))

    return answer(shops, find)


def _ask(store: Store, asked: Filters, question: str, **more: Any) -> Rows:
    return store.ask(question, **_params(store, asked), **more)


def _params(store: Store, asked: Filters) -> dict[str, Any]:
    """What is asked about in the words of the .sql."""
    return {"first": asked.period.first, "last": asked.period.last, **_narrowed(store, asked)}


def _narrowed(store: Store, asked: Filters) -> dict[str, Any]:
    """The same without the period: 0 and 'all' stand for everything, -1 for what the shops do not have."""
    return {
        "source": asked.source_id or 0,
        "type": asked.sales_type,
        "category": asked.category_id or 0,
        "categories": _categories_of(store, asked),
        "brands": _brands_of(store, asked),
    }


def _categories_of(store: Store, asked: Filters) -> list[int]:
    return [0] if asked.category_id is None else store.directories.descendants.get(asked.category_id, [-1])


def _brands_of(store: Store, asked: Filters) -> list[int]:
    return [0] if asked.brand is None else store.directories.brand_keys.get(asked.brand.lower(), [-1])


def _scattered(store: Store, asked: Filters, by: str) -> dict[int, Scattered]:
    """By day (its number), source or brand, as `by` says; '': all of them under 0."""
    if not store.directories.has_scattered:
        return {}
    return {key: Scattered(*counts) for key, *counts in _ask(store, asked, "scattered", by=by)}


def _sales(store: Store, asked: Filters) -> list[int]:
    """Orders, returns, orders of known buyers, revenue and returned revenue of the period."""
    days, chosen = _days(store, asked)
    orders, returns, buyer_orders, revenue, returned_revenue = days.total(asked.period, chosen)
    apart = _scattered(store, asked, "").get(0, NONE)
    orders, returns, buyer_orders = orders + apart.orders, returns + apart.returns, buyer_orders + apart.buyer_orders
    return [orders, returns, buyer_orders, revenue, returned_revenue]


def _trend(store: Store, asked: Filters) -> tuple[DaySales, ...]:
    days, chosen = _days(store, asked)
    apart = _scattered(store, asked, "day")
    sums = zip(enumerate(asked.period, number(asked.period.first)), days.each(asked.period, chosen), strict=True)
    return tuple(
        DaySales(day, orders + apart.get(i, NONE).orders, money(revenue))
        for (i, day), (orders, _, _, revenue, _) in sums
    )


def _by_source(store: Store, asked: Filters) -> list[SourceSales]:
    days, chosen = _days(store, asked)
    apart = _scattered(store, asked, "source")
    found = []
    for source in sorted({days.cells[i][0] for i in chosen}):
        orders, _, _, revenue, _ = days.total(asked.period, [i for i in chosen if days.cells[i][0] == source])
        name = store.directories.source_names.get(source, "")
        found.append(SourceSales(source, name, orders + apart.get(source, NONE).orders, money(revenue)))
    return [source for source in found if source.orders]


def _days(store: Store, asked: Filters) -> tuple[Days, list[int]]:
    """Orders, returns, orders of known buyers, revenue and returned revenue of all days of what is asked about, and
    which of their cells match."""
    days = store.days(
        "sales_by_day", ("source", "type"), category=asked.category_id or 0, brands=_brands_of(store, asked)
    )
    return days, [i for i, cell in enumerate(days.cells) if _matches(asked, *cell)]


def _matches(asked: Filters, source: int, sales_type: str) -> bool:
    return asked.source_id in (None, source) and asked.sales_type in (ALL_TYPES, sales_type)


def _brands(store: Store, asked: Filters) -> list[BrandSales]:
    """Of several shops those of one name are one brand."""
    names, apart = store.directories.brand_names, _scattered(store, asked, "brand")
    found: dict[str, BrandSales] = {}
    for brand, orders, quantity, revenue in _totals(store, asked, "brands", "brands"):
        every_order = orders + apart.get(brand, NONE).orders
        one = BrandSales(names[brand], every_order, units(quantity), money(revenue))
        other = found.get(one.name)
        found[one.name] = _together(one, other) if other else one
    return [brand for brand in found.values() if brand.orders]


def _together(one: BrandSales, other: BrandSales) -> BrandSales:
    return BrandSales(one.name, one.orders + other.orders, one.quantity + other.quantity, one.revenue + other.revenue)


def _best_products(store: Store, asked: Filters, measure: Literal["quantity", "revenue"], limit: int) -> Performance:
    """Without the roots."""
    sold = _totals(store, asked, "products_of_months", "products_of_days").counted()
    best = list(sold.best(getattr(sold, measure), limit))
    names = store.product_names([head for head, *_ in best])
    products = tuple(
        ProductSales(head or None, names.get(head, ""), units(quantity), money(revenue))
        for head, _, quantity, revenue in best
    )
    return Performance(products, (), len(sold.keys), units(int(sold.quantity.sum())), money(int(sold.revenue.sum())))


def _totals(store: Store, asked: Filters, of_months: str, of_days: str, **more: Any) -> Totals:
    """What was sold in the period, by the key of these two questions."""
    blocks, params = cover(asked.period), {**_narrowed(store, asked), **more}
    days = [block for block in blocks if block[0] < MONTHS]
    return store.months(of_months, in_blocks=MONTHS_AND_YEARS, **params).totals(
        [block for block in blocks if block[0] > MONTHS],
        store.columns(of_days, in_blocks=Ranges("block", days), **params) if days else None,
    )


def _named(store: Store, categories: list[int]) -> tuple[Category, ...]:
    return tuple(Category(category, store.directories.category_names[category]) for category in categories)


def _categories(store: Store, asked: Filters, shown: list[int]) -> tuple[CategorySales, ...]:
    """What these categories sold, of which none holds another: no more of each than lies in the one asked about."""
    keys = {key: category for category in shown if (key := _common_part(store, category, asked.category_id))}
    names = store.directories.category_names
    sold = _totals(store, asked, "categories", "categories", shown=list(keys)).counted() if keys else ()
    found = [
        CategorySales(keys[key], names[keys[key]], units(quantity), money(revenue))
        for key, _, quantity, revenue in sold
    ]
    return tuple(sorted(found, key=lambda one: (-one.revenue, one.category_id)))


def _common_part(store: Store, category: int, asked: int | None) -> int | None:
    """Of two categories the one that lies in the other."""
    descendants = store.directories.descendants
    if asked is None or category in descendants.get(asked, []):
        return category
    return asked if asked in descendants[category] else None


def _visits(store: Store, asked: Filters) -> Visits:
    return store.visits("buyers_by_lines" if asked.by_lines else "buyers_by_day", **_narrowed(store, asked))


def _expenses(store: Store, asked: Filters, expense_type: int) -> Expenses:
    spent = _spent(store, asked)
    orders, count, amount = spent.total(asked.period, _expense_cells(spent, asked, expense_type))
    if store.directories.has_scattered:
        ((apart,),) = _ask(store, asked, "expense_scattered", expense_type=expense_type)
        orders += apart
    by_type = {}
    every = {cell[0] for cell in spent.cells} - {0}
    for kind in {expense_type} if expense_type else every:
        _, number_of, of_type = spent.total(asked.period, _expense_cells(spent, asked, kind))
        if number_of:
            by_type[kind] = (money(of_type), number_of)
    return Expenses(_types(store, by_type), _expense_days(spent, asked, expense_type), money(amount), count, orders)


def _spent(store: Store, asked: Filters) -> Days:
    """Orders that have any, number and amount of expenses on all days."""
    question = "expenses_by_lines" if asked.by_lines else "expenses_by_day"
    return store.days(question, ("expense_type", "source", "type"), **_narrowed(store, asked))


def _expense_days(spent: Days, asked: Filters, expense_type: int) -> tuple[DayExpenses, ...]:
    sums = spent.each(asked.period, _expense_cells(spent, asked, expense_type))
    return tuple(DayExpenses(day, money(amount)) for day, (_, _, amount) in zip(asked.period, sums, strict=True))


def _expense_cells(spent: Days, asked: Filters, expense_type: int) -> list[int]:
    cells = enumerate(spent.cells)
    return [i for i, (kind, *cell) in cells if kind == expense_type and _matches(asked, *cell)]


def _types(store: Store, sums: Mapping[int, tuple[Decimal, int]]) -> tuple[TypeExpenses, ...]:
    """By amount. -1 is the type that the channel did not tell."""
    names = store.directories.expense_types
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(
        TypeExpenses(None if kind == -1 else kind, names.get(kind, ("", ""))[0], amount, count)
        for kind, (amount, count) in ordered
    )
