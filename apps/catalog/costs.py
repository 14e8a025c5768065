"""What a unit costs the seller: a person's word, dated, with a line in the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Cost, Product
from apps.common.errors import NotFound, UserError
from apps.shops import audit
from apps.shops.models import Person, Shop

MOST = Decimal(10) ** 9
KOPECK = Decimal("0.01")


@transaction.atomic
def set_cost(*, product: Product, amount: Decimal, currency: str, starts_on: date, by: Person | None) -> Cost:
    """From `starts_on` on one unit costs `amount`; the cost of earlier days stays. Raises `UserError`."""
    shop = product.shop
    if not amount.is_finite() or not 0 < amount <= MOST or amount != amount.quantize(KOPECK):
        raise UserError(
            _("The cost of %(product)s must be above 0, at most %(most)s and in whole cents, not %(amount)s.")
            % {"product": product.offer_id, "most": f"{MOST:f}", "amount": f"{amount:f}"}
        )
    if currency != shop.currency:
        raise UserError(
            _("The cost of %(product)s is in %(currency)s, but the shop's money is %(expected)s.")
            % {"product": product.offer_id, "currency": currency, "expected": shop.currency}
        )
    previous = product.cost_on(starts_on)
    cost, _created = Cost.objects.update_or_create(
        product=product, starts_on=starts_on, defaults={"amount": amount, "currency": currency, "entered_by": by}
    )
    audit.record(
        "cost.set",
        actor=by,
        shop=shop,
        subject=product,
        amount=str(amount),
        previous=None if previous is None else str(previous),
        currency=currency,
        starts_on=str(starts_on),
    )
    return cost


@transaction.atomic
def import_costs(*, shop: Shop, costs: Iterable[tuple[str, Decimal]], starts_on: date, by: Person | None) -> int:
    """Set the costs of a list of (offer id, amount) in the shop's money: all of it or, with a `UserError`, nothing.

    A cost that is in force already is not entered again. Returns how many were entered.
    """
    entered = 0
    products = {product.offer_id: product for product in shop.products.select_related("shop__seller")}
    known = Cost.objects.filter(product__shop=shop).in_force(starts_on).by_product()
    for offer_id, amount in costs:
        product = products.get(offer_id)
        if product is None:
            raise NotFound(_("The shop has no product with the offer id “%(offer_id)s”.") % {"offer_id": offer_id})
        if known.get(product.pk) != amount:
            set_cost(product=product, amount=amount, currency=shop.currency, starts_on=starts_on, by=by)
            entered += 1
    return entered
