"""Where a marketplace pushes its notifications of a shop to: it signs nothing, so the path holds a secret."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.shops.models import Shop


def push_path(shop_id: int, kind: str = Shop.Kind.OZON) -> str:
    return reverse(f"{kind}-push", args=[shop_id, _secret(shop_id)])


def push_address(shop: Shop) -> str:
    """What the owner enters in the settings of OZON, or of KeyCRM's triggers."""
    return settings.DASHBOARD_URL.rstrip("/") + push_path(shop.pk, shop.kind)


def is_secret_of(shop_id: int, given: str) -> bool:
    """Takes as long whatever is given."""
    return constant_time_compare(given, _secret(shop_id))


def _secret(shop_id: int) -> str:
    """Made from the installation's key: it is stored nowhere, and a new key makes a new address."""
    return salted_hmac("vitrina.push.ozon", str(shop_id), algorithm="sha256").hexdigest()
