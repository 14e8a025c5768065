"""What a price means for a product that takes part in a promotion of the marketplace.

What OZON says of its promotions ("actions"): while one is frozen, prices of its products may be lowered and not raised;
`price` is the ceiling without promotions, so buyers pay the price in the promotion, and never more than the ceiling; a
price in the promotion above the highest one there excludes the product.
"""

from __future__ import annotations

from decimal import Decimal

from apps.pricing.records import Figure, InPromotion, Passed, SendContext, Violation


def not_frozen(context: SendContext, price: Decimal) -> Violation | Passed:
    """No higher price while a promotion is frozen: the marketplace would refuse it."""
    frozen = next((promotion for promotion in context.promotions if promotion.is_frozen), None)
    if frozen is None or price <= context.live.price:
        return Passed("not_frozen", {})
    return Violation("promotion_frozen", {"promotion": frozen.title, "live_price": context.live.price})


def warnings(promotions: tuple[InPromotion, ...], price_from: Decimal, price: Decimal) -> tuple[Violation, ...]:
    """What whoever decides on `price` must know of each promotion; nothing of it forbids the price."""
    return tuple(_warning(promotion, price_from, price) for promotion in promotions)


def _warning(promotion: InPromotion, price_from: Decimal, price: Decimal) -> Violation:
    title, highest, in_promotion = promotion.title, promotion.max_action_price, promotion.action_price
    if highest is not None and price_from <= highest < price:
        return Violation("promotion_left", {"promotion": title, "max_price": highest})
    if in_promotion is not None and price < in_promotion:
        return Violation("promotion_undercut", {"promotion": title, "action_price": in_promotion})
    figures: dict[str, Figure] = {"promotion": title}
    if in_promotion is None:
        return Violation("promotion_price_unknown", figures)
    figures["action_price"] = in_promotion
    if promotion.ends_on is None:
        return Violation("promotion_holds", figures)
    return Violation("promotion_holds_until", {**figures, "ends_on": str(promotion.ends_on)})
