"""Writing prices to the OZON stand-in, and every scripted fault as a client meets it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import requests

from apps.marketplaces.errors import Malformed, RepeatedCursor, Temporary, Unclear, WrongCredentials
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.price_import import PriceItem
from apps.marketplaces.standins.world import NewPrice
from tests.marketplaces.conftest import NO_LIMITS
from tests.marketplaces.standins.seller import BORIS, FBO, IMPORT, PRICES, PRODUCTS, Seller, open_shops

pytestmark = pytest.mark.flow

PRODUCT = 3


@pytest.fixture(scope="module")
def running() -> Iterator[Seller]:
    with open_shops(BORIS) as (seller,):
        yield seller


@pytest.fixture
def boris(running: Seller) -> Iterator[Seller]:
    """Boris's shop with product 3 at 1000, crossed out 1400, no minimum, and an empty script."""
    running.account.price_updates.clear()
    running.world.write_price(NewPrice(PRODUCT, 1000_00, old_price=1400_00, min_price=0))
    running.world.ledger.writes.clear()
    yield running
    requests.delete(f"{running.url}/_faults", timeout=60)


@pytest.fixture
def hasty(boris: Seller) -> OzonSeller:
    """A client that waits half a second at most."""
    return OzonSeller(
        client_id=BORIS.client_id,
        api_key=BORIS.api_key,
        redis=None,
        base_url=boris.url,
        limits=NO_LIMITS,
        deadline_seconds=0.5,
        patience_seconds=0.5,
    )


def codes(boris: Seller, **item: object) -> list[str]:
    named = {"product_id": int(boris.world.catalog.product_id[PRODUCT]), "currency_code": "RUB", **item}
    (result,) = boris.ask(IMPORT, prices=[named])["result"]
    assert result["updated"] is (not result["errors"])
    return [error.get("code", error["message"]) for error in result["errors"]]


class TestWriting:
    def test_a_price_is_shown_at_once_and_kept_as_a_write(self, boris: Seller) -> None:
        outcome = boris.set_price(PRODUCT, "1100", old_price=Decimal(1500), min_price=Decimal(900))
        assert outcome.updated is True
        assert boris.price_of(PRODUCT) == 1100
        told = boris.told("prices")
        row = told["prices"][PRODUCT]
        assert (row["price"], row["old_price"], row["min_price"]) == ("1100.00", "1500.00", "900.00")
        assert row["in_force"] != row["price"]
        (write,) = told["writes"]
        tomorrow = str(boris.world.clock.date + timedelta(days=1))
        assert (write["price_from"], write["price_to"], write["acts_from"]) == ("1000.00", "1100.00", tomorrow)

    @pytest.mark.parametrize(
        ("item", "code"),
        [
            ({"price": "-5"}, "price_negative"),
            ({"price": "0"}, "price_negative"),
            ({}, "price_negative"),
            ({"price": "1000", "min_price": "-1"}, "price_negative"),
            ({"price": "0.50"}, "invalid_category_price"),
            ({"price": "1000", "currency_code": "CNY"}, "currency_code_mismatch"),
            ({"price": "1400"}, "old_price_less_than_price"),
            ({"price": "1000", "old_price": "900"}, "old_price_less_than_price"),
            ({"price": "100", "old_price": "1100"}, "discount_too_big"),
            ({"price": "399", "old_price": "419"}, "discount_for_low_price_is_too_small"),
            ({"price": "1000", "old_price": "1050"}, "discount_for_average_price_is_too_small"),
            ({"price": "10001", "old_price": "10501"}, "discount_for_top_price_is_too_small"),
            ({"price": "1000", "min_price": "1001"}, "price_less_than_min_auto_price"),
        ],
    )
    def test_an_item_is_refused_under_http_200(self, boris: Seller, item: dict[str, str], code: str) -> None:
        assert codes(boris, **item) == [code]
        assert boris.price_of(PRODUCT) == 1000

    @pytest.mark.parametrize(
        "item",
        [
            {"price": "399", "old_price": "419.01"},
            {"price": "1000", "old_price": "1050.01"},
            {"price": "10001", "old_price": "10501.01"},
            {"price": "2000", "old_price": "0"},
            {"price": "1000", "min_price": "1000"},
        ],
    )
    def test_at_the_other_side_of_each_rule_it_is_taken(self, boris: Seller, item: dict[str, str]) -> None:
        assert codes(boris, **item) == []
        assert boris.price_of(PRODUCT) == Decimal(item["price"])

    def test_one_refused_item_does_not_stop_the_others(self, boris: Seller) -> None:
        catalog = boris.world.catalog
        items = [
            {"offer_id": "no such thing", "price": "1"},
            {"offer_id": catalog.offer_id[PRODUCT], "product_id": int(catalog.product_id[0]), "price": "1010"},
        ]
        missing, taken = boris.ask(IMPORT, prices=items)["result"]
        assert (missing["updated"], missing["errors"][0]["code"]) == (False, "NOT_FOUND_ERROR")
        assert taken["updated"] is True
        assert taken["product_id"] == catalog.product_id[PRODUCT], "offer_id wins over product_id"

    def test_ten_updates_of_a_product_and_hour(self, boris: Seller) -> None:
        assert [codes(boris, price=str(1001 + n)) for n in range(10)] == [[]] * 10
        (message,) = codes(boris, price="1020")
        assert message.endswith("acquire limit per item: items limit: limit exceeded")
        outcome = boris.set_price(PRODUCT, "1020")
        assert outcome.errors[0].is_limit
        assert boris.price_of(PRODUCT) == 1010
        boris.next_day()
        assert codes(boris, price="1020") == []

    @pytest.mark.parametrize(
        ("prices", "message"),
        [
            ([], "between 1 and 1000 items"),
            ([{"price": "1"}] * 1001, "between 1 and 1000 items"),
            (["1"], "invalid value for field prices"),
            ([{"price": 1000}], "invalid value for string field price"),
            ([{"price": "1 000,00"}], "invalid value for string field price"),
            ([{"price": "1", "discount": "5"}], 'unknown field "discount"'),
        ],
    )
    def test_a_request_of_the_wrong_shape_changes_nothing(
        self, boris: Seller, prices: list[object], message: str
    ) -> None:
        status, code, said = boris.refusal(IMPORT, prices=prices)
        assert (status, code) == (400, 3)
        assert message in said

    def test_a_written_price_moves_tomorrows_sales(self, boris: Seller) -> None:
        busiest = int(boris.world.demand.rate.argmax())
        half = boris.world.price[busiest] / 200
        outcome = boris.set_price(busiest, f"{half:.0f}", min_price=Decimal(1))
        assert outcome.updated is True
        boris.next_day()
        boris.next_day()
        first, second = boris.told("ledger")["days"][-2:]
        assert Decimal(second["rows"][busiest]["price"]) == round(half)
        assert Decimal(first["rows"][busiest]["price"]) != round(half)


class TestFaultsOfWrites:
    @pytest.mark.parametrize("kind", ["502_after_apply", "hang_after_apply", "truncated_json", "reset_after_apply"])
    def test_the_answer_is_lost_and_the_price_is_there(self, boris: Seller, hasty: OzonSeller, kind: str) -> None:
        boris.script(IMPORT, kind)
        with pytest.raises(Unclear):
            hasty.import_prices([PriceItem(Decimal(1100), "RUB", offer_id=boris.world.catalog.offer_id[PRODUCT])])
        assert boris.price_of(PRODUCT) == 1100
        assert len(boris.world.ledger.writes) == 1

    @pytest.mark.parametrize("kind", ["500", "hang", "html", "reset"])
    def test_the_answer_is_unclear_and_the_price_is_not_there(
        self, boris: Seller, hasty: OzonSeller, kind: str
    ) -> None:
        boris.script(IMPORT, kind)
        with pytest.raises(Unclear):
            hasty.import_prices([PriceItem(Decimal(1100), "RUB", offer_id=boris.world.catalog.offer_id[PRODUCT])])
        assert boris.price_of(PRODUCT) == 1000

    def test_too_many_requests_are_surely_not_applied(self, boris: Seller, hasty: OzonSeller) -> None:
        boris.script(IMPORT, "429", retry_after=7)
        with pytest.raises(Temporary) as caught:
            hasty.import_prices([PriceItem(Decimal(1100), "RUB", offer_id=boris.world.catalog.offer_id[PRODUCT])])
        assert caught.value.retry_after == 7
        assert boris.price_of(PRODUCT) == 1000

    def test_updated_true_without_effect(self, boris: Seller) -> None:
        boris.script(IMPORT, "no_effect")
        assert boris.set_price(PRODUCT, "1100").updated is True
        assert boris.price_of(PRODUCT) == 1000

    def test_a_price_that_comes_later(self, boris: Seller) -> None:
        boris.script(IMPORT, "late_apply", delay=0.3)
        assert boris.set_price(PRODUCT, "1100").updated is True
        shown = [boris.price_of(PRODUCT)]
        while shown[-1] == 1000 and len(shown) < 500:
            shown.append(boris.price_of(PRODUCT))
        assert shown[0] == 1000
        assert shown[-1] == 1100

    def test_a_revoked_key(self, boris: Seller) -> None:
        boris.script("*", "revoked_key", times=2)
        with pytest.raises(WrongCredentials, match="deactivated"):
            boris.set_price(PRODUCT, "1100")
        with pytest.raises(WrongCredentials):
            boris.client.roles()
        assert boris.price_of(PRODUCT) == 1000


class TestFaultsOfReads:
    def test_a_half_page_goes_on_where_it_stopped(self, boris: Seller) -> None:
        boris.script(PRODUCTS, "half_page")
        pages = list(boris.client.products())
        assert [len(page.rows) for page in pages] == [BORIS.skus]
        boris.script(PRICES, "half_page")
        first = boris.ask(PRICES, filter={}, limit=10)
        rest = boris.ask(PRICES, filter={}, limit=10, cursor=first["cursor"])
        found = [item["product_id"] for item in first["items"] + rest["items"]]
        assert len(first["items"]) == 5
        assert found == boris.world.catalog.product_id.tolist()

    def test_a_repeated_cursor_is_noticed(self, boris: Seller) -> None:
        boris.script(FBO, "repeated_cursor", after_calls=1)
        now = boris.world.clock.moment()
        with pytest.raises(RepeatedCursor):
            list(boris.client.fbo_postings(since=now.replace(month=2), to=now))

    @pytest.mark.parametrize(
        ("path", "body", "rows"),
        [
            (PRODUCTS, {"filter": {}, "limit": 10}, "items"),
            ("/v3/product/info/list", {"product_id": ["1"]}, "items"),
            ("/v4/product/info/attributes", {"filter": {}, "limit": 10}, "result"),
            ("/v1/description-category/tree", {}, "result"),
            (PRICES, {"filter": {}, "limit": 10}, "items"),
            ("/v4/product/info/stocks", {"filter": {}, "limit": 10}, "items"),
            ("/v1/product/info/stocks-by-warehouse/fbo", {"limit": 10}, "products"),
            ("/v2/warehouse/list", {"limit": 10}, "warehouses"),
        ],
    )
    def test_an_empty_answer_is_well_formed(self, boris: Seller, path: str, body: dict[str, object], rows: str) -> None:
        boris.script(path, "empty_200")
        answer = boris.ask(path, **body)
        box = answer["result"] if isinstance(answer.get("result"), dict) else answer
        assert box[rows] == []
        assert not box.get("total")
        assert not box.get("cursor")

    def test_empty_postings_and_analytics(self, boris: Seller) -> None:
        boris.script("*", "empty_200", times=2)
        assert boris.ask(FBO, filter=boris.period(), limit=100) == {"postings": [], "cursor": "", "has_next": False}
        wanted = {"date_from": "2026-02-25", "date_to": "2026-03-01", "limit": 10}
        answer = boris.ask("/v1/analytics/data", **wanted, metrics=["revenue"], dimension=["sku"])
        assert answer["result"] == {"data": [], "totals": [0]}

    def test_reads_of_a_broken_line_are_repeated_or_malformed(self, boris: Seller, hasty: OzonSeller) -> None:
        boris.script(PRICES, "500")
        assert sum(len(page.rows) for page in boris.client.prices()) == BORIS.skus
        boris.script(PRICES, "html", times=None)
        with pytest.raises((Malformed, Temporary)):
            list(hasty.prices())

    @pytest.mark.parametrize("name", ["products", "prices", "stocks", "fbo_stocks"])
    def test_an_odd_row_is_reported_and_the_others_are_kept(self, boris: Seller, name: str) -> None:
        boris.script("*", "odd_row")
        (page,) = getattr(boris.client, name)()
        assert len(page.bad_rows) == 1
        assert page.rows

    def test_an_odd_posting_too(self, boris: Seller) -> None:
        boris.script(FBO, "odd_row")
        now = boris.world.clock.moment()
        pages = list(boris.client.fbo_postings(since=now.replace(month=2), to=now))
        assert sum(len(page.bad_rows) for page in pages) == 1

    def test_prices_in_kopecks(self, boris: Seller) -> None:
        boris.script(PRICES, "kopecks")
        (page,) = boris.client.prices()
        assert page.rows[PRODUCT].price.price == 100_000
        assert boris.price_of(PRODUCT) == 1000
