"""A shop's API client: the right key, the right address, and nothing sent from within a transaction."""

from __future__ import annotations

import pytest
import responses
from django.db import transaction
from pytest_django import Settings

from apps.marketplaces.ozon_seller.price_import import PriceItem
from apps.shops.clients import MissingKey, WriteInTransaction, ozon_seller
from apps.shops.models import Credential, Shop
from tests import cast

URL = "http://127.0.0.1:9"
IMPORT = f"{URL}/v1/product/import/prices"


@pytest.fixture
def shop() -> Shop:
    return cast.anna().seller.shops.get()


@pytest.mark.django_db
def test_a_shop_without_a_key_says_what_is_missing(shop: Shop) -> None:
    Credential.objects.all().delete()

    with pytest.raises(MissingKey, match=r"Shelf.*OZON Seller API"):
        ozon_seller(shop)


@pytest.mark.django_db
def test_a_key_that_cannot_be_one_says_why_and_not_what(shop: Shop) -> None:
    Credential.objects.update(client_id="shop-7")

    with pytest.raises(MissingKey, match="client_id must be a positive whole number") as raised:
        ozon_seller(shop)
    assert "key-of-101" not in str(raised.value)


@responses.activate
@pytest.mark.django_db
def test_each_shop_calls_with_its_own_key(shop: Shop, settings: Settings, empty_redis: object) -> None:
    settings.OZON_API_URL = URL
    boris = cast.boris().seller.shops.get()
    answer = {"expires_at": "2026-06-01T00:00:00Z", "roles": []}
    responses.post(f"{URL}/v1/roles", json=answer)

    ozon_seller(shop).roles()
    ozon_seller(boris).roles()

    sent = [(call.request.headers["Client-Id"], call.request.headers["Api-Key"]) for call in responses.calls]
    assert sent == [("101", "key-of-101"), ("202", "key-of-202")]


@responses.activate
@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_while_a_transaction_is_open(shop: Shop, settings: Settings, empty_redis: object) -> None:
    from decimal import Decimal

    settings.OZON_API_URL = URL
    responses.post(IMPORT, json={"result": [{"product_id": 1, "offer_id": "A", "updated": True, "errors": []}]})
    client = ozon_seller(shop)
    item = PriceItem(price=Decimal(100), currency_code="RUB", product_id=1)

    with transaction.atomic(), pytest.raises(WriteInTransaction):
        client.import_prices([item])
    assert len(responses.calls) == 0

    (outcome,) = client.import_prices([item])
    assert outcome.updated
