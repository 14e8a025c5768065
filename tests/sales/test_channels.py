"""An article in each of its shops: figures side by side, each in its own money, nothing added up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.catalog.articles import set_article
from apps.catalog.models import Cost, Product, StockSnapshot, Warehouse
from apps.sales.channels import DAYS, Sold, Stock, channels
from apps.sales.models import DailyFact
from apps.shops.models import Member, Shop
from tests import cast

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def cream(anna: Member) -> tuple[Product, Product]:
    """One cream at OZON and in the CRM."""
    shelf = anna.seller.shops.get()
    salon = Shop.objects.create(seller=anna.seller, kind="keycrm", name="Salon", currency="UAH", timezone="Europe/Kyiv")
    made = [
        Product.objects.create(shop=shop, external_id="1", offer_id="KS-1", name="Cream", currency=shop.currency)
        for shop in (shelf, salon)
    ]
    for product in made:
        set_article(product=product, code="KS-1", by=anna.person)
    return made[0], made[1]


def lie(product: Product, day: date, present: int, reserved: int = 0, *, place: str = "1") -> None:
    warehouse, _ = Warehouse.objects.get_or_create(shop=product.shop, scheme="fbs", external_id=place)
    StockSnapshot.objects.create(product=product, warehouse=warehouse, day=day, present=present, reserved=reserved)


def sell(product: Product, days_ago: int, units: int, price: int, cancelled: int = 0) -> None:
    DailyFact.objects.create(
        product=product, day=TODAY - timedelta(days=days_ago), units=units, revenue=units * price,
        cancelled_units=cancelled, cancelled_revenue=cancelled * price,
    )  # fmt: skip


def test_each_shop_keeps_its_own_stock_cost_and_sales(cream: tuple[Product, Product]) -> None:
    ozon, crm = cream
    lie(ozon, TODAY, 10)
    lie(crm, TODAY, 7, 2)
    lie(crm, TODAY, 3, place="2")
    Cost.objects.create(product=ozon, starts_on=TODAY, amount=600, currency="RUB")
    sell(ozon, 1, 5, 100, cancelled=2)
    sell(crm, 1, 4, 50)
    first, second = channels([crm], now=NOW)[crm.pk]
    assert (first.product, second.product) == (ozon, crm)
    assert (first.stock, second.stock) == (Stock(10, TODAY), Stock(8, TODAY))
    assert (first.sold, second.sold) == (Sold(3, Decimal(300)), Sold(4, Decimal(200)))
    assert first.cost
    assert (first.cost.amount, first.cost.currency, second.cost) == (600, "RUB", None)


def test_what_no_morning_has_told_is_not_known(cream: tuple[Product, Product]) -> None:
    ozon, crm = cream
    lie(crm, TODAY - timedelta(days=3), 7)
    first, second = channels([ozon], now=NOW)[ozon.pk]
    assert (first.stock, second.stock) == (None, Stock(7, TODAY - timedelta(days=3)))


def test_sales_are_those_of_the_whole_days_before_today(cream: tuple[Product, Product]) -> None:
    ozon, _crm = cream
    for days_ago in (0, 1, DAYS, DAYS + 1):
        sell(ozon, days_ago, 1, 100)
    assert channels([ozon], now=NOW)[ozon.pk][0].sold == Sold(2, Decimal(200))


def test_a_product_that_is_no_article_has_no_other_shops(anna: Member) -> None:
    alone = Product.objects.create(
        shop=anna.seller.shops.get(), external_id="1", offer_id="KS-1", name="Cream", currency="RUB"
    )
    assert channels([alone], now=NOW) == {}


def test_a_page_of_products_is_asked_about_at_once(
    cream: tuple[Product, Product], django_assert_max_num_queries: object
) -> None:
    ozon, crm = cream
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        assert len(channels([ozon, crm], now=NOW)) == 2
