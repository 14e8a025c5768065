"""What OZON's refusals mean, by status and message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.marketplaces.errors import ApiError, MissingRole, Permanent, SwitchedOff, Temporary, Unclear, WrongCredentials
from apps.marketplaces.http import Refusal
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.price_import import PATH, PriceItem
from apps.marketplaces.ozon_seller.refusals import kind_of
from tests.marketplaces.ozon_seller.cases import rouble_price


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, 9, "obsolete method cannot be used", SwitchedOff),
        (400, "9", "obsolete method cannot be used", SwitchedOff),
        (404, 9, "obsolete method cannot be used", Permanent),
        (401, 16, "Client-Id and Api-Key headers are required", WrongCredentials),
        (401, 16, "", WrongCredentials),
        (403, 7, "Invalid Api-Key, please check the key and try again", WrongCredentials),
        (403, 7, "Api-key is deactivated, use another one", WrongCredentials),
        (403, 7, "Api-Key is missing a required role for a method", MissingRole),
        (403, 7, "Api-Key is restricted to specific IP addresses", WrongCredentials),
        (400, 3, "Client-Id header value should be positive integer", WrongCredentials),
        (403, 7, "Company is blocked, please contact support", Permanent),
        (403, 7, "not available with existing subscription", Permanent),
        (404, 5, "Resource not found", Permanent),
        (400, 3, "Request validation error: too long period, only one month allowed", Permanent),
        (429, 8, "You have reached request rate limit per second", Temporary),
        (429, "RESOURCE_EXHAUSTED", "You have reached operation items limits", Temporary),
        (500, 13, "Internal error", Unclear),
        (503, 14, "Circle is open", Temporary),
        (403, 7, "Circle is open", Temporary),
    ],
)
def test_a_refusal_is_named_by_what_to_do(status: int, code: int | str, message: str, kind: type[ApiError]) -> None:
    assert kind_of(Refusal(status, code, message)) is kind


def test_an_open_circle_is_certain_even_for_a_write(ozon: OzonSeller, answer: Callable[..., None]) -> None:
    answer(PATH, {"code": 14, "message": "Circle is open"}, status=503)

    with pytest.raises(Temporary):
        ozon.import_prices([rouble_price()])


def test_the_error_says_where_it_happened(ozon: OzonSeller, answer: Callable[..., None]) -> None:
    answer("/v3/product/list", {"code": 9, "message": "obsolete method cannot be used"}, status=400)

    with pytest.raises(SwitchedOff) as caught:
        next(ozon.products())
    assert str(caught.value) == "OZON Seller /v3/product/list: HTTP 400: obsolete method cannot be used"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("seller_400_obsolete_method", SwitchedOff),
        ("seller_401_no_headers", WrongCredentials),
        ("seller_403_company_blocked", Permanent),
        ("seller_404_resource_not_found", Permanent),
        ("seller_429_rps", Temporary),
    ],
)
def test_the_samples_of_refusals(
    ozon: OzonSeller, answer: Callable[..., None], sample: Callable[[str], Any], name: str, kind: type[ApiError]
) -> None:
    case = sample(f"errors/{name}.json")
    answer(PATH, case["body"], status=case["http_status"], headers=case.get("headers"))

    with pytest.raises(ApiError) as caught:
        ozon.import_prices([rouble_price()])
    assert type(caught.value) is kind
    assert caught.value.message == case["body"]["message"]
    assert caught.value.retry_after == (1.0 if kind is Temporary else None)


def test_an_item_that_ran_out_of_updates_is_told_from_a_refused_one(
    ozon: OzonSeller, answer: Callable[..., None], sample: Callable[[str], Any]
) -> None:
    answer(PATH, sample("errors/seller_import_prices_item_limit.json"))

    (outcome,) = ozon.import_prices([PriceItem(offer_id="OZ-1", price=rouble_price().price, currency_code="RUB")])

    assert outcome.updated is False
    assert outcome.errors[0].is_limit
    assert outcome.errors[0].code == ""
