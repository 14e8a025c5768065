"""Every answer of the store beside plain SQL over PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, replace
from datetime import date
from itertools import product
from random import Random

import pytest

from apps.analytics import build, questions
from apps.analytics.errors import NotBuilt
from apps.analytics.shapes import ALL_TYPES, Filters
from apps.catalog.models import Category
from apps.common.errors import NotFound
from apps.common.periods import Period
from apps.sales.models import SalesType
from apps.shops.models import Member, Shop
from tests.analytics import plain
from tests.analytics.made_shop import DAYS, ROLES, MadeShop
from tests.cast import shop as another_shop

pytestmark = [pytest.mark.django_db, pytest.mark.store]

EVERY = 10_000
PERIODS = (
    DAYS,
    Period(date(2025, 12, 1), date(2025, 12, 31)),
    Period(date(2025, 12, 5), date(2026, 1, 22)),
    Period(date(2026, 1, 17), date(2026, 1, 17)),
)


def combinations(shop: Shop, period: Period) -> Iterator[Filters]:
    """Every source x type x category (of each depth) x brand, "all" included."""
    sources = (None, *ROLES, 1000 + shop.pk)
    types = (*SalesType.values, ALL_TYPES)
    categories = (None, *Category.objects.filter(shop=shop).values_list("pk", flat=True))
    brands = (None, "dawn", "DUSK", "Noon")
    for source, kind, category, brand in product(sources, types, categories, brands):
        yield Filters((shop.pk,), period, kind, source, category, brand)


def some(shop: Shop, count: int) -> list[Filters]:
    return [
        replace(asked, period=period)
        for period in PERIODS
        for asked in Random(7).sample(list(combinations(shop, period)), count)
    ]


def check(asked: Filters) -> None:
    """Every question with these filters."""
    assert [astuple(questions.summary(asked))] == plain.ask(plain.SUMMARY, asked), asked
    days = [astuple(day) for day in questions.trend(asked) if day.orders]
    assert days == plain.ask(plain.TREND, asked), asked
    sources = sorted((s.source_id, s.orders, s.revenue) for s in questions.by_source(asked))
    assert sources == plain.ask(plain.BY_SOURCE, asked), asked
    check_products(asked)
    check_brands(asked)
    found = questions.customers(asked)
    buyers = [(found.buyers, found.new, found.returning, found.buyer_orders)]
    assert buyers == plain.ask(plain.BUYERS, asked), asked
    ever = replace(asked, category_id=None, brand=None)
    assert [astuple(found.ever)] == plain.ask(plain.EVER, ever), asked
    check_expenses(asked)


def check_products(asked: Filters) -> None:
    expected = sorted(plain.ask(plain.PRODUCTS, asked), key=lambda row: row[0] or 0)
    top, best = questions.top_products(asked, EVERY), questions.product_performance(asked, EVERY)
    for products in (top.products, best.products):
        rows = [(p.product_id, p.quantity, p.revenue) for p in products]
        assert sorted(rows, key=lambda row: row[0] or 0) == expected, asked
    assert top.quantity == best.quantity == sum(row[1] for row in expected)
    assert best.revenue == sum(row[2] for row in expected)
    assert best.product_count == len(expected)
    assert list(top.products) == sorted(top.products, key=lambda p: (-p.quantity, p.product_id or 0)), asked
    assert list(best.products) == sorted(best.products, key=lambda p: (-p.revenue, p.product_id or 0)), asked
    assert questions.top_products(asked, 2).products == top.products[:2], asked


def check_brands(asked: Filters) -> None:
    found = questions.brands(asked, EVERY)
    for brands in (found.by_revenue, found.by_quantity):
        rows = sorted((b.name.lower(), b.orders, b.quantity, b.revenue) for b in brands)
        assert rows == plain.ask(plain.BRANDS, asked), asked


def check_expenses(asked: Filters) -> None:
    found = questions.expenses(asked)
    assert [(found.count, found.amount, found.orders)] == plain.ask(plain.EXPENSES, asked), asked
    assert sum(day.amount for day in found.days) == sum(one.amount for one in found.by_type) == found.amount
    for one in found.by_type:
        if one.type_id is not None:
            of_type = questions.expenses(asked, one.type_id)
            expected = plain.ask(plain.EXPENSES, asked, expense_type=one.type_id)
            assert [(of_type.count, of_type.amount, of_type.orders)] == expected, asked
    profit = questions.profit(asked)
    assert (profit.revenue, profit.expenses) == (questions.summary(asked).revenue, found.amount)
    assert len(profit.days) == asked.period.days


@pytest.mark.slow
def test_orders_and_revenue_are_right_under_every_combination_of_filters(made: MadeShop) -> None:
    build.rebuild(made.shop)
    rows = plain.ask(plain.EVERY_SUMMARY, Filters((made.shop.pk,), PERIODS[2], ALL_TYPES))
    expected = {row[:4]: row[4:] for row in rows}
    for asked in combinations(made.shop, PERIODS[2]):
        kind = None if asked.sales_type == ALL_TYPES else asked.sales_type
        key = (asked.category_id, asked.brand and asked.brand.lower(), asked.source_id, kind)
        assert astuple(questions.summary(asked)) == expected.get(key, (0, 0, 0, 0)), asked


def test_every_question_is_answered_as_postgresql_would(made: MadeShop) -> None:
    build.rebuild(made.shop)
    for asked in some(made.shop, 6):
        check(asked)
    for asked in (Filters((made.shop.pk,), period, ALL_TYPES) for period in PERIODS):
        check(asked)


@pytest.mark.slow
def test_the_answers_stay_right_over_many_refreshes(made: MadeShop) -> None:
    build.rebuild(made.shop)
    for _ in range(4):
        made.change(25)
        made.sell(6)
        assert not build.refresh(made.shop).is_whole
    for asked in some(made.shop, 4):
        check(asked)
    check(Filters((made.shop.pk,), DAYS, ALL_TYPES))


def test_several_shops_are_asked_as_one(made: MadeShop, owner: Member) -> None:
    second = MadeShop.of(another_shop(owner.seller, "Second"), seed=2)
    second.sell(60)
    for shop in (made.shop, second.shop):
        build.rebuild(shop)
    both = (made.shop.pk, second.shop.pk)
    for kind, brand in product(("all", "retail"), (None, "dawn")):
        asked = Filters(both, PERIODS[2], kind, None, None, brand)
        assert [astuple(questions.summary(asked))] == plain.ask(plain.SUMMARY, asked)
        check_products(asked)
        check_brands(asked)
        check_expenses(asked)
        side_by_side = [source for shop in both for source in questions.by_source(replace(asked, shops=(shop,)))]
        assert questions.by_source(asked) == tuple(sorted(side_by_side, key=lambda source: -source.revenue))
    assert len(questions.root_categories(both)) == 4
    assert questions.brand_names(both) == ("Dawn", "Dusk", "Noon")


def test_a_category_is_shown_with_its_children(made: MadeShop) -> None:
    build.rebuild(made.shop)
    asked = Filters((made.shop.pk,), DAYS, "all")
    for shown in questions.category_breakdown(asked, "root 0"):
        inside = questions.summary(replace(asked, category_id=shown.category_id))
        assert shown.revenue == inside.revenue
        (alone,) = questions.category_breakdown(replace(asked, category_id=shown.category_id), "ROOT 0")
        assert alone == shown
    roots = questions.root_categories(asked.shops)
    assert [root.name for root in roots] == ["Root 0", "Root 1"]
    assert [child.name for child in questions.children(asked.shops, roots[0].id)] == ["Below 0", "Below 2"]
    with pytest.raises(NotFound):
        questions.children(asked.shops, 10**9)


def test_what_the_shop_does_not_have_is_nothing(made: MadeShop) -> None:
    build.rebuild(made.shop)
    for asked in (
        Filters((made.shop.pk,), DAYS, brand="no such brand"),
        Filters((made.shop.pk,), DAYS, category_id=10**9),
        Filters((made.shop.pk,), Period(date(2019, 1, 1), date(2019, 12, 31))),
    ):
        check(asked)
        assert questions.summary(asked).orders == 0


def test_a_shop_without_a_store_says_so(owner: Member) -> None:
    with pytest.raises(NotBuilt):
        questions.summary(Filters((owner.seller.shops.get().pk,), DAYS))
