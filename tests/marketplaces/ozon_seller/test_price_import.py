"""Writing prices: only what is asked is sent, and every item has an outcome."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import responses

from apps.marketplaces.errors import Unclear
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.price_import import PATH, PriceItem, payload
from tests.marketplaces.ozon_seller.cases import rouble_price


def result(offer_id: str = "A-1", **other: Any) -> dict[str, Any]:
    return {"product_id": 1, "offer_id": offer_id, "updated": True, "errors": [], **other}


class TestWhatIsSent:
    def test_only_the_named_prices_go_as_strings(self) -> None:
        assert payload([rouble_price("1448.50")]) == {
            "prices": [{"offer_id": "A-1", "price": "1448.50", "currency_code": "RUB"}]
        }

    def test_every_price_that_is_given_goes(self) -> None:
        item = rouble_price(offer_id=None, product_id=1386, old_price=Decimal("2000"), min_price=Decimal("800"))

        assert payload([item])["prices"] == [
            {"product_id": 1386, "price": "1448", "old_price": "2000", "min_price": "800", "currency_code": "RUB"}
        ]

    def test_an_old_price_of_zero_removes_it(self) -> None:
        assert payload([rouble_price(old_price=Decimal(0))])["prices"][0]["old_price"] == "0"

    def test_a_price_is_never_written_with_an_exponent(self) -> None:
        assert payload([rouble_price("1E+3")])["prices"][0]["price"] == "1000"

    @pytest.mark.parametrize(
        ("item", "reason"),
        [
            (rouble_price("0"), r"items\[0\]\.price must be above zero, not 0"),
            (rouble_price("-1"), r"items\[0\]\.price must be above zero, not -1"),
            (rouble_price("NaN"), r"items\[0\]\.price must be a finite Decimal"),
            (rouble_price("Infinity"), r"items\[0\]\.price must be a finite Decimal"),
            (rouble_price("1.005"), r"items\[0\]\.price must have at most two decimals"),
            (rouble_price("1e13"), r"items\[0\]\.price must have at most two decimals and twelve digits"),
            (PriceItem(1448.5, "RUB", "A-1"), r"items\[0\]\.price must be a finite Decimal, not 1448\.5"),  # type: ignore[arg-type]
            (rouble_price(old_price=Decimal(-1)), r"items\[0\]\.old_price must be above zero"),
            (rouble_price(min_price=Decimal(0)), r"items\[0\]\.min_price must be above zero, not 0"),
            (rouble_price(currency_code=""), r"items\[0\]\.currency_code is empty"),
            (rouble_price(offer_id=None), r"items\[0\]: expected either offer_id or product_id"),
            (rouble_price(product_id=7), r"items\[0\]: expected either offer_id or product_id"),
        ],
    )
    def test_an_item_that_makes_no_sense_is_refused_by_name(self, item: PriceItem, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            payload([item])

    def test_nothing_is_sent_when_one_item_is_refused(self, ozon: OzonSeller, api: responses.RequestsMock) -> None:
        with pytest.raises(ValueError, match=r"items\[1\]\.price"):
            ozon.import_prices([rouble_price(), rouble_price("0", offer_id="A-2")])
        assert len(api.calls) == 0

    @pytest.mark.parametrize("number", [0, 1001])
    def test_it_takes_1_to_1000_items(self, number: int) -> None:
        with pytest.raises(ValueError, match=f"items: expected 1 to 1000, got {number}"):
            payload([rouble_price(offer_id=f"A-{index}") for index in range(number)])

    def test_a_thousand_items_go_in_one_call(self) -> None:
        assert len(payload([rouble_price(offer_id=f"A-{index}") for index in range(1000)])["prices"]) == 1000

    def test_the_same_product_twice_is_refused(self) -> None:
        with pytest.raises(ValueError, match="the same product stands there twice"):
            payload([rouble_price("1"), rouble_price("2")])


class TestWhatComesBack:
    def test_an_outcome_per_item_in_their_order(self, ozon: OzonSeller, answer: Callable[..., None]) -> None:
        refused = {"code": "discount_too_big", "message": "the discount is 90 % or more"}
        answer(PATH, {"result": [result("A-2", updated=False, errors=[refused]), result("A-1")]})

        first, second = ozon.import_prices([rouble_price(), rouble_price(offer_id="A-2")])

        assert (first.item.offer_id, first.updated, first.errors) == ("A-1", True, ())
        assert (second.item.offer_id, second.updated) == ("A-2", False)
        assert (second.errors[0].code, second.errors[0].message) == (refused["code"], refused["message"])
        assert not second.errors[0].is_limit

    def test_an_item_that_is_not_mentioned_is_unknown(self, ozon: OzonSeller, answer: Callable[..., None]) -> None:
        answer(PATH, {"result": [result("A-1")]})

        first, second = ozon.import_prices([rouble_price(), rouble_price(offer_id="A-2")])

        assert (first.updated, second.updated) == (True, None)

    @pytest.mark.parametrize("broken", [{"offer_id": "A-1"}, {"offer_id": "A-1", "updated": "perhaps"}, "junk", None])
    def test_an_item_whose_result_cannot_be_read_is_unknown(
        self, ozon: OzonSeller, answer: Callable[..., None], broken: Any
    ) -> None:
        answer(PATH, {"result": [broken]})

        (outcome,) = ozon.import_prices([rouble_price()])

        assert outcome.updated is None

    def test_a_product_named_by_its_id_is_found_by_its_id(self, ozon: OzonSeller, answer: Callable[..., None]) -> None:
        answer(PATH, {"result": [result("A-8", product_id="8"), result("", product_id=9, updated=False)]})

        outcomes = ozon.import_prices([rouble_price(offer_id=None, product_id=number) for number in (9, 8)])

        assert [outcome.updated for outcome in outcomes] == [False, True]

    @pytest.mark.parametrize("body", [{}, {"result": None}, {"result": {}}, {"prices": []}])
    def test_an_answer_of_another_shape_is_unclear(
        self, ozon: OzonSeller, answer: Callable[..., None], body: dict[str, Any]
    ) -> None:
        answer(PATH, body)

        with pytest.raises(Unclear, match="the answer has no list `result`"):
            ozon.import_prices([rouble_price()])

    def test_it_is_sent_once(self, ozon: OzonSeller, api: responses.RequestsMock, answer: Callable[..., None]) -> None:
        answer(PATH, {}, status=500)

        with pytest.raises(Unclear):
            ozon.import_prices([rouble_price()])
        assert len(api.calls) == 1
        assert json.loads(api.calls[0].request.body or "")["prices"][0]["price"] == "1448"
