"""What the imitated shop sells: cosmetics in a tree of categories with 60 leaves, of 200 brands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.marketplaces.standins.keycrm.chance import draw

BRANDS = tuple(f"Brand {number:03}" for number in range(1, 201))
LINES = ("Догляд за обличчям", "Догляд за тілом", "Волосся", "Макіяж", "Парфуми", "Набори")
KINDS = ("Креми", "Сироватки", "Маски", "Тоніки", "Очищення")
ONE_OF = ("Крем", "Сироватка", "Маска", "Тонік", "Пінка")
SIZES = ("30 мл", "50 мл", "100 мл", "250 мл")
BRAND_FIELD = {"id": 1, "uuid": "CT_1001", "name": "Brand"}
WITHOUT_CATEGORY = 31  # of a hundred products
FIRST_OFFER = 500_001
CATEGORY, BRAND, PRICE, OFFERS, STOCK, ARCHIVED = range(100, 106)


@dataclass(frozen=True)
class Offer:
    """A variant; money in hryvnias. A product has up to four, the last of which is the dearest."""

    offer_id: int
    product_id: int
    sku: str
    size: str | None
    price: Decimal
    cost: Decimal


class Goods:
    """`count` products with the ids from 1 on. Everything is drawn from the seed when it is asked for. The first ones
    without variants have the SKUs that are `given`."""

    def __init__(self, seed: int, count: int, given: Sequence[str] = ()) -> None:
        self.seed, self.count = seed, count
        self._given = iter(given)
        self.categories = tuple(_categories())
        self.leaves = tuple(one["id"] for one in self.categories if one["id"] >= 1000)
        self.offers = tuple(self._offers())
        self._of_product: dict[int, tuple[Offer, ...]] = {}
        for offer in self.offers:
            self._of_product[offer.product_id] = (*self._of_product.get(offer.product_id, ()), offer)

    def brand(self, product_id: int) -> str:
        return BRANDS[draw(self.seed, product_id, BRAND) % len(BRANDS)]

    def category(self, product_id: int) -> int | None:
        chance = draw(self.seed, product_id, CATEGORY)
        return None if chance % 100 < WITHOUT_CATEGORY else self.leaves[chance // 100 % len(self.leaves)]

    def name(self, product_id: int) -> str:
        return f"{ONE_OF[product_id % len(ONE_OF)]} {self.brand(product_id)} №{product_id}"

    def product(self, product_id: int) -> dict[str, Any]:
        """A row of /products, with its custom fields."""
        offers = self._of_product[product_id]
        brand = self.brand(product_id)
        return {
            "id": product_id,
            "name": self.name(product_id),
            "sku": None if len(offers) > 1 else offers[0].sku,
            "barcode": None,
            "price": float(offers[0].price),
            "purchased_price": float(offers[0].cost),
            "min_price": float(min(offer.price for offer in offers)),
            "max_price": float(max(offer.price for offer in offers)),
            "currency_code": "UAH",
            "unit_type": None,
            "has_offers": len(offers) > 1,
            "is_archived": draw(self.seed, product_id, ARCHIVED) % 33 == 0,
            "category_id": self.category(product_id),
            "picture": {"thumbnail": f"https://cdn.example.com/{product_id}.webp"},
            "created_at": "2024-03-01T10:00:00.000000Z",
            "updated_at": "2026-01-15 08:30:00",
            "custom_fields": [{**BRAND_FIELD, "type": "text", "value": [brand] if product_id % 2 else brand}],
        }

    def offer(self, offer: Offer, *, with_product: bool) -> dict[str, Any]:
        """A row of /offers, and of `products.offer` in an order."""
        row: dict[str, Any] = {
            "id": offer.offer_id,
            "product_id": offer.product_id,
            "sku": offer.sku,
            "barcode": None,
            "price": float(offer.price),
            "purchased_price": str(offer.cost),
            "quantity": self.units(offer),
            "properties": [{"name": "Об'єм", "value": offer.size}] if offer.size else [],
        }
        if with_product:
            product = self.product(offer.product_id)
            row["product"] = {name: product[name] for name in ("id", "name", "currency_code", "created_at")}
        return row

    def stock(self, offer: Offer, *, details: bool) -> dict[str, Any]:
        """A row of /offers/stocks."""
        units = self.units(offer)
        row: dict[str, Any] = {
            "id": offer.offer_id,
            "sku": offer.sku,
            "price": float(offer.price),
            "purchased_price": float(offer.cost),
            "quantity": units,
            "reserve": min(units, 2),
        }
        if details:
            main = units - units // 3
            row["warehouse"] = [
                {"id": 1, "name": "Основний", "quantity": main, "reserve": min(main, 2)},
                {"id": 2, "name": "Шоурум", "quantity": units - main, "reserve": 0},
            ]
        return row

    def units(self, offer: Offer) -> int:
        chance = draw(self.seed, offer.offer_id, STOCK)
        return 0 if chance % 10 == 0 else chance // 10 % 180

    def _offers(self) -> list[Offer]:
        offers: list[Offer] = []
        for product_id in range(1, self.count + 1):
            chance = draw(self.seed, product_id, OFFERS)
            variants = 1 if chance % 10 < 6 else 2 + chance // 10 % 3
            price = Decimal(80 + draw(self.seed, product_id, PRICE) % 1900)
            for variant in range(variants):
                offers.append(
                    Offer(
                        offer_id=FIRST_OFFER + len(offers),
                        product_id=product_id,
                        sku=self._sku(product_id, variant if variants > 1 else None),
                        size=SIZES[variant] if variants > 1 else None,
                        price=price * (variant + 1),
                        cost=(price * (variant + 1) * 55 / 100).quantize(Decimal("0.01")),
                    )
                )
        return offers

    def _sku(self, product_id: int, variant: int | None) -> str:
        if variant is None:
            return next(self._given, f"KS-{product_id:05}")
        return f"KS-{product_id:05}-{variant + 1}"


def _categories() -> list[dict[str, Any]]:
    """Six lines of five kinds of two leaves: sixty leaves, three levels."""
    rows: list[dict[str, Any]] = []
    for line, name in enumerate(LINES, start=1):
        rows.append({"id": line, "name": name, "parent_id": None})
        for kind, title in enumerate(KINDS, start=1):
            kind_id = line * 100 + kind
            rows.append({"id": kind_id, "name": title, "parent_id": line})
            for leaf, word in enumerate(("денні", "нічні"), start=1):
                rows.append({"id": kind_id * 10 + leaf, "name": f"{title} {word}", "parent_id": kind_id})
    return rows
