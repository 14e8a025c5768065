"""What one sold unit earns, and the lowest price that may be asked for it.

    floor = fixed / (1 - commission - acquiring - tax - ads - return losses - minimum margin)

with every item that grows with the price in the denominator, and in `fixed` the goods, what is paid per unit, and
the delivery there and, for the share that comes back, back. An item that is unknown is not zero: the required ones
refuse, the others are named as left out.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from apps.experiments.verdicts import Economics
from apps.pricing.grid import grid_of
from apps.pricing.records import PriceFacts, PriceRules, UnitCosts, Violation

REQUIRED = ("cost", "commission_rate", "logistics", "acquiring_rate")
OPTIONAL = ("extra_per_unit", "return_rate", "return_logistics", "return_loss_rate", "ad_rate", "tax_rate")
SMALLEST_SHARE_KEPT = Decimal("0.05")
RATE_STEP = Decimal("0.0001")


def acquiring_rate(amount: Decimal | None, price: Decimal) -> Decimal | None:
    """The share of the price that acquiring takes, from the money a marketplace states for its current price,
    rounded up to a hundredth of a percent; None when it is unknown."""
    if amount is None or price <= 0:
        return None
    return (amount / price).quantize(RATE_STEP, rounding=ROUND_CEILING)


def unit_costs(facts: PriceFacts, rules: PriceRules) -> UnitCosts | Violation:
    """The costs of one unit, or why they cannot be computed (`unknown_terms`, `impossible_term`)."""
    terms = {name: getattr(facts, name) for name in (*REQUIRED, *OPTIONAL) if name != "tax_rate"}
    terms["tax_rate"] = rules.tax_rate
    unknown = [name for name in REQUIRED if terms[name] is None]
    if unknown:
        return Violation("unknown_terms", {"terms": ", ".join(unknown)})
    for name, value in terms.items():
        if value is not None and not _possible(name, value):
            return Violation("impossible_term", {"term": name, "value": value})
    return _summed({name: value or Decimal(0) for name, value in terms.items()}, _left_out(terms))


def floor_price(costs: UnitCosts, *, min_margin_rate: Decimal, currency: str) -> Decimal | Violation:
    """The lowest grid price that earns `min_margin_rate`, or `no_share_kept` when the shares leave nothing to earn."""
    kept = 1 - costs.share_rate - min_margin_rate
    if kept <= SMALLEST_SHARE_KEPT:
        return Violation("no_share_kept", {"kept_rate": kept, "needed_rate": SMALLEST_SHARE_KEPT})
    return grid_of(currency).ceil((costs.goods + costs.services) / kept)


def change_economics(costs: UnitCosts, *, price_from: Decimal, price_to: Decimal) -> Economics:
    """The same costs as an experiment counts them, so that a forecast and its verdict speak of one profit."""
    return Economics(
        price_from=price_from,
        price_to=price_to,
        commission_rate=costs.share_rate,
        cost=costs.goods,
        logistics=costs.services,
    )


def _possible(name: str, value: Decimal) -> bool:
    """Goods cost something; other money is not negative; a share lies in [0, 1)."""
    if name == "cost":
        return value > 0
    return 0 <= value < 1 if name.endswith("_rate") else value >= 0


def _left_out(terms: dict[str, Decimal | None]) -> tuple[str, ...]:
    return tuple(name for name in OPTIONAL if terms[name] is None)


def _summed(terms: dict[str, Decimal], left_out: tuple[str, ...]) -> UnitCosts:
    shares = ("commission_rate", "acquiring_rate", "tax_rate", "ad_rate", "return_loss_rate")
    return UnitCosts(
        goods=terms["cost"],
        services=terms["logistics"] + terms["return_rate"] * terms["return_logistics"] + terms["extra_per_unit"],
        share_rate=sum((terms[name] for name in shares), Decimal(0)),
        left_out=left_out,
    )
