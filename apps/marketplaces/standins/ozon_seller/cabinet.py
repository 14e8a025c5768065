"""The key and the company behind it: /v1/roles and /v1/seller/info of the imitated Seller API."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from apps.marketplaces.standins.ozon_seller.ask import Ask
from apps.marketplaces.standins.world import START

KEY_LIVES_UNTIL = START + timedelta(days=75)


def roles(ask: Ask, methods: Sequence[str]) -> dict[str, Any]:
    """POST /v1/roles; `methods` is what the stand-in answers to."""
    ask.only()
    expires_at = f"{KEY_LIVES_UNTIL.isoformat()}T09:54:23.296Z"
    return {"expires_at": expires_at, "roles": [{"name": "Admin", "methods": list(methods)}]}


def seller_info(ask: Ask) -> dict[str, Any]:
    """POST /v1/seller/info"""
    ask.only()
    account = ask.account
    return {
        "company": {
            "name": account.company,
            "legal_name": account.company,
            "country": "RU",
            "currency": account.currency,
            "inn": "7700000000",
            "ogrn": "1020000000000",
            "ownership_form": "ООО",
            "tax_system": "USN",
        },
        "subscription": {"is_premium": account.subscription != "UNSPECIFIED", "type": account.subscription},
        "ratings": [],
    }
