"""What a unit costs the seller: a person's word, dated, with a line in the audit trail."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Cost, Product
from apps.common.bulk import upsert
from apps.common.clock import real_now
from apps.common.db import take_lock
from apps.common.errors import NotFound, UserError
from apps.shops.audit import Deed, record_each
from apps.shops.models import Person, Shop

MOST = Decimal(10) ** 9
KOPECK = Decimal("0.01")
COLUMNS = ("amount", "currency", "entered_by_id", "entered_at")


def is_possible(amount: Decimal) -> bool:
    """Whether a unit can cost so much: above 0, at most `MOST`, in whole cents."""
    return amount.is_finite() and 0 < amount <= MOST and amount == amount.quantize(KOPECK)


@dataclass(frozen=True)
class NewCost:
    """From `starts_on` on one unit of the product costs `amount`, in the shop's money; until now, `previous`."""

    product: Product
    amount: Decimal
    starts_on: date
    previous: Decimal | None


@dataclass(frozen=True)
class KnownCosts:
    """All costs of a shop, by product: the days from which they hold, in order, and the amounts."""

    by_product: dict[int, tuple[list[date], list[Decimal]]]

    @classmethod
    def of(cls, shop: Shop) -> KnownCosts:
        found: dict[int, tuple[list[date], list[Decimal]]] = {}
        costs = Cost.objects.filter(product__shop=shop).order_by("product_id", "starts_on")
        for product_id, starts_on, amount in costs.values_list("product_id", "starts_on", "amount"):
            days, amounts = found.setdefault(product_id, ([], []))
            days.append(starts_on)
            amounts.append(amount)
        return cls(found)

    def on(self, product_id: int, day: date) -> Decimal | None:
        """The cost in force on `day`."""
        days, amounts = self.by_product.get(product_id, ([], []))
        position = bisect_right(days, day)
        return amounts[position - 1] if position else None

    def starts(self, product_id: int, day: date) -> bool:
        """Whether a cost holds from this very day on."""
        return day in self.by_product.get(product_id, ([], []))[0]


@transaction.atomic
def set_cost(*, product: Product, amount: Decimal, currency: str, starts_on: date, by: Person | None) -> Cost:
    """From `starts_on` on one unit costs `amount`; the cost of earlier days stays. Raises `UserError`."""
    shop = product.shop
    if currency != shop.currency:
        raise UserError(
            _("The cost of %(product)s is in %(currency)s, but the shop's money is %(expected)s.")
            % {"product": product.offer_id, "currency": currency, "expected": shop.currency}
        )
    lock_costs(shop)
    enter_costs(shop, [NewCost(product, amount, starts_on, product.cost_on(starts_on))], by=by)
    return Cost.objects.get(product=product, starts_on=starts_on)


@transaction.atomic
def import_costs(*, shop: Shop, costs: Iterable[tuple[str, Decimal]], starts_on: date, by: Person | None) -> int:
    """Set the costs of a list of (offer id, amount) in the shop's money: all of it or, with a `UserError`, nothing.

    A cost that is in force already is not entered again. Returns how many were entered.
    """
    lock_costs(shop)
    products = {product.offer_id: product for product in shop.products.all()}
    known = KnownCosts.of(shop)
    new = []
    for offer_id, amount in costs:
        product = products.get(offer_id)
        if product is None:
            raise NotFound(_("The shop has no product with the offer id “%(offer_id)s”.") % {"offer_id": offer_id})
        if (previous := known.on(product.pk, starts_on)) != amount:
            new.append(NewCost(product, amount, starts_on, previous))
    enter_costs(shop, new, by=by)
    return len(new)


def lock_costs(shop: Shop) -> None:
    """Until the end of the transaction nobody else enters costs of this shop: what was read of them stays true."""
    take_lock("costs", shop.pk)


def enter_costs(shop: Shop, costs: Sequence[NewCost], *, by: Person | None) -> None:
    """Write the costs, each with its row in the audit trail. Under the lock, in the caller's transaction."""
    for cost in costs:
        _check(cost)
    author, at = by.pk if by else None, real_now()
    rows = ((cost.product.pk, cost.starts_on, cost.amount, shop.currency, author, at) for cost in costs)
    upsert(Cost, rows, key=("product_id", "starts_on"), columns=COLUMNS)
    record_each("cost.set", (Deed(cost.product, _told(cost, shop)) for cost in costs), actor=by, shop=shop)


def _check(cost: NewCost) -> None:
    if not is_possible(cost.amount):
        raise UserError(
            _("The cost of %(product)s must be above 0, at most %(most)s and in whole cents, not %(amount)s.")
            % {"product": cost.product.offer_id, "most": f"{MOST:f}", "amount": f"{cost.amount:f}"}
        )


def _told(cost: NewCost, shop: Shop) -> dict[str, str | None]:
    return {
        "amount": str(cost.amount),
        "previous": None if cost.previous is None else str(cost.previous),
        "currency": shop.currency,
        "starts_on": str(cost.starts_on),
    }
