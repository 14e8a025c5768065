"""The OZON stand-in as a client meets it: keys, limits, lists, refusals; and what the world tells beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from starlette.datastructures import Headers

from apps.marketplaces.errors import SwitchedOff, WrongCredentials
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.paging import Page
from apps.marketplaces.standins.catalog import FBO as FBO_ONLY
from apps.marketplaces.standins.demand import Demand
from apps.marketplaces.standins.ozon_seller.ask import Ask
from apps.marketplaces.standins.ozon_seller.gate import Account, Gate, Refused
from apps.marketplaces.standins.ozon_seller.prices import product_prices
from apps.marketplaces.standins.world import START, World
from tests.marketplaces.standins.seller import ANNA, BORIS, FBO, PRICES, PRODUCTS, Seller, open_shops

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def sellers() -> Iterator[list[Seller]]:
    """Anna and Boris behind one address; tests only look."""
    with open_shops(ANNA, BORIS) as found:
        yield found


@pytest.fixture
def anna(sellers: list[Seller]) -> Seller:
    return sellers[0]


@pytest.fixture
def boris(sellers: list[Seller]) -> Seller:
    return sellers[1]


class TestKeys:
    def test_each_key_opens_its_own_shop(self, anna: Seller, boris: Seller) -> None:
        names = [{row.offer_id for page in seller.client.products() for row in page.rows} for seller in (anna, boris)]
        assert (len(names[0]), len(names[1])) == (ANNA.skus, BORIS.skus)
        assert names[0] != names[1]

    @pytest.mark.parametrize(
        ("headers", "status", "code", "message"),
        [
            ({}, 401, 16, "Client-Id and Api-Key headers are required"),
            ({"Client-Id": "100001"}, 401, 16, "Client-Id and Api-Key headers are required"),
            ({"Client-Id": "abc", "Api-Key": "k"}, 400, 3, "Client-Id header value should be positive integer"),
            ({"Client-Id": "-5", "Api-Key": "k"}, 400, 3, "Client-Id header value should be positive integer"),
            ({"Client-Id": "100001", "Api-Key": "key-of-boris"}, 404, 5, "Invalid Api-Key, please check the key"),
            ({"Client-Id": "7", "Api-Key": "key-of-anna"}, 404, 5, "Invalid Api-Key, please check the key"),
        ],
    )
    def test_a_wrong_key_is_refused_as_ozon_refuses_it(
        self, anna: Seller, headers: dict[str, str], status: int, code: int, message: str
    ) -> None:
        answer = requests.post(f"{anna.url}/v1/roles", json={}, headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["message"].startswith(message)

    def test_the_client_knows_a_wrong_key_for_what_it_is(self, anna: Seller) -> None:
        stranger = OzonSeller(client_id="100001", api_key="wrong", redis=None, base_url=anna.url)
        with pytest.raises(WrongCredentials):
            stranger.roles()

    def test_one_call_too_many_in_a_second_is_told_to_wait(self, boris: Seller) -> None:
        boris.account.calls.clear()
        boris.account.calls_a_second = 3
        try:
            answers = [boris.post("/v1/roles") for _ in range(8)]
        finally:
            boris.account.calls_a_second = 10_000
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].headers["Retry-After"] == "1"
        assert refused[0].json() == {
            "code": 8,
            "message": "You have reached request rate limit per second",
            "details": [],
        }
        assert answers[0].headers["Ratelimit-Remaining"] == "2"

    def test_fifty_calls_a_second_are_allowed(self) -> None:
        account = Account("1", "key", World(skus=1, history_days=1))
        gate = Gate([account], seconds=lambda: 0.5)
        headers = Headers({"Client-Id": "1", "Api-Key": "key"})
        for _ in range(50):
            gate.admit(headers)
        with pytest.raises(Refused, match="rate limit per second"):
            gate.admit(headers)


class TestMethods:
    def test_switched_off_methods_say_so(self, anna: Seller) -> None:
        for path in ("/v2/posting/fbo/list", "/v3/posting/fbs/list", "/v3/finance/transaction/list"):
            assert anna.refusal(path) == (400, 9, "obsolete method cannot be used")
        with pytest.raises(SwitchedOff):
            anna.client._http.read("/v1/actions/candidates", {})

    def test_an_unknown_path_is_not_found(self, anna: Seller) -> None:
        assert anna.refusal("/v7/product/list") == (404, 5, "Resource not found")

    def test_a_get_where_a_post_belongs_is_not_found(self, anna: Seller) -> None:
        assert requests.get(f"{anna.url}{PRODUCTS}", timeout=60).status_code == 404

    def test_a_body_that_is_not_json_is_refused(self, anna: Seller) -> None:
        headers = {"Client-Id": ANNA.client_id, "Api-Key": ANNA.api_key, "Content-Type": "application/json"}
        answer = requests.post(f"{anna.url}{PRODUCTS}", data=b"{", headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (400, 3)

    def test_the_key_tells_its_end_and_its_methods(self, anna: Seller) -> None:
        roles = anna.client.roles()
        assert timedelta(days=60) < roles.expires_at - anna.world.clock.moment() < timedelta(days=92)
        assert PRICES in roles.roles[0].methods
        assert anna.client.seller_info().company.currency == "RUB"


class TestLists:
    def test_every_list_parses_without_a_bad_row(self, anna: Seller) -> None:
        client, ids = anna.client, [int(one) for one in anna.world.catalog.product_id]
        walks: dict[str, Iterator[Page[Any]]] = {
            "products": client.products(),
            "info": client.product_info(ids),
            "attributes": client.attributes(ids),
            "prices": client.prices(),
            "stocks": client.stocks(),
        }
        for name, walk in walks.items():
            pages = list(walk)
            assert [page.bad_rows for page in pages] == [()] * len(pages), name
            assert sum(len(page.rows) for page in pages) == ANNA.skus == pages[0].announced, name

    def test_pages_join_without_a_gap_or_a_repeat(self, anna: Seller) -> None:
        cursor, found = "", []
        while True:
            page = anna.ask(PRICES, filter={"visibility": "ALL"}, limit=7, cursor=cursor)
            found += [item["product_id"] for item in page["items"]]
            assert page["total"] == page["total_items"] == ANNA.skus
            cursor = page["cursor"]
            if not cursor:
                break
        assert found == anna.world.catalog.product_id.tolist()

    def test_products_are_found_by_one_kind_of_id_and_unknown_ids_are_left_out(self, anna: Seller) -> None:
        catalog = anna.world.catalog
        for wanted in (
            {"offer_id": [catalog.offer_id[4], "no such thing"]},
            {"product_id": [str(catalog.product_id[4]), "7"]},
            {"skus": [str(catalog.sku[4])]},
        ):
            items = anna.ask(PRODUCTS, filter=wanted, limit=10)["result"]["items"]
            assert [item["sku"] for item in items] == [catalog.sku[4]]

    def test_visibility_follows_the_stock(self, anna: Seller) -> None:
        def count(visibility: str) -> int:
            return anna.ask(PRODUCTS, filter={"visibility": visibility}, limit=1000)["result"]["total_items"]

        in_stock = int((anna.world.shelf.free > 0).sum())
        assert (count("ALL"), count("ARCHIVED")) == (ANNA.skus, 0)
        assert (count("IN_SALE"), count("EMPTY_STOCK")) == (in_stock, ANNA.skus - in_stock)
        assert count("VISIBLE_WITH_FBO_STOCK") <= in_stock

    def test_the_categories_hold_every_type_of_the_products(self, anna: Seller) -> None:
        tree = anna.client.category_tree()
        types = {(one.type_id, one.category_id) for one in tree.types}
        ids = [int(one) for one in anna.world.catalog.product_id]
        products = [row for page in anna.client.product_info(ids) for row in page.rows]
        assert {(one.type_id, one.description_category_id) for one in products} <= types
        assert tree.bad_rows == ()

    def test_the_brand_is_attribute_85(self, anna: Seller) -> None:
        ids = [int(one) for one in anna.world.catalog.product_id]
        brands = [row.brand for page in anna.client.attributes(ids) for row in page.rows]
        assert brands == anna.world.catalog.brand

    def test_stocks_of_both_schemes_add_up_to_what_is_free_and_reserved(self, anna: Seller) -> None:
        world = anna.world
        free: Counter[int] = Counter()
        for fbo in (row for page in anna.client.fbo_stocks() for row in page.rows):
            free[fbo.sku] += fbo.present - fbo.reserved
        for fbs in (stock for page in anna.client.stocks() for row in page.rows for stock in row.stocks):
            free[fbs.sku or 0] += fbs.present - fbs.reserved
        assert dict(free) == {
            int(sku): int(units) for sku, units in zip(world.catalog.sku, world.shelf.free, strict=True)
        }
        fbo_only = [i for i in range(ANNA.skus) if world.catalog.scheme[i] == FBO_ONLY]
        assert fbo_only
        assert world.book.reserved(world.day).sum() > 0

    def test_one_warehouse_of_the_sellers_own(self, anna: Seller) -> None:
        (page,) = anna.client.warehouses()
        assert [row.name for row in page.rows] == ["Основной склад"]
        assert anna.ask("/v2/warehouse/list", limit=5, warehouse_ids=["7"])["warehouses"] == []

    def test_prices_and_fees_give_the_true_unit_profit_in_both_schemes(self, anna: Seller) -> None:
        demand = anna.world.demand
        for i, row in enumerate(anna.ask(PRICES, filter={}, limit=1000)["items"]):
            fees, price = row["commissions"], row["price"]["price"]
            for scheme, parts in (
                ("fbo", ("direct_flow_trans_max", "deliv_to_customer")),
                ("fbs", ("direct_flow_trans_max", "deliv_to_customer", "first_mile_max")),
            ):
                logistics = sum(fees[f"{scheme}_{part}_amount"] for part in parts) + row["acquiring"]
                profit = price * (1 - fees[f"sales_percent_{scheme}"] / 100) - demand.cost[i] - logistics
                assert profit == pytest.approx(demand.unit_profit(i, price), abs=0.005)

    def test_a_running_promotion_is_shown_with_its_period(self) -> None:
        seed = next(seed for seed in range(100) if Demand(seed, 1).promos(0, 0))
        world = World(seed=seed, skus=2, history_days=1)
        answer = product_prices(Ask(Account("1", "key", world), "Request", {"filter": {}, "limit": 5}))
        actions = answer["items"][0]["marketing_actions"]
        (promo,) = world.demand.promos(0, 0)
        first, last = (str(START + timedelta(days=day)) for day in (promo.first_day - 1, promo.last_day))
        assert actions["ozon_actions_exist"] is True
        # Moscow's midnight is 21:00 of the day before in UTC.
        assert (actions["current_period_from"], actions["current_period_to"]) == (
            f"{first}T21:00:00Z",
            f"{last}T20:59:59Z",
        )
        assert actions["actions"][0]["date_from"] == actions["current_period_from"]

    def test_the_sellers_cost_is_not_in_the_api(self, anna: Seller) -> None:
        assert all(row.price.net_price is None for page in anna.client.prices() for row in page.rows)
        costs = anna.told("costs")
        assert [row["cost"] for row in costs].count(None) == 2
        assert {row["sku"] for row in costs} == set(anna.world.catalog.sku.tolist())

    @pytest.mark.parametrize(
        ("path", "body", "message"),
        [
            (PRODUCTS, {"filter": {}, "limit": 0}, "value must be inside range (0, 1000]"),
            (PRODUCTS, {"filter": {}, "limit": 1001}, "value must be inside range (0, 1000]"),
            (PRODUCTS, {"filter": {}, "limit": "5"}, "value must be inside range (0, 1000]"),
            (PRODUCTS, {"limit": 5}, "Filter: value is required"),
            (PRODUCTS, {"filter": {"visibility": "SHINY"}, "limit": 5}, "invalid value for enum field visibility"),
            (
                PRODUCTS,
                {"filter": {"offer_id": ["a"] * 600, "skus": [1] * 600}, "limit": 5},
                "1000 identifiers in total",
            ),
            ("/v3/product/info/list", {"offer_id": ["a"], "product_id": ["1"]}, "use either offer_id"),
            (PRODUCTS, {"filter": {"offer_id": "a"}, "limit": 5}, "invalid value for field offer_id"),
            (PRODUCTS, {"filter": {"product_id": ["a"]}, "limit": 5}, "invalid value for int64 field product_id"),
            (PRODUCTS, {"filter": {"product_id": ["1"] * 1001}, "limit": 5}, "no more than 1000"),
            (PRODUCTS, {"filter": {}, "limit": 5, "last_id": "not a cursor"}, "cursor is invalid"),
            (PRODUCTS, {"filter": {}, "limit": 5, "page": 2}, 'unknown field "page"'),
            ("/v3/product/info/list", {}, "use either offer_id or product_id or sku"),
            (FBO, {"filter": {}, "limit": 100}, "invalid google.protobuf.Timestamp value for field filter.since"),
            (FBO, {"limit": 100}, "Filter: value is required"),
        ],
    )
    def test_a_bad_request_names_what_is_wrong(
        self, anna: Seller, path: str, body: dict[str, object], message: str
    ) -> None:
        status, code, said = anna.refusal(path, **body)
        assert (status, code) == (400, 3)
        assert message in said


class TestWorldControls:
    def test_the_truth_of_a_price(self, anna: Seller) -> None:
        sku = int(anna.world.catalog.sku[0])
        price = float(anna.world.price[0]) / 100
        told = anna.told("truth", sku=sku, from_price=price, to_price=price * 1.05)
        assert told["effect"] == pytest.approx(anna.world.demand.true_effect(0, price, price * 1.05))
        assert told["elasticity"] == anna.world.demand.elasticity[0]
        assert anna.told("truth", sku=sku, from_price=1, to_price=price)["effect"] is None

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("truth?sku=1&from_price=1&to_price=2", "sku: the shop has no '1'"),
            ("truth?shop=100001&sku=0", "sku: the shop has no '0'"),
            ("ledger?shop=9", "shop: '9' is not one of 100001, 100002"),
            ("ledger?from=today", "from: a day such as 2026-03-01, not 'today'"),
        ],
    )
    def test_a_bad_question_names_the_field(self, anna: Seller, query: str, message: str) -> None:
        answer = requests.get(f"{anna.url}/world/{query}", timeout=60)
        assert (answer.status_code, answer.json()) == (400, {"error": message})

    def test_a_price_must_be_a_price(self, anna: Seller) -> None:
        sku = int(anna.world.catalog.sku[0])
        answer = requests.get(f"{anna.url}/world/truth?sku={sku}&from_price=-1&to_price=2", timeout=60)
        assert answer.json() == {"error": "from_price: a price in roubles above 0, not '-1'"}

    def test_stock_of_every_morning_is_told(self, anna: Seller) -> None:
        rows = anna.told("ledger", **{"from": "2026-02-20", "to": "2026-02-20"})["days"][0]["rows"]
        assert [row["stock"] for row in rows] == anna.world.ledger.days[-10].stock.tolist()
