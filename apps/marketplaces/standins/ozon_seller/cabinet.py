"""The key and the company behind it: /v1/roles and /v1/seller/info of the imitated Seller API."""

from collections.abc import Sequence
from typing import Any

from apps.marketplaces.standins.ozon_seller.ask import Ask


def roles(ask: Ask, methods: Sequence[str]) -> dict[str, Any]:
    """POST /v1/roles; `methods` is what the stand-in answers to."""
    ask.only()
    closed = ask.account.closed_methods
    expires_at = f"{ask.account.key_lives_until.isoformat()}T09:54:23.296Z"
    name = "Admin read only" if closed else "Admin"
    return {
        "expires_at": expires_at,
        "roles": [{"name": name, "methods": [method for method in methods if method not in closed]}],
    }


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
