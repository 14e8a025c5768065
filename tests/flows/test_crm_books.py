"""A shop in KeyCRM that was loaded: every order, line and expense, what changes, what vanishes, what is new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import Sum, TextField
from django.db.models.functions import Cast
from django.test import override_settings
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from apps.catalog.models import Brand, Category, PriceChange, Product, StockSnapshot
from apps.common.periods import Period, day_of
from apps.marketplaces.keycrm.client import KeyCrm
from apps.marketplaces.keycrm.schemas import Order as CrmOrder
from apps.marketplaces.standins.keycrm import CrmShop
from apps.notifications.models import OutboxMessage
from apps.sales.models import (
    Buyer,
    DailyFact,
    DayCheck,
    Expense,
    ExpenseType,
    Manager,
    ManagerPeriod,
    MissingOrder,
    Order,
    OrderLine,
    SalesHistory,
    SalesType,
    TouchedDay,
)
from apps.sales.sales_type import reclassify
from apps.shops.clients import keycrm
from tests.flows.crm import CrmLife, crm_life

pytestmark = [pytest.mark.flow, pytest.mark.django_db]

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def _loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[CrmLife]:
    """Loaded once for all tests of this file; each test's own changes are rolled back around it."""
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        override_settings(),
        crm_life(cast(Settings, settings)) as life,
    ):
        life.sync()
        yield life
        transaction.set_rollback(True)


@pytest.fixture
def life(_loaded: CrmLife, db: None) -> Iterator[CrmLife]:
    with taken_back(_loaded.crm):
        yield _loaded


@contextmanager
def taken_back(crm: CrmShop) -> Iterator[None]:
    """What somebody does in the CRM is undone in the end."""
    before = {name: copy(value) for name, value in vars(crm).items() if name != "clock"}
    yield
    vars(crm).update(before)


def theirs(client: KeyCrm) -> dict[str, CrmOrder]:
    return {str(order.order_id): order for page in client.orders() for order in page.rows}


def told(life: CrmLife) -> list[tuple[str, int]]:
    messages = OutboxMessage.objects.filter(name="crm_unseen", seller=life.shop.seller).order_by("pk")
    return [(message.params["what"], message.params["id"]) for message in messages]


def test_the_first_load_brings_every_order_with_its_lines_expenses_and_buyer(life: CrmLife) -> None:
    there = theirs(keycrm(life.shop))
    ours = Order.objects.filter(shop=life.shop)
    assert set(ours.values_list("external_id", flat=True)) == set(there)
    assert ours.aggregate(sum=Sum("total"))["sum"] == sum(order.grand_total for order in there.values())
    assert OrderLine.objects.filter(order__shop=life.shop).count() == sum(
        len(one.products or ()) for one in there.values()
    )
    spent = Expense.objects.filter(order__shop=life.shop).aggregate(sum=Sum("amount"))["sum"]
    assert spent == sum(expense.amount for one in there.values() for expense in one.expenses or ())
    assert not ours.filter(total__gt=0, lines=None).exists()
    assert not ours.filter(buyer=None).exists()
    some = there["77"]
    order = life.order(77)
    assert some.ordered_at
    assert (order.placed_at, order.placed_on) == (some.ordered_at, day_of(some.ordered_at, "Europe/Kyiv"))
    assert order.source
    assert (order.source.external_id, order.currency, order.channel) == (some.source_id, "UAH", "keycrm")


def test_the_catalogue_is_variants_of_families_with_brands_in_a_tree(life: CrmLife) -> None:
    goods = life.crm.goods
    products = Product.objects.filter(shop=life.shop)
    assert set(products.values_list("external_id", flat=True)) == {str(offer.offer_id) for offer in goods.offers}
    for offer in goods.offers[:20]:
        product = products.select_related("brand", "category__parent__parent").get(external_id=str(offer.offer_id))
        assert (product.family, product.offer_id, product.price) == (str(offer.product_id), offer.sku, offer.price)
        assert product.brand
        assert product.brand.name == goods.brand(offer.product_id)
        category = goods.category(offer.product_id)
        assert (product.category.external_id if product.category else None) == (str(category) if category else None)
    assert Category.objects.filter(shop=life.shop).exclude(children=None).exclude(parent=None).count() == 30
    assert Brand.objects.filter(shop=life.shop).count() == len({goods.brand(number) for number in range(1, 61)})
    stock = StockSnapshot.objects.filter(product__shop=life.shop)
    assert stock.aggregate(sum=Sum("present"))["sum"] == sum(goods.units(offer) for offer in goods.offers)
    assert PriceChange.objects.filter(product__shop=life.shop).count() == products.count()


def test_a_second_sync_writes_nothing_that_has_not_changed(life: CrmLife) -> None:
    run = life.sync()
    written = {one.source: one.written for one in run.sync_runs.all()}
    assert set(written) == {"orders_updated", "orders_created", "facts"}
    assert (written["orders_updated"], written["orders_created"]) == (0, 0)


def test_sales_types_follow_from_source_manager_and_day(life: CrmLife) -> None:
    for order in Order.objects.filter(shop=life.shop).select_related("source", "manager"):
        assert order.source
        manager = order.manager.external_id if order.manager else None
        if order.source.external_id == 5:
            expected = SalesType.EXHIBITION
        else:
            expected = SalesType.B2B if manager == 15 else SalesType.RETAIL
        assert order.sales_type == expected
    types = set(Order.objects.filter(shop=life.shop).values_list("sales_type", flat=True))
    assert types == {"retail", "b2b", "exhibition"}
    assert told(life) == []


def test_a_manager_who_changes_their_work_leaves_the_past_as_it_was(life: CrmLife) -> None:
    TouchedDay.objects.all().delete()
    manager = Manager.objects.get(shop=life.shop, external_id=8)
    turn = day_of(life.now, "Europe/Kyiv") - timedelta(days=40)
    ManagerPeriod.objects.filter(manager=manager).update(ends_on=turn)
    ManagerPeriod.objects.create(manager=manager, sales_type=SalesType.B2B, starts_on=turn)
    changed = reclassify(life.shop)
    orders = Order.objects.filter(shop=life.shop, manager=manager).exclude(source__external_id=5)
    assert set(orders.filter(placed_on__lt=turn).values_list("sales_type", flat=True)) == {"retail"}
    assert set(orders.filter(placed_on__gte=turn).values_list("sales_type", flat=True)) == {"b2b"}
    assert changed == orders.filter(placed_on__gte=turn).count() > 0
    days = set(orders.filter(placed_on__gte=turn).values_list("placed_on", flat=True))
    assert set(TouchedDay.objects.values_list("day", flat=True)) == days


def test_a_source_and_a_manager_that_nobody_has_seen_are_told_once_and_shown_as_unclassified(life: CrmLife) -> None:
    order_ids = [life.crm.place(source_id=6), life.crm.place(source_id=1, manager_id=77), life.crm.place(source_id=6)]
    life.sync()
    life.sync()
    assert [life.order(one).sales_type for one in order_ids] == ["unclassified"] * 3
    assert sorted(told(life)) == [("manager", 77), ("source", 6)]
    assert life.order(order_ids[0]).currency == "USD"


def test_an_expense_type_and_a_group_that_are_in_no_directory_are_told(life: CrmLife) -> None:
    expense = {"id": 1, "expense_type_id": 99, "amount": "12.50", "status": "paid", "payment_date": None}
    order_id = life.crm.place(status_group_id=9, expenses=[expense])
    life.sync()
    assert sorted(told(life)) == [("expense_type", 99), ("status_group", 9)]
    assert life.order(order_id).status == "open"
    assert Expense.objects.get(order=life.order(order_id)).type == ExpenseType.objects.get(external_id=99)


def test_what_changes_comes_with_the_next_sync(life: CrmLife) -> None:
    life.crm.edit(50, grand_total="4321.00", updated_at=life.now)
    new = life.crm.place()
    life.sync()
    assert life.order(50).total == Decimal(4321)
    assert life.order(new).placed_on == day_of(life.now, "Europe/Kyiv")


def test_a_status_that_changed_behind_the_cursor_comes_with_the_night(life: CrmLife) -> None:
    order_id = life.crm.last_id - 10
    TouchedDay.objects.all().delete()
    life.crm.edit(order_id, status_id=19, status_changed_at=life.now)
    life.sync()
    assert life.order(order_id).status == "open"
    life.night()
    order = life.order(order_id)
    assert (order.status, order.closed_on) == ("cancelled", day_of(life.now, "Europe/Kyiv"))
    check = DayCheck.objects.get(shop=life.shop, day=order.placed_on)
    assert [one for one in check.differences if one["order"] == str(order_id)] == [
        {"order": str(order_id), "field": "status", "source": "cancelled", "stored": "open"}
    ]


@pytest.mark.slow
def test_an_order_that_is_deleted_leaves_the_books_at_night(life: CrmLife) -> None:
    order_id = life.crm.last_id - 10
    day = life.order(order_id).placed_on
    life.crm.delete(order_id)
    life.night()
    assert not Order.objects.filter(shop=life.shop, external_id=str(order_id)).exists()
    assert MissingOrder.objects.get(shop=life.shop, external_id=order_id).reason == "404"
    check = DayCheck.objects.get(shop=life.shop, day=day)
    assert check.source_orders == check.stored_orders == check.found_orders - 1
    assert check.source_total == check.stored_total != check.found_total


@pytest.mark.slow
def test_an_order_that_moves_to_another_day_rebuilds_both(life: CrmLife) -> None:
    order_id = life.crm.last_id - 10
    product = life.order(order_id).lines.exclude(product=None).first()
    assert product
    was_on = life.order(order_id).placed_on
    life.crm.edit(order_id, ordered_at=life.crm.ordered_at(order_id) - timedelta(days=9))
    before = DailyFact.objects.get(product=product.product, day=was_on).units
    life.night()
    now_on = life.order(order_id).placed_on
    assert now_on == was_on - timedelta(days=9)
    after = DailyFact.objects.filter(product=product.product, day=was_on).first()
    assert (after.units if after else 0) < before
    assert DailyFact.objects.get(product=product.product, day=now_on).units > 0
    checks = DayCheck.objects.filter(shop=life.shop, day__in=[was_on, now_on])
    assert all(check.source_total == check.stored_total for check in checks)


def test_an_order_with_a_total_and_no_lines_is_not_stored_but_shown(life: CrmLife) -> None:
    order_id = life.crm.place(products=[], grand_total="100.00")
    run = life.sync()
    assert not Order.objects.filter(shop=life.shop, external_id=str(order_id)).exists()
    bad = run.sync_runs.get(source="orders_updated").bad_rows
    assert [(one["id"], "total" in one["reason"]) for one in bad] == [(str(order_id), True)]


@pytest.mark.slow
def test_nothing_differs_after_a_quiet_night(life: CrmLife) -> None:
    life.night()
    checks = DayCheck.objects.filter(shop=life.shop)
    assert checks.count() == 30
    assert [check.differences for check in checks if check.differences] == []
    assert all(check.source_total == check.found_total == check.stored_total for check in checks)


def test_days_that_a_person_asks_for_are_compared_alone(life: CrmLife) -> None:
    last = day_of(life.now, "Europe/Kyiv") - timedelta(days=60)
    life.run(days=Period.ending(last, days=3))
    assert sorted(DayCheck.objects.values_list("day", flat=True)) == list(Period.ending(last, days=3))


def test_goods_sell_as_facts_of_their_days(life: CrmLife) -> None:
    lines = OrderLine.objects.filter(order__shop=life.shop).exclude(product=None)
    assert DailyFact.objects.filter(product__shop=life.shop).aggregate(sum=Sum("units"))["sum"] == int(
        lines.aggregate(sum=Sum("quantity"))["sum"]
    )
    history = SalesHistory.objects.get(shop=life.shop)
    assert history.sales_from == min(Order.objects.values_list("placed_on", flat=True))


def test_buyers_lie_encrypted_and_are_found_by_phone(life: CrmLife) -> None:
    buyer = life.order(77).buyer
    assert buyer
    assert buyer.phone
    assert buyer.phone.reveal() == f"+38000{buyer.external_id:07}"
    stored = Buyer.objects.annotate(as_it_lies=Cast("phone", TextField())).get(pk=buyer.pk).as_it_lies
    assert "38000" not in stored
    assert (
        Order.objects.filter(shop=life.shop, buyer__isnull=False).values("buyer").distinct().count()
        == Buyer.objects.count()
    )


@pytest.mark.slow
def test_the_purchase_price_of_the_day_it_was_first_seen_stays(life: CrmLife) -> None:
    line = life.order(77).lines.exclude(unit_cost=None).first()
    assert line
    row = {"name": line.name, "quantity": 1, "price_sold": 10, "purchased_price": 999, "offer": None}
    life.crm.edit(77, products=[row], updated_at=life.now)
    life.sync()
    assert life.order(77).lines.get(position=line.position if line.position == 0 else 0).unit_cost != 999
