"""OZON's promotions over the world's shop: which there are on a day, and which products take part at which price.

In each window of `WINDOW` days there is a boost for all of it, at the product's own price or a little above, and in its
second half a sale with a discount, whose prices must not be raised. A boost without an end has nobody in it. OZON pays
for the discount of the sale, so no demand depends on any of this.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from apps.marketplaces.standins.demand import Demand, Ints

WINDOW, SALE_AFTER = 28, 14  # days
BOOSTED_SHARE, ON_SALE_SHARE = 0.06, 0.02
BOOST, SALE, ENDLESS = 2_840_000, 2_900_000, 1_977_747  # ids; the first two grow by one with each window


class Offer(NamedTuple):
    """A promotion. `last_day` None: without an end. `freezes`: prices in it must not be raised."""

    number: int
    title: str
    first_day: int
    last_day: int | None
    freezes: bool = False


class Terms(NamedTuple):
    """At which price a product takes part, and the highest at which it may, in kopecks."""

    action_price: int
    max_price: int


@dataclass(frozen=True)
class Member:
    """A product in a promotion."""

    offer: Offer
    product: int
    terms: Terms


class Promotions:
    """Who takes part in what. A promotion's products are drawn when it begins."""

    def __init__(self, demand: Demand) -> None:
        self._demand = demand
        self.offers: list[Offer] = []
        self._members: dict[tuple[int, int], Member] = {}  # by offer and product

    def begin(self, day: int, prices: Ints) -> None:
        """The promotions of `day`: old ones are gone, new ones have drawn their products."""
        before = {offer.number for offer in self.offers}
        self.offers = _offers(day)
        numbers = {offer.number for offer in self.offers}
        self._members = {key: member for key, member in self._members.items() if key[0] in numbers}
        for offer in self.offers:
            if offer.number not in before:
                self._draw(offer, prices)

    def members(self, number: int) -> list[Member]:
        """The products of a promotion, in a steady order."""
        return [member for (offer, _), member in sorted(self._members.items()) if offer == number]

    def freeze(self, product: int) -> Offer | None:
        """The promotion that forbids a higher price, if any."""
        return next((member.offer for member in self._of(product) if member.offer.freezes), None)

    def price_written(self, product: int, price_from: int, price_to: int) -> None:
        """A product whose price rises above the highest drops out; below its price in the promotion, that follows."""
        for member in self._of(product):
            key = member.offer.number, product
            if price_from <= member.terms.max_price < price_to:
                del self._members[key]
            elif price_to < member.terms.action_price:
                self._members[key] = replace(member, terms=member.terms._replace(action_price=price_to))

    def _of(self, product: int) -> list[Member]:
        return [member for member in self._members.values() if member.product == product]

    def _draw(self, offer: Offer, prices: Ints) -> None:
        if offer.last_day is None:
            return
        numbers = self._demand.stream("promotions", offer.number)
        share = ON_SALE_SHARE if offer.freezes else BOOSTED_SHARE
        chosen = numbers.choice(self._demand.skus, max(1, round(share * self._demand.skus)), replace=False)
        for product in sorted(chosen.tolist()):
            self._members[offer.number, product] = Member(offer, product, _terms(offer, int(prices[product])))


def _offers(day: int) -> list[Offer]:
    window, place = divmod(day, WINDOW)
    first = window * WINDOW
    offers = [
        Offer(ENDLESS, "Эластичный бустинг. Без ограничения срока действия", -400, None),
        Offer(BOOST + window, "Максимальный бустинг", first, first + WINDOW - 1),
    ]
    if place >= SALE_AFTER:
        offers.append(Offer(SALE + window, "Распродажа месяца", first + SALE_AFTER, first + WINDOW - 1, freezes=True))
    return offers


def _terms(offer: Offer, price: int) -> Terms:
    if offer.freezes:
        return Terms(price * 90 // 100, price * 95 // 100)
    return Terms(price, price * 105 // 100)
