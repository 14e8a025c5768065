"""The OZON Seller API over worlds: current methods only, as the documentation of October 2026 describes them."""

from apps.marketplaces.standins.ozon_seller.gate import Account
from apps.marketplaces.standins.ozon_seller.stand_in import OzonSeller

__all__ = ["Account", "OzonSeller"]
