"""OZON's postings in our terms."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from apps.marketplaces.ozon_seller.postings import Posting
from apps.sales.parcels import Unusable
from apps.sales.postings import Products, is_known, parcel_of, status_of
from apps.shops.models import Shop

SHOP = Shop(pk=1, currency="RUB", timezone="Europe/Moscow")
PRODUCTS = Products({880: 1, 990: 2}, {"MUG-1": 1, "OLD-SKU": 3})


def posting(**changes: Any) -> Posting:
    line = {"sku": 880, "offer_id": "MUG-1", "name": "Mug", "quantity": 2, "price": {"amount": "85", "currency": "RUB"}}
    return Posting.model_validate(
        {
            "posting_number": "0001-0001-1",
            "order_number": "0001-0001",
            "status": "delivering",
            "in_process_at": "2026-03-01T21:30:00Z",
            "products": [line],
            **changes,
        }
    )


def parcel(**changes: Any) -> Any:
    return parcel_of(posting(**changes), shop=SHOP, scheme="fbo", products=PRODUCTS)


def line(**changes: Any) -> dict[str, Any]:
    return {"sku": 880, "offer_id": "MUG-1", "name": "Mug", "quantity": 1, "price": {"amount": "85"}, **changes}


def test_a_sale_counts_on_the_shop_s_own_day() -> None:
    assert parcel().placed_on == date(2026, 3, 2)
    assert (parcel().channel, parcel().status, parcel().raw_status) == ("ozon_fbo", "open", "delivering")
    assert parcel().total == 170


def test_a_posting_not_yet_in_process_counts_when_it_was_created() -> None:
    assert parcel(in_process_at="", created_at="2026-02-28T10:00:00Z").placed_on == date(2026, 2, 28)


def test_a_posting_without_a_moment_cannot_be_counted() -> None:
    with pytest.raises(Unusable, match="in_process_at"):
        parcel(in_process_at=None)


def test_a_delivered_posting_without_the_moment_of_its_sale_cannot_be_counted() -> None:
    with pytest.raises(Unusable, match="in_process_at"):
        parcel(in_process_at=None, created_at="2026-02-28T10:00:00Z", status="delivered")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "awaiting_packaging"}, "open"),
        ({"status": "client_arbitration"}, "open"),
        ({"status": "delivered"}, "delivered"),
        ({"status": "cancelled", "substatus": "posting_canceled", "cancel_reason_id": 352}, "cancelled"),
        ({"status": "cancelled", "substatus": "posting_returned_to_warehouse", "cancel_reason_id": 504}, "returned"),
        ({"status": "cancelled", "cancel_reason_id": 665}, "returned"),
        ({"status": "cancelled", "cancellation": {"cancelled_after_ship": True}}, "returned"),
        (
            {"status": "cancelled", "cancellation": {"cancelled_after_ship": False, "cancel_reason_id": 402}},
            "cancelled",
        ),
        ({"status": "cancelled", "cancellation": {"cancel_reason_id": 667}}, "returned"),
    ],
)
def test_what_a_status_means(fields: dict[str, Any], status: str) -> None:
    assert status_of(posting(**fields)) == status
    assert is_known(fields["status"])


def test_a_status_we_never_heard_of_is_under_way_and_reported() -> None:
    assert status_of(posting(status="teleported")) == "open"
    assert not is_known("teleported")


def test_a_line_is_found_by_its_sku_or_where_that_was_retired_by_its_offer() -> None:
    lines = [line(), line(sku=777, offer_id="OLD-SKU"), line(sku=778, offer_id="NEW")]

    assert [found.product_id for found in parcel(products=lines).lines] == [1, 3, None]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price": {"amount": "85", "currency": "KZT"}}, "in KZT"),
        ({"quantity": 2_000_000}, "out of range"),
        ({"price": {"amount": "-1"}}, "out of range"),
        ({"price": {"amount": "900000000000"}}, "out of range"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        parcel(products=[line(), line(**changes)])


def test_a_name_keeps_what_a_column_can_hold() -> None:
    (found,) = parcel(products=[line(name="M\x00ug" + "g" * 600)]).lines

    assert found.name == ("Mug" + "g" * 600)[:500]
    assert found.price == Decimal(85)
