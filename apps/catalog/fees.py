"""What the marketplace takes for a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.catalog.models import Product, Warehouse


@dataclass(frozen=True)
class Fees:
    """Fees of one scheme, None where the marketplace has not told. `commission_rate` is a fraction of the price, the
    others are money per unit."""

    commission_rate: Decimal | None
    logistics: Decimal | None
    return_logistics: Decimal | None

    @classmethod
    def of(cls, product: Product, stock: Mapping[str, int]) -> Fees:
        """Those of the scheme that most of the product's stock is sold under; FBO's when it is even or unknown."""
        if stock.get(Warehouse.Scheme.FBS, 0) > stock.get(Warehouse.Scheme.FBO, 0):
            return cls(product.fbs_commission_rate, product.fbs_logistics, product.fbs_return_logistics)
        return cls(product.fbo_commission_rate, product.fbo_logistics, product.fbo_return_logistics)
