"""The figures as they go over the wire, out of a store that was built of a few orders in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.analytics import questions
from apps.analytics.build import refresh
from apps.sales.models import Order, OrderLine
from apps.shops.models import Shop
from tests.backoffice.fill import Filled
from tests.dashboard.asking import Asker, at_the_page
from tests.dashboard.sold import LONG_NAME, Cosmetics

pytestmark = pytest.mark.django_db


@pytest.fixture
def asker(anna: Filled, cosmetics: Cosmetics) -> Asker:
    return at_the_page(anna.owner)


def keys(answer: Any) -> Any:
    """The names in an answer, nested; of a list those of its first item."""
    if isinstance(answer, dict):
        return {name: keys(value) for name, value in answer.items()}
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        return [keys(answer[0])]
    return type(answer).__name__


LINE = {
    "label": "str",
    "data": "list",
    "borderColor": "str",
    "backgroundColor": "str",
    "fill": "bool",
    "tension": "float",
    "borderWidth": "int",
    "borderDash": "list",
}
CHART = {"labels": "list", "datasets": [LINE]}
CONTRACT: dict[str, Any] = {
    "/api/summary": {
        "totalOrders": "int", "totalRevenue": "float", "avgCheck": "float", "totalReturns": "int",
        "returnsRevenue": "float", "startDate": "str", "endDate": "str",
    },
    "/api/revenue/trend": {
        "labels": "list", "revenue": "list", "orders": "list", "datasets": [LINE],
        "comparison": {
            "labels": "list", "revenue": "list", "orders": "list",
            "period": {"start": "str", "end": "str", "type": "str"},
            "totals": {"current": "float", "previous": "float", "growth_percent": "float"},
        },
    },
    "/api/sales/by-source": {
        "labels": "list", "orders": "list", "revenue": "list", "backgroundColor": "list", "sourceIds": "list"
    },
    "/api/products/top": {
        "labels": "list", "wrappedLabels": "list", "data": "list", "percentages": "list", "backgroundColor": "list"
    },
    "/api/products/performance": {
        "topByRevenue": {
            "labels": "list", "wrappedLabels": "list", "data": "list", "quantities": "list", "backgroundColor": "list"
        },
        "categoryBreakdown": {"labels": "list", "revenue": "list", "quantity": "list", "backgroundColor": "list"},
        "metrics": {
            "totalProducts": "int", "totalRevenue": "float", "totalQuantity": "int", "avgProductRevenue": "float"
        },
    },
    "/api/categories/breakdown": {
        "parentCategory": "str", "labels": "list", "revenue": "list", "quantity": "list", "backgroundColor": "list"
    },
    "/api/customers/insights": {
        "newVsReturning": {"labels": "list", "data": "list", "backgroundColor": "list"},
        "aovTrend": CHART,
        "metrics": {
            "totalCustomers": "int", "newCustomers": "int", "returningCustomers": "int", "totalOrders": "int",
            "repeatRate": "float", "averageOrderValue": "float", "customerLifetimeValue": "float",
            "avgPurchaseFrequency": "float", "avgCustomerLifespanDays": "float", "purchaseFrequency": "float",
            "totalCustomersAllTime": "int", "repeatCustomersAllTime": "int", "trueRepeatRate": "float",
            "avgOrdersPerCustomer": "float",
        },
    },
    "/api/brands/analytics": {
        "topByRevenue": {
            "labels": "list", "data": "list", "quantities": "list", "orders": "list", "backgroundColor": "list"
        },
        "topByQuantity": {"labels": "list", "data": "list", "revenue": "list", "backgroundColor": "list"},
        "metrics": {
            "totalBrands": "int", "topBrand": "str", "topBrandShare": "float", "totalRevenue": "float",
            "totalQuantity": "int", "avgBrandRevenue": "float",
        },
    },
    "/api/expenses/summary": {
        "byType": {"labels": "list", "data": "list", "counts": "list", "backgroundColor": "list"},
        "trend": CHART,
        "metrics": {
            "totalExpenses": "float", "expenseCount": "int", "ordersWithExpenses": "int", "avgExpensePerOrder": "float"
        },
    },
    "/api/expenses/profit": {
        "chart": CHART,
        "metrics": {
            "totalRevenue": "float", "totalExpenses": "float", "grossProfit": "float", "profitMargin": "float"
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("path", CONTRACT)
def test_an_answer_has_the_keys_and_types_of_the_contract(path: str, asker: Asker, cosmetics: Cosmetics) -> None:
    query = {**cosmetics.march, "parent_category": "Skin care"}
    assert keys(asker.json(path, **query)) == CONTRACT[path]


def test_a_summary_adds_up(asker: Asker, cosmetics: Cosmetics) -> None:
    assert asker.json("/api/summary", **cosmetics.march) == {
        "totalOrders": 4,
        "totalRevenue": 2400.0,
        "avgCheck": 600.0,
        "totalReturns": 1,
        "returnsRevenue": 700.0,
        "startDate": "2026-03-01",
        "endDate": "2026-03-10",
    }


@pytest.mark.parametrize(
    ("query", "orders", "revenue"),
    [
        ({"sales_type": "b2b"}, 1, 5000),
        ({"sales_type": "internal"}, 1, 999),
        ({"sales_type": "all"}, 6, 8399),
        ({"sales_type": "exhibition"}, 0, 0),
        ({"source_id": 4}, 2, 1100),
        ({"source_id": 3}, 0, 0),
        ({"brand": "cosRX"}, 2, 1100),
        ({"brand": "Mediheal", "source_id": 4}, 1, 500),
        ({"brand": "Nobody's"}, 0, 0),
    ],
    ids=str,
)
def test_a_filter_narrows_it_down(
    query: dict[str, Any], orders: int, revenue: int, asker: Asker, cosmetics: Cosmetics
) -> None:
    found = asker.json("/api/summary", **cosmetics.march, **query)
    assert (found["totalOrders"], found["totalRevenue"]) == (orders, revenue)


def test_a_category_holds_its_descendants(asker: Asker, cosmetics: Cosmetics) -> None:
    skin = asker.json("/api/summary", **cosmetics.march, category_id=cosmetics.skin.pk)
    hair = asker.json("/api/summary", **cosmetics.march, category_id=cosmetics.hair.pk)
    assert (skin["totalOrders"], skin["totalRevenue"]) == (2, 1610.0)
    assert (hair["totalOrders"], hair["totalRevenue"]) == (1, 300.0)


def test_a_trend_leaves_no_day_out_and_lies_beside_the_ten_days_before(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/revenue/trend", **cosmetics.march)
    assert found["labels"] == [f"{day:02}.03" for day in range(1, 11)]
    assert found["revenue"] == [1000, 800, 600, 0, 0, 0, 0, 0, 0, 0]
    assert found["orders"] == [1, 2, 1, 0, 0, 0, 0, 0, 0, 0]
    now, before = found["datasets"]
    assert (now["label"], now["data"], now["borderDash"]) == ("This Period", found["revenue"], [])
    assert (before["label"], before["borderDash"]) == ("Previous Period", [5, 5])
    assert before["data"] == [0, 400, 0, 0, 0, 0, 0, 0, 0, 0]
    assert found["comparison"] == {
        "labels": [f"{day}.02" for day in range(19, 29)],
        "revenue": [0, 400, 0, 0, 0, 0, 0, 0, 0, 0],
        "orders": [0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        "period": {"start": "2026-02-19", "end": "2026-02-28", "type": "previous_period"},
        "totals": {"current": 2400.0, "previous": 400.0, "growth_percent": 500.0},
    }


def test_a_month_ago_is_the_same_days_of_the_month_before(asker: Asker, cosmetics: Cosmetics) -> None:
    query = {**cosmetics.march, "start_date": "2026-03-18", "end_date": "2026-03-31", "compare_type": "month_ago"}
    found = asker.json("/api/revenue/trend", **query)
    assert found["comparison"]["period"] == {"start": "2026-02-18", "end": "2026-02-28", "type": "month_ago"}
    assert found["datasets"][1]["data"] == [0, 0, 400, 0, 0, 0, 0, 0, 0, 0, 0, None, None, None]


def test_from_nothing_there_is_no_growth(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/revenue/trend", **cosmetics.march, compare_type="year_ago")
    assert found["comparison"]["totals"] == {"current": 2400.0, "previous": 0.0, "growth_percent": None}
    assert found["comparison"]["period"]["start"] == "2025-03-01"


def test_sources_stand_by_revenue(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/sales/by-source", **cosmetics.march)
    assert found["labels"] == ["Instagram", "Shopify"]
    assert (found["orders"], found["revenue"], found["sourceIds"]) == ([2, 2], [1300.0, 1100.0], [1, 4])
    assert len(set(found["backgroundColor"])) == 2


def test_top_products_are_told_with_their_share_of_all_units(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/products/top", **cosmetics.march, limit=3)
    assert found["labels"] == ["Sheet mask", "Bag", LONG_NAME]
    assert (found["data"], found["percentages"]) == ([6, 3, 2], [50.0, 25.0, 16.7])
    assert found["wrappedLabels"][0] == ["Sheet mask"]
    assert " ".join(found["wrappedLabels"][2]) == LONG_NAME
    assert all(len(line) <= 25 for line in found["wrappedLabels"][2])


def test_performance_is_by_lines(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/products/performance", **cosmetics.march)
    assert found["topByRevenue"]["labels"] == ["Sheet mask", LONG_NAME, "Bag", "Shampoo"]
    assert found["topByRevenue"]["data"] == [810.0, 800.0, 600.0, 300.0]
    assert found["topByRevenue"]["quantities"] == [6, 2, 3, 1]
    roots = found["categoryBreakdown"]
    assert (roots["labels"], roots["revenue"], roots["quantity"]) == (["Skin care", "Hair"], [1610.0, 300.0], [8, 1])
    assert found["metrics"] == {
        "totalProducts": 4,
        "totalRevenue": 2510.0,
        "totalQuantity": 12,
        "avgProductRevenue": 627.5,
    }


def test_a_category_breaks_down_into_its_children(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/categories/breakdown", **cosmetics.march, parent_category="Skin care")
    assert (found["parentCategory"], found["labels"]) == ("Skin care", ["Masks", "Essences"])
    assert (found["revenue"], found["quantity"]) == ([810.0, 800.0], [6, 2])
    assert asker.json("/api/categories/breakdown", **cosmetics.march, parent_category="Tea")["labels"] == []


def test_buyers_are_new_once_and_known_from_sources_that_are_history(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/customers/insights", **cosmetics.march)
    assert found["newVsReturning"]["labels"] == ["New Customers", "Returning Customers"]
    assert found["newVsReturning"]["data"] == [1, 2]
    assert found["aovTrend"]["datasets"][0]["data"][:4] == [1000.0, 400.0, 600.0, 0.0]
    assert found["metrics"] == {
        "totalCustomers": 3,
        "newCustomers": 1,
        "returningCustomers": 2,
        "totalOrders": 4,
        "repeatRate": 66.7,
        "averageOrderValue": 600.0,
        "customerLifetimeValue": 1100.0,
        "avgPurchaseFrequency": 2.0,
        "avgCustomerLifespanDays": 5.5,
        "purchaseFrequency": 1.33,
        "totalCustomersAllTime": 3,
        "repeatCustomersAllTime": 2,
        "trueRepeatRate": 66.7,
        "avgOrdersPerCustomer": 1.67,
    }


def test_brands_that_differ_in_case_are_one(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/brands/analytics", **cosmetics.march)
    by_revenue, by_quantity = found["topByRevenue"], found["topByQuantity"]
    assert by_revenue["labels"] == ["Cosrx", "Mediheal"]
    assert (by_revenue["data"], by_revenue["quantities"], by_revenue["orders"]) == ([1100.0, 810.0], [3, 6], [2, 2])
    assert (by_quantity["labels"], by_quantity["data"]) == (["Mediheal", "Cosrx"], [6, 3])
    assert found["metrics"] == {
        "totalBrands": 2,
        "topBrand": "Cosrx",
        "topBrandShare": 57.6,
        "totalRevenue": 1910.0,
        "totalQuantity": 9,
        "avgBrandRevenue": 955.0,
    }


def test_expenses_are_those_of_orders_that_count(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/expenses/summary", **cosmetics.march)
    assert found["byType"]["labels"] == ["Delivery", "Fee"]
    assert (found["byType"]["data"], found["byType"]["counts"]) == ([80.0, 20.0], [2, 1])
    assert found["trend"]["datasets"][0]["data"][:3] == [70.0, 30.0, 0.0]
    assert found["metrics"] == {
        "totalExpenses": 100.0,
        "expenseCount": 3,
        "ordersWithExpenses": 2,
        "avgExpensePerOrder": 50.0,
    }


def test_expenses_of_one_type(asker: Asker, cosmetics: Cosmetics) -> None:
    types = asker.json("/api/expense-types", shop=cosmetics.shop.pk)
    assert [(each["name"], each["alias"]) for each in types] == [("Delivery", "delivery"), ("Fee", "fee")]
    found = asker.json("/api/expenses/summary", **cosmetics.march, expense_type_id=types[1]["id"])
    assert found["metrics"]["totalExpenses"] == 20.0


def test_profit_is_revenue_less_the_orders_expenses(asker: Asker, cosmetics: Cosmetics) -> None:
    found = asker.json("/api/expenses/profit", **cosmetics.march)
    assert found["metrics"] == {
        "totalRevenue": 2400.0,
        "totalExpenses": 100.0,
        "grossProfit": 2300.0,
        "profitMargin": 95.8,
    }
    assert {each["label"]: each["data"][:2] for each in found["chart"]["datasets"]} == {
        "Revenue": [1000.0, 800.0],
        "Expenses": [70.0, 30.0],
        "Gross Profit": [930.0, 770.0],
    }


def test_directories_name_what_there_is(asker: Asker, cosmetics: Cosmetics) -> None:
    shop = cosmetics.shop.pk
    assert [root["name"] for root in asker.json("/api/categories", shop=shop)] == ["Hair", "Skin care"]
    children = asker.json(f"/api/categories/{cosmetics.skin.pk}/children", shop=shop)
    assert [child["name"] for child in children] == ["Essences", "Masks"]
    assert asker.json("/api/brands", shop=shop) == [{"name": "Cosrx"}, {"name": "Mediheal"}]


def test_a_category_that_is_not_there_has_no_children(asker: Asker, cosmetics: Cosmetics) -> None:
    answer = asker.get("/api/categories/987654321/children", {"shop": cosmetics.shop.pk})
    assert answer.status_code == 404
    assert list(answer.json()) == ["detail"]


def test_an_empty_period_is_all_zeros(asker: Asker, cosmetics: Cosmetics) -> None:
    query = {**cosmetics.march, "start_date": "2020-01-01", "end_date": "2020-01-02", "parent_category": "Skin care"}
    for path in CONTRACT:
        answer = asker.get(path, query)
        assert answer.status_code == 200, path
        assert b"NaN" not in answer.content
    assert asker.json("/api/summary", **query)["avgCheck"] == 0.0


@dataclass(frozen=True)
class Sold:
    """An order as the rows in PostgreSQL tell it."""

    on: date
    source: int
    sales_type: str
    returned: bool
    total: Decimal
    lines: tuple[tuple[str, int | None, Decimal], ...]  # brand in small letters, root category, amount


def sold(cosmetics: Cosmetics) -> list[Sold]:
    orders = Order.objects.filter(shop=cosmetics.shop).exclude(source__role="history").select_related("source")
    return [
        Sold(
            on=order.placed_on,
            source=order.source.external_id if order.source else 0,
            sales_type=order.sales_type,
            returned=order.status == Order.Status.RETURNED,
            total=order.total,
            lines=tuple(_line(line) for line in order.lines.select_related("product__brand", "product__category")),
        )
        for order in orders
    ]


def _line(line: OrderLine) -> tuple[str, int | None, Decimal]:
    product = line.product
    assert product
    category = product.category
    root = (category.parent_id or category.pk) if category else None
    return (product.brand.name.lower() if product.brand else "", root, line.quantity * line.price)


MONTHS = st.dates(date(2026, 2, 1), date(2026, 3, 31))


def test_any_question_is_answered_as_the_orders_add_up(asker: Asker, cosmetics: Cosmetics) -> None:
    """Every combination of period, source, type, brand and category, against a plain sum over the rows."""
    rows = sold(cosmetics)

    @settings(max_examples=60, deadline=None, database=None)
    @given(
        days=st.tuples(MONTHS, MONTHS),
        source=st.sampled_from([None, 1, 3, 4]),
        sales_type=st.sampled_from(["retail", "b2b", "internal", "exhibition", "all"]),
        brand=st.sampled_from([None, "cosrx", "MEDIHEAL", "nobody"]),
        category=st.sampled_from([None, cosmetics.skin.pk, cosmetics.hair.pk]),
    )
    def ask(
        days: tuple[date, date], source: int | None, sales_type: str, brand: str | None, category: int | None
    ) -> None:
        first, last = sorted(days)

        def amount(order: Sold) -> Decimal | None:
            """What of the order counts; None when nothing does."""
            if brand is None and category is None:
                return order.total
            matching = [
                money
                for name, root, money in order.lines
                if brand in (None, name.upper(), name) and category in (None, root)
            ]
            return sum(matching, Decimal(0)) if matching else None

        found = [
            (order, counted)
            for order in rows
            if first <= order.on <= last
            and source in (None, order.source)
            and sales_type in ("all", order.sales_type)
            and (counted := amount(order)) is not None
        ]
        asked = {"source_id": source, "brand": brand, "category_id": category}
        answer = asker.json(
            "/api/summary",
            shop=cosmetics.shop.pk,
            start_date=first,
            end_date=last,
            sales_type=sales_type,
            **{name: value for name, value in asked.items() if value is not None},
        )
        assert answer == {
            "totalOrders": sum(not order.returned for order, _counted in found),
            "totalRevenue": float(sum(counted for order, counted in found if not order.returned)),
            "avgCheck": answer["avgCheck"],
            "totalReturns": sum(order.returned for order, _counted in found),
            "returnsRevenue": float(sum(counted for order, counted in found if order.returned)),
            "startDate": first.isoformat(),
            "endDate": last.isoformat(),
        }

    ask()


def test_shops_of_two_currencies_are_never_added_up(asker: Asker, anna: Filled, cosmetics: Cosmetics) -> None:
    words = asker.refused("/api/summary", shop=f"{anna.shop.pk},{cosmetics.shop.pk}")
    assert "RUB, UAH" in words


def test_a_shop_without_a_store_asks_to_come_again(asker: Asker, anna: Filled) -> None:
    new = Shop.objects.create(seller=anna.seller, name="New")
    answer = asker.get("/api/summary", {"shop": new.pk})
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert list(answer.json()) == ["detail"]


def test_what_the_caller_has_already_is_not_asked_again(
    asker: Asker, cosmetics: Cosmetics, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = asker.get("/api/summary", cosmetics.march)["ETag"]
    monkeypatch.setattr(questions, "summary", None)
    again = asker.get("/api/summary", cosmetics.march, **{"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)


def test_each_question_has_its_own_tag(asker: Asker, cosmetics: Cosmetics) -> None:
    queries: tuple[dict[str, Any], ...] = (
        {},
        {"source_id": 4},
        {"brand": "Cosrx"},
        {"end_date": "2026-03-09"},
        {"sales_type": "b2b"},
        {"limit": 7},
    )
    asked = [(path, query) for path in ("/api/products/top", "/api/brands/analytics") for query in queries]
    tags = {asker.get(path, {**cosmetics.march, **query})["ETag"] for path, query in asked}
    assert len(tags) == len(asked)


def test_a_new_version_is_told_anew(asker: Asker, cosmetics: Cosmetics) -> None:
    before = asker.get("/api/summary", cosmetics.march)
    Order.objects.filter(shop=cosmetics.shop, external_id="7").update(status=Order.Status.DELIVERED)
    refresh(cosmetics.shop)
    after = asker.get("/api/summary", cosmetics.march, **{"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert (after.json()["totalOrders"], after.json()["totalReturns"]) == (5, 0)


def test_an_answer_says_as_of_when_it_is(asker: Asker, cosmetics: Cosmetics) -> None:
    (version,) = questions.version((cosmetics.shop.pk,))
    said = asker.get("/api/summary", cosmetics.march)["Vitrina-As-Of"]
    assert said == version.as_of.isoformat(timespec="seconds")


def test_a_usual_answer_is_a_fifth_when_compressed(asker: Asker, cosmetics: Cosmetics) -> None:
    query = {**cosmetics.march, "start_date": "2025-03-11"}
    whole = asker.get("/api/revenue/trend", query)
    small = asker.get("/api/revenue/trend", query, **{"Accept-Encoding": "gzip"})
    assert small["Content-Encoding"] == "gzip"
    assert len(small.content) <= 0.2 * len(whole.content)
    assert small["ETag"] == whole["ETag"]
