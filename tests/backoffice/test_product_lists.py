"""Every list that tells of products is searched by them and leads to their pages at the marketplace."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from apps.catalog.admin_product import AboutProduct
from apps.catalog.models import Product, StockSnapshot
from apps.common import formats
from apps.sales.models import Accrual, DailyFact, Order, Return
from apps.shops.models import Shop
from tests.backoffice.fill import Filled
from tests.backoffice.site import PAGES, client_of, label, listed, url

LISTS = [Product, *(model for model, page in PAGES if isinstance(page, AboutProduct))]
each_list = pytest.mark.parametrize("model", LISTS, ids=label)


@pytest.fixture
def client(anna: Filled) -> Client:
    return client_of(anna.owner)


def found(anna: Filled, model: type[Model], words: object) -> set[Any]:
    return {row.pk for row in listed(anna.owner, model, q=str(words)).result_list}


def shown(client: Client, model: type[Model]) -> str:
    return client.get(url(model, "changelist")).content.decode()


def test_these_lists_tell_of_products() -> None:
    assert [label(model) for model in LISTS] == [
        "catalog.product", "catalog.cost", "catalog.pricechange", "catalog.stocksnapshot", "decisions.command",
        "decisions.proposal", "experiments.experiment", "inventory.lowstock", "sales.accrual", "sales.dailyfact",
        "sales.order", "sales.return",
    ]  # fmt: skip


@each_list
def test_a_row_is_found_by_its_products_sku_offer_id_and_name(model: Any, anna: Filled) -> None:
    ours = model.objects.of(anna.seller)
    seen: list[Any] = []
    for product in anna.shop.products.all():
        by_sku, by_offer_id, by_name = (found(anna, model, name) for name in product_names(product))
        assert by_sku == by_offer_id == by_name
        seen += by_sku
    assert sorted(seen) == sorted(ours.values_list("pk", flat=True))


def product_names(product: Product) -> tuple[object, str, str]:
    return product.sku, product.offer_id, product.name


@each_list
def test_what_no_product_is_called_finds_nothing(model: type[Model], anna: Filled, boris: Filled) -> None:
    theirs = boris.shop.products.all()[0]
    for words in ("samovar", "teapot samovar", *product_names(theirs)):
        assert found(anna, model, words) == set()


@pytest.mark.parametrize("model", [model for model in LISTS if model is not Order], ids=label)
def test_a_row_leads_to_its_product_at_the_marketplace(model: Any, client: Client, anna: Filled) -> None:
    skus = anna.shop.products.values_list("sku", flat=True)
    Accrual.objects.update(sku=skus[0])
    page = shown(client, model)
    assert any(f'href="https://www.ozon.ru/product/{sku}"' in page for sku in skus)
    Shop.objects.filter(pk=anna.shop.pk).update(kind=Shop.Kind.KEYCRM)
    assert "ozon.ru/product" not in shown(client, model)


def test_the_lines_of_an_order_lead_to_their_products(client: Client, anna: Filled) -> None:
    order = anna.shop.orders.all()[0]
    (sku,) = order.lines.values_list("product__sku", flat=True)
    page = client.get(url(Order, "change", order.pk)).content.decode()
    assert f'href="https://www.ozon.ru/product/{sku}"' in page


@pytest.mark.parametrize(
    ("model", "number"),
    [(Order, "external_id"), (Order, "order_number"), (Accrual, "unit_number"), (Return, "posting_number")],
    ids=label,
)
def test_a_row_is_found_by_a_number_of_its_own(model: Any, number: str, anna: Filled) -> None:
    row = model.objects.of(anna.seller)[0]
    assert row.pk in found(anna, model, getattr(row, number))
    assert found(anna, model, f"{getattr(row, number)}-no") == set()


def test_a_return_names_its_product(client: Client, anna: Filled) -> None:
    product = anna.shop.products.all()[0]
    assert str(product) in shown(client, Return)


@pytest.mark.parametrize("sku", ["", "TEA-0", "9" * 60])
def test_a_return_of_what_the_shop_does_not_have_is_shown_without_a_product(
    sku: str, client: Client, anna: Filled
) -> None:
    Return.objects.update(sku=sku)
    assert "teapot" not in shown(client, Return)
    assert found(anna, Return, "teapot") == set()
    assert Return.objects.of(anna.seller)[0].posting_number in shown(client, Return)


def test_days_are_typed_and_what_is_no_day_is_said(client: Client) -> None:
    address = url(DailyFact, "changelist")
    assert len(client.get(address, {"day_from": "2026-03-15", "day_to": "2026-03-15"}).context["cl"].result_list) == 3
    assert len(client.get(address, {"day_from": "2026-03-16"}).context["cl"].result_list) == 0
    wrong = client.get(address, {"day_from": "yesterday"})
    assert "Enter a valid date" in wrong.content.decode()
    assert len(wrong.context["cl"].result_list) == 3


@pytest.mark.parametrize("model", [DailyFact, StockSnapshot], ids=label)
def test_a_row_for_each_product_a_day_is_listed_for_the_newest_day_until_asked_for_more(
    model: Any, client: Client, anna: Filled
) -> None:
    newest = model.objects.of(anna.seller).latest("day")
    month_before = newest.day - timedelta(days=30)
    earlier = model.objects.get(pk=newest.pk)
    earlier.pk, earlier.day = None, month_before
    earlier.save()

    def days(**asked: str) -> set[date]:
        return {row.day for row in client.get(url(model, "changelist"), asked).context["cl"].result_list}

    assert days() == {newest.day}
    assert days(day_from="") == days(q=newest.product.offer_id) == {newest.day, month_before}
    assert f"The newest day: {formats.day(newest.day)}" in shown(client, model)


def test_filters_are_not_counted(client: Client) -> None:
    assert "_facets" not in shown(client, Product)
