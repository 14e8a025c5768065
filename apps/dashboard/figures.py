"""The endpoints about sales, out of the read store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from apps.analytics import questions
from apps.analytics.shapes import Filters
from apps.dashboard import answers, charts
from apps.dashboard.answers import stored
from apps.dashboard.caller import caller_of
from apps.dashboard.parameters import (
    BreakdownQuery,
    ExpensesQuery,
    Id,
    SalesQuery,
    ShopQuery,
    TopQuery,
    TrendQuery,
    check_one_currency,
    shops_of,
)
from apps.dashboard.stored import answer
from apps.shops.roles import Action

router = Router(tags=["Sales"])
directories = Router(tags=["Directories"])


@router.get("/summary", response=stored(answers.Summary))
def summary(request: HttpRequest, query: Query[SalesQuery]) -> HttpResponse:
    """Orders, revenue, average check and returns of a period."""
    return _asked(request, query, lambda asked: charts.summary(questions.summary(asked), asked.period))


@router.get("/revenue/trend", response=stored(answers.Trend))
def revenue_trend(request: HttpRequest, query: Query[TrendQuery]) -> HttpResponse:
    """Revenue and orders of each day, beside the period it is compared with."""

    def build(asked: Filters) -> answers.Trend:
        before = replace(asked, period=charts.compared(asked.period, query.compare_type))
        return charts.trend(questions.trend(asked), questions.trend(before), asked.period, query.compare_type)

    return _asked(request, query, build)


@router.get("/sales/by-source", response=stored(answers.BySource))
def sales_by_source(request: HttpRequest, query: Query[SalesQuery]) -> HttpResponse:
    """Orders and revenue of each source, the largest first."""
    return _asked(request, query, lambda asked: charts.by_source(questions.by_source(asked)))


@router.get("/products/top", response=stored(answers.TopProducts))
def top_products(request: HttpRequest, query: Query[TopQuery]) -> HttpResponse:
    """The products that sold most units, with their share of all units."""
    return _asked(request, query, lambda asked: charts.top_products(questions.top_products(asked, query.limit)))


@router.get("/products/performance", response=stored(answers.Performance))
def product_performance(request: HttpRequest, query: Query[TopQuery]) -> HttpResponse:
    """The products with the highest revenue, and the categories at the root of the tree."""
    return _asked(request, query, lambda asked: charts.performance(questions.product_performance(asked, query.limit)))


@router.get("/categories/breakdown", response=stored(answers.Subcategories))
def category_breakdown(request: HttpRequest, query: Query[BreakdownQuery]) -> HttpResponse:
    """The categories right under the one of this name."""
    parent = query.parent_category
    return _asked(
        request, query, lambda asked: charts.subcategories(questions.category_breakdown(asked, parent), parent)
    )


@router.get("/customers/insights", response=stored(answers.Customers))
def customer_insights(request: HttpRequest, query: Query[SalesQuery]) -> HttpResponse:
    """New and returning buyers, what an order brings, and how buyers come back."""
    return _asked(request, query, lambda asked: charts.customers(questions.customers(asked)))


@router.get("/brands/analytics", response=stored(answers.Brands))
def brand_analytics(request: HttpRequest, query: Query[TopQuery]) -> HttpResponse:
    """The brands with the highest revenue, and those with most units."""
    return _asked(request, query, lambda asked: charts.brands(questions.brands(asked, query.limit)))


@router.get("/expenses/summary", response=stored(answers.Expenses))
def expense_summary(request: HttpRequest, query: Query[ExpensesQuery]) -> HttpResponse:
    """The expenses of the orders, by type and day."""
    caller_of(request).require(Action.SEE_PROFIT)
    return _asked(request, query, lambda asked: charts.expenses(questions.expenses(asked, query.expense_type_id)))


@router.get("/expenses/profit", response=stored(answers.Profit))
def profit(request: HttpRequest, query: Query[SalesQuery]) -> HttpResponse:
    """Revenue less the orders' expenses. The cost of goods is not in it."""
    caller_of(request).require(Action.SEE_PROFIT)
    return _asked(request, query, lambda asked: charts.profit(questions.profit(asked)))


def _asked(request: HttpRequest, query: SalesQuery, build: Callable[[Filters], Any]) -> HttpResponse:
    asked = query.filters(caller_of(request))
    return answer(request, asked.shops, (asked, query), lambda: build(asked))


@directories.get("/categories", response=stored(list[answers.Category]))
def root_categories(request: HttpRequest, query: Query[ShopQuery]) -> HttpResponse:
    """The categories at the root of the tree."""
    return _directory(request, query, questions.root_categories)


@directories.get("/categories/{category_id}/children", response=stored(list[answers.Category]))
def category_children(request: HttpRequest, category_id: Path[Id], query: Query[ShopQuery]) -> HttpResponse:
    """The categories right under one."""
    return _directory(request, query, lambda shops: questions.children(shops, category_id))


@directories.get("/brands", response=stored(list[answers.Brand]))
def brand_names(request: HttpRequest, query: Query[ShopQuery]) -> HttpResponse:
    return _directory(request, query, lambda shops: [answers.Brand(name) for name in questions.brand_names(shops)])


@directories.get("/expense-types", response=stored(list[answers.ExpenseType]))
def expense_types(request: HttpRequest, query: Query[ShopQuery]) -> HttpResponse:
    caller_of(request).require(Action.SEE_PROFIT)
    return _directory(request, query, questions.expense_types)


def _directory(request: HttpRequest, query: ShopQuery, build: Callable[[tuple[int, ...]], Any]) -> HttpResponse:
    found = shops_of(caller_of(request), query.shop)
    check_one_currency(found)
    shops = tuple(shop.pk for shop in found)
    return answer(request, shops, (shops, query), lambda: build(shops))
