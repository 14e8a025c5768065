"""Storing pages of a CRM's orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import orjson
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.jobs.sync_runs import Stored
from apps.marketplaces.http import parsed_object
from apps.marketplaces.keycrm.client import PARTS_OF_ORDER
from apps.marketplaces.keycrm.schemas import Order as CrmOrder
from apps.marketplaces.keycrm.schemas import OrderPayment
from apps.marketplaces.standins.keycrm import CrmShop
from apps.marketplaces.standins.keycrm.rows import order_row
from apps.marketplaces.standins.world import START, Clock
from apps.sales import crm_orders
from apps.sales.models import Order
from apps.shops.models import Seller, Shop

pytestmark = pytest.mark.django_db

LAST_DAY = date(START.year, START.month, START.day)


@pytest.fixture
def shop() -> Shop:
    seller = Seller.objects.create(name="Olena's cosmetics")
    return Shop.objects.create(
        seller=seller, kind=Shop.Kind.KEYCRM, name="Salon", currency="UAH", timezone="Europe/Kyiv"
    )


@pytest.fixture(scope="module")
def crm() -> CrmShop:
    return CrmShop(Clock(), orders=2_000, products=60, history_days=60)


def page(crm: CrmShop, numbers: range) -> list[CrmOrder]:
    parts = frozenset(PARTS_OF_ORDER.split(","))
    rows = (parsed_object(orjson.dumps(order_row(crm, number, parts))) for number in numbers)
    return [CrmOrder.model_validate(row) for row in rows]


def store(shop: Shop, rows: Sequence[CrmOrder]) -> Stored:
    with transaction.atomic():
        return crm_orders.store(shop, rows, last_day=LAST_DAY)


def queries(shop: Shop, rows: Sequence[CrmOrder]) -> int:
    with CaptureQueriesContext(connection) as captured:
        store(shop, rows)
    return len(captured)


def test_a_page_takes_as_many_queries_as_a_long_one(shop: Shop, crm: CrmShop) -> None:
    for first in (1, 101):  # the directories and the statistics of the tables are there from now on
        store(shop, page(crm, range(first, first + 100)))
    assert queries(shop, page(crm, range(201, 251))) == queries(shop, page(crm, range(301, 1301))) < 60
    assert queries(shop, page(crm, range(201, 251))) == queries(shop, page(crm, range(301, 1301))) < 60
    assert Order.objects.filter(shop=shop).count() == 1_250


def test_a_page_that_was_stored_writes_nothing_anew(shop: Shop, crm: CrmShop) -> None:
    rows = page(crm, range(1, 101))
    assert store(shop, rows).written > 100
    assert store(shop, rows).written == 0


@pytest.mark.parametrize(
    ("payments", "received"),
    [
        ([], "0"),
        ([("30.50", "UAH", "paid"), ("12", "", "paid"), ("100", "UAH", "not_paid"), ("7", "UAH", "canceled")], "42.50"),
        ([("30.50", "UAH", "paid"), ("10", "USD", "paid")], None),
        ([("30.50", "UAH", "paid"), ("10", "USD", "not_paid")], "30.50"),
        (None, None),
    ],
)
def test_what_has_come_of_an_order_is_what_was_paid_in_its_currency(
    shop: Shop, crm: CrmShop, payments: list[tuple[str, str, str]] | None, received: str | None
) -> None:
    (row,) = page(crm, range(1, 2))
    told: object = payments and [
        OrderPayment.model_validate({"id": place, "amount": amount, "actual_currency": currency, "status": status})
        for place, (amount, currency, status) in enumerate(payments, 1)
    ]
    store(shop, [row.model_copy(update={"payments": told})])
    assert Order.objects.get(shop=shop).received == (None if received is None else Decimal(received))


def test_a_payment_that_comes_later_is_seen(shop: Shop, crm: CrmShop) -> None:
    (row,) = page(crm, range(1, 2))
    store(shop, [row.model_copy(update={"payments": ()})])
    store(shop, [row])
    order = Order.objects.get(shop=shop)
    assert order.received == order.total > 0
