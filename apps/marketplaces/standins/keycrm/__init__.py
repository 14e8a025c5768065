"""KeyCRM over a cosmetics shop: the reading half of its API, as its specification 1.2.0 and live answers have it."""

from apps.marketplaces.standins.keycrm.shop import CrmShop
from apps.marketplaces.standins.keycrm.stand_in import Account, KeyCrm

__all__ = ["Account", "CrmShop", "KeyCrm"]
