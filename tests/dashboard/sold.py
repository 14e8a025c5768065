"""A shop of cosmetics with a handful of orders whose every figure can be added up by hand; amounts are in hryvnias.

March 2026, retail: 4 orders for 2400 of buyers 1 (twice), 2 and 3, and one return of 700. Besides: wholesale for 5000,
an internal order of 999, an order in February, and one of a source that is history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from apps.catalog.models import Brand, Category, Product
from apps.sales.models import Buyer, Expense, ExpenseType, Order, OrderLine, SalesType, Source
from apps.shops.models import Seller, Shop

KYIV = ZoneInfo("Europe/Kyiv")
MARCH = {"start_date": "2026-03-01", "end_date": "2026-03-10"}
LONG_NAME = "Snail essence that has a name of more than one line"


@dataclass(frozen=True)
class Cosmetics:
    shop: Shop
    skin: Category
    hair: Category
    delivery: ExpenseType

    @property
    def march(self) -> dict[str, str]:
        """The question about it."""
        return {"shop": str(self.shop.pk), **MARCH}


class _Till:
    """Takes orders in, each with its lines (product, quantity, price)."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def order(
        self,
        number: int,
        on: date,
        source: Source,
        total: int,
        *lines: tuple[Product, int, int],
        buyer: Buyer | None = None,
        sales_type: str = SalesType.RETAIL,
        status: str = Order.Status.DELIVERED,
    ) -> Order:
        order = Order.objects.create(
            shop=self.shop,
            external_id=str(number),
            order_number=str(number),
            channel=source.name,
            source=source,
            buyer=buyer,
            sales_type=sales_type,
            status=status,
            raw_status=status,
            placed_at=datetime.combine(on, time(12), KYIV),
            placed_on=on,
            total=total,
            currency="UAH",
        )
        for position, (product, quantity, price) in enumerate(lines, start=1):
            OrderLine.objects.create(
                order=order,
                position=position,
                product=product,
                external_product_id=product.external_id,
                name=product.name,
                quantity=quantity,
                price=price,
            )
        return order


def open_cosmetics(seller: Seller) -> Cosmetics:
    shop = Shop.objects.create(
        seller=seller, name="Cosmetics", kind=Shop.Kind.KEYCRM, currency="UAH", timezone="Europe/Kyiv"
    )
    instagram, shopify = _source(shop, 1, "Instagram"), _source(shop, 4, "Shopify")
    opencart = _source(shop, 3, "Opencart")
    skin, hair = _category(shop, "Skin care"), _category(shop, "Hair")
    essence, masks = _category(shop, "Essences", skin), _category(shop, "Masks", skin)
    cosrx, shouted, mediheal = (_brand(shop, name) for name in ("Cosrx", "COSRX", "Mediheal"))
    snail = _product(shop, LONG_NAME, cosrx, essence)
    mask = _product(shop, "Sheet mask", mediheal, masks)
    shampoo = _product(shop, "Shampoo", shouted, hair)
    bag = _product(shop, "Bag", None, None)
    first, second, third = (Buyer.objects.create(shop=shop, external_id=number) for number in (1, 2, 3))
    delivery, fee = (
        ExpenseType.objects.create(shop=shop, external_id=number, name=name, alias=name.lower())
        for number, name in ((1, "Delivery"), (2, "Fee"))
    )
    take = _Till(shop).order
    opening = take(1, date(2026, 3, 1), instagram, 1000, (snail, 2, 400), (mask, 1, 310), buyer=first)
    take(2, date(2026, 3, 2), shopify, 500, (mask, 5, 100), buyer=second)
    again = take(3, date(2026, 3, 2), instagram, 300, (shampoo, 1, 300), buyer=first)
    take(4, date(2026, 3, 3), shopify, 600, (bag, 3, 200), buyer=third)
    take(5, date(2026, 3, 3), instagram, 5000, (snail, 10, 500), sales_type=SalesType.B2B)
    take(6, date(2026, 3, 4), instagram, 999, (snail, 1, 999), sales_type=SalesType.INTERNAL)
    back = take(7, date(2026, 3, 5), instagram, 700, (snail, 1, 700), status=Order.Status.RETURNED)
    take(8, date(2026, 2, 20), shopify, 400, (mask, 4, 100), buyer=second)
    take(9, date(2026, 2, 10), opencart, 100, (mask, 1, 100), buyer=first)
    for number, (order, kind, amount) in enumerate(
        ((opening, delivery, 50), (opening, fee, 20), (again, delivery, 30), (back, delivery, 40))
    ):
        Expense.objects.create(order=order, external_id=number, type=kind, amount=Decimal(amount))
    return Cosmetics(shop, skin, hair, delivery)


def _source(shop: Shop, number: int, name: str) -> Source:
    """One that every new shop in the CRM starts with, under the name that a sync brings."""
    source = Source.objects.get(shop=shop, external_id=number)
    source.name = name
    source.save()
    return source


def _category(shop: Shop, name: str, parent: Category | None = None) -> Category:
    return Category.objects.create(shop=shop, external_id=name, name=name, parent=parent)


def _brand(shop: Shop, name: str) -> Brand:
    return Brand.objects.create(shop=shop, name=name)


def _product(shop: Shop, name: str, brand: Brand | None, category: Category | None) -> Product:
    return Product.objects.create(
        shop=shop, external_id=name[:20], offer_id=name[:20], name=name, brand=brand, category=category, currency="UAH"
    )
