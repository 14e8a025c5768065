"""The OZON stand-in as a client meets it: keys, limits, lists, postings that equal the ledger, and refusals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import requests
from starlette.datastructures import Headers

from apps.marketplaces.errors import SwitchedOff, Temporary, WrongCredentials
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.postings import Posting
from apps.marketplaces.paging import Page
from apps.marketplaces.standins.catalog import FBO as FBO_ONLY
from apps.marketplaces.standins.demand import Demand
from apps.marketplaces.standins.ozon_seller.ask import Ask
from apps.marketplaces.standins.ozon_seller.gate import Account, Gate, Refused
from apps.marketplaces.standins.ozon_seller.prices import product_prices
from apps.marketplaces.standins.world import START, World
from tests.marketplaces.standins.seller import ANNA, BORIS, FBO, FBS, PRICES, PRODUCTS, Seller, open_shops, sale_day

RETURN_REASONS = {504, 665, 666, 667}


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


@pytest.fixture(scope="module")
def postings(sellers: list[Seller]) -> list[Posting]:
    """All of Anna's postings, walked page by page through both lists."""
    return sellers[0].postings()


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
        answer = requests.post(f"{anna.url}/v1/roles", json={}, headers=headers, timeout=5)
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
        assert requests.get(f"{anna.url}{PRODUCTS}", timeout=5).status_code == 404

    def test_a_body_that_is_not_json_is_refused(self, anna: Seller) -> None:
        headers = {"Client-Id": ANNA.client_id, "Api-Key": ANNA.api_key, "Content-Type": "application/json"}
        answer = requests.post(f"{anna.url}{PRODUCTS}", data=b"{", headers=headers, timeout=5)
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


class TestPostings:
    def test_postings_walked_through_the_api_equal_the_ledger(self, anna: Seller, postings: list[Posting]) -> None:
        units, cancelled, returned = (Counter[tuple[str, int]]() for _ in range(3))
        revenue: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for posting in postings:
            for line in posting.products:
                key = (sale_day(anna, posting), line.sku)
                units[key] += line.quantity
                revenue[key] += line.price.amount * line.quantity
                if posting.status == "cancelled":
                    after = posting.substatus == "posting_returned_to_warehouse"
                    (returned if after else cancelled)[key] += line.quantity
        days = anna.told("ledger")["days"]
        assert [day["day"] for day in days] == [str(START - timedelta(days=back)) for back in range(35, 0, -1)]
        for day in days:
            for row in day["rows"]:
                key = (day["day"], row["sku"])
                assert (units[key], cancelled[key], returned[key]) == (
                    row["units"],
                    row["cancelled_units"],
                    row["returned_units"],
                )
                assert revenue[key] == Decimal(row["revenue"])
        assert sum(units.values()) > 1000
        assert sum(returned.values()) > 10 < sum(cancelled.values())

    def test_in_another_zone_too(self, boris: Seller) -> None:
        units: Counter[tuple[str, int]] = Counter()
        for posting in boris.postings():
            for line in posting.products:
                units[sale_day(boris, posting), line.sku] += line.quantity
        ledger = {(day["day"], row["sku"]): row["units"] for day in boris.told("ledger")["days"] for row in day["rows"]}
        assert units == {key: count for key, count in ledger.items() if count}

    def test_orders_span_postings(self, postings: list[Posting]) -> None:
        per_order = Counter(posting.order_number for posting in postings)
        assert set(per_order.values()) == {1, 2}
        assert len({posting.posting_number for posting in postings}) == len(postings)
        assert {len(posting.products) for posting in postings} == {1, 2}

    def test_a_return_and_a_cancellation_can_be_told_apart_in_fbs(self, postings: list[Posting]) -> None:
        ended = [
            (posting, posting.cancellation)
            for posting in postings
            if posting.status == "cancelled" and posting.shipment_date and posting.cancellation
        ]
        assert ended
        for posting, cancellation in ended:
            returned = posting.substatus == "posting_returned_to_warehouse"
            assert cancellation.cancelled_after_ship is returned
            assert (cancellation.cancel_reason_id in RETURN_REASONS) is returned

    def test_a_return_and_a_cancellation_can_be_told_apart_in_fbo(self, postings: list[Posting]) -> None:
        ended = [posting for posting in postings if posting.status == "cancelled" and posting.created_at]
        assert {posting.substatus for posting in ended} == {"posting_canceled", "posting_returned_to_warehouse"}
        for posting in ended:
            returned = posting.substatus == "posting_returned_to_warehouse"
            assert (posting.cancel_reason_id in RETURN_REASONS) is returned

    def test_the_period_is_by_the_start_of_processing_and_both_ends_count(self, anna: Seller) -> None:
        page = anna.ask(FBO, filter=anna.period(), limit=100)["postings"]
        moments = [posting["in_process_at"] for posting in page]
        assert moments == sorted(moments)
        wanted = {"since": moments[5], "to": moments[9]}
        again = anna.ask(FBO, filter=wanted, limit=100)["postings"]
        assert [one["posting_number"] for one in again] == [
            one["posting_number"] for one in page if moments[5] <= one["in_process_at"] <= moments[9]
        ]

    def test_filters_by_status_number_order_and_change(self, anna: Seller) -> None:
        delivered = anna.ask(FBO, filter={**anna.period(), "statuses": ["delivered"]}, limit=100)["postings"]
        assert {one["status"] for one in delivered} == {"delivered"}
        number, order = delivered[3]["posting_number"], delivered[3]["order_number"]
        (one,) = anna.ask(FBO, filter={"posting_numbers": [number, "1-2-3", "what"]}, limit=100)["postings"]
        assert one["posting_number"] == number
        siblings = anna.ask(FBO, filter={"order_numbers": [order]}, limit=100)["postings"]
        assert {one["order_number"] for one in siblings} == {order}
        now = anna.world.clock.moment()
        changed = {"from": (now - timedelta(days=1.5)).isoformat(), "to": now.isoformat()}
        recent = anna.ask(FBS, filter={**anna.period(), "last_changed_status_date": changed}, limit=100)["postings"]
        everything = anna.ask(FBS, filter=anna.period(), limit=100)
        assert 0 < len(recent) < len(everything["postings"])
        assert anna.ask(FBS, filter={**anna.period(), "warehouse_ids": ["7"]}, limit=100)["postings"] == []

    def test_descending_is_ascending_turned_round(self, anna: Seller) -> None:
        up, down = (
            anna.ask(FBO, filter=anna.period(3), limit=100, sort_dir=way)["postings"] for way in ("ASC", "DESC")
        )
        newest = anna.ask(FBO, filter=anna.period(3), limit=1, sort_dir="DESC")["postings"][0]
        assert newest == down[0] != up[0]

    @pytest.mark.parametrize("path", [FBO, FBS])
    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"limit": 101}, "value must be inside range (0, 100]"),
            ({"limit": 100, "offset": 0}, 'unknown field "offset"'),
            ({"limit": 100, "dir": "ASC"}, 'unknown field "dir"'),
            ({"limit": 100, "sort_dir": "UP"}, "invalid value for enum field sort_dir"),
        ],
    )
    def test_the_old_way_of_paging_is_refused(
        self, anna: Seller, path: str, more: dict[str, object], message: str
    ) -> None:
        status, _, said = anna.refusal(path, filter=anna.period(), **more)
        assert status == 400
        assert message in said

    def test_more_than_a_year_is_too_long(self, anna: Seller) -> None:
        assert anna.refusal(FBO, filter=anna.period(400), limit=100) == (400, 3, "PERIOD_IS_TOO_LONG")

    def test_a_period_that_ends_before_it_begins_is_refused(self, anna: Seller) -> None:
        period = anna.period()
        backwards = {"since": period["to"], "to": period["since"]}
        assert "must not be earlier" in anna.refusal(FBS, filter=backwards, limit=100)[2]

    def test_financial_data_comes_only_when_asked_for(self, anna: Seller) -> None:
        bare = anna.ask(FBO, filter=anna.period(), limit=1)["postings"][0]
        full = anna.ask(
            FBO, filter=anna.period(), limit=1, **{"with": {"financial_data": True, "analytics_data": True}}
        )
        (line,) = full["postings"][0]["financial_data"]["products"][:1]
        assert bare["financial_data"] is None is bare["analytics_data"]
        assert line["product_id"] == full["postings"][0]["products"][0]["sku"], "it is the SKU, whatever its name"
        assert line["commission"]["percent"] == 20
        assert full["postings"][0]["analytics_data"]["warehouse_name"]


class TestAnalytics:
    @pytest.fixture(autouse=True)
    def fresh_minute(self, anna: Seller) -> None:
        anna.account.analytics_calls.clear()

    def asked(self, **more: object) -> dict[str, object]:
        usual = {"date_from": "2026-02-24", "date_to": "2026-03-01", "limit": 1000}
        return {**usual, "metrics": ["ordered_units", "revenue"], "dimension": ["sku", "day"], **more}

    def test_its_figures_equal_the_ledger(self, anna: Seller) -> None:
        answer = anna.ask("/v1/analytics/data", **self.asked())["result"]
        found = {tuple(one["id"] for one in row["dimensions"]): row["metrics"] for row in answer["data"]}
        ledger = anna.told("ledger", **{"from": "2026-02-24", "to": "2026-03-01"})["days"]
        expected = {
            (str(row["sku"]), day["day"]): [row["units"], float(row["revenue"])]
            for day in ledger
            for row in day["rows"]
            if row["units"]
        }
        assert found == expected
        assert answer["totals"][0] == sum(units for units, _ in expected.values())

    @pytest.mark.parametrize(("dimension", "ids"), [("month", {"2026-02-01", "2026-03-01"}), ("week", {"2026-02-23"})])
    def test_it_sums_up_by_week_and_month(self, anna: Seller, dimension: str, ids: set[str]) -> None:
        rows = anna.ask("/v1/analytics/data", **self.asked(dimension=[dimension]))["result"]["data"]
        assert {row["dimensions"][0]["id"] for row in rows} == ids

    def test_it_filters_sorts_and_pages(self, anna: Seller) -> None:
        more = {
            "filters": [{"key": "ordered_units", "op": "GTE", "value": "2"}],
            "sort": [{"key": "revenue", "order": "DESC"}],
            "limit": 3,
            "offset": 1,
        }
        rows = anna.ask("/v1/analytics/data", **self.asked(**more))["result"]["data"]
        revenues = [row["metrics"][1] for row in rows]
        assert len(rows) == 3
        assert revenues == sorted(revenues, reverse=True)
        assert min(row["metrics"][0] for row in rows) >= 2

    def test_a_filter_on_a_dimension(self, anna: Seller) -> None:
        only = [{"key": "day", "op": "EQ", "value": "2026-02-27"}]
        rows = anna.ask("/v1/analytics/data", **self.asked(filters=only))["result"]["data"]
        assert {row["dimensions"][1]["id"] for row in rows} == {"2026-02-27"}

    def test_one_call_a_minute(self, anna: Seller) -> None:
        anna.ask("/v1/analytics/data", **self.asked())
        answer = anna.post("/v1/analytics/data", **self.asked())
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60

    def test_fifty_calls_a_day(self, anna: Seller) -> None:
        now = anna.world.clock.moment()
        anna.account.analytics_calls[:] = [now - timedelta(minutes=61 - n) for n in range(50)]
        answer = anna.post("/v1/analytics/data", **self.asked())
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 3600

    @pytest.mark.parametrize(
        ("more", "status", "message"),
        [
            ({"metrics": ["hits_view"]}, 403, "not available with existing subscription"),
            ({"dimension": ["brand"]}, 403, "not available with existing subscription"),
            ({"metrics": ["revenue"] * 15}, 400, "between 1 and 14 items"),
            ({"metrics": ["glory"]}, 400, "invalid value for enum field metrics"),
            ({"date_from": "2025-11-01"}, 400, "last 3 months"),
            ({"date_to": "2026-02-01"}, 400, "must not be earlier"),
            ({"date_to": "tomorrow"}, 400, "must be dates"),
            ({"offset": -1}, 400, "Offset"),
            ({"sort": [{"key": "glory"}]}, 400, "invalid value for enum field key"),
        ],
    )
    def test_what_it_does_not_give(self, anna: Seller, more: dict[str, object], status: int, message: str) -> None:
        said = anna.refusal("/v1/analytics/data", **self.asked(**more))
        assert said[0] == status
        assert message in said[2]


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
        answer = requests.get(f"{anna.url}/world/{query}", timeout=5)
        assert (answer.status_code, answer.json()) == (400, {"error": message})

    def test_a_price_must_be_a_price(self, anna: Seller) -> None:
        sku = int(anna.world.catalog.sku[0])
        answer = requests.get(f"{anna.url}/world/truth?sku={sku}&from_price=-1&to_price=2", timeout=5)
        assert answer.json() == {"error": "from_price: a price in roubles above 0, not '-1'"}

    def test_stock_of_every_morning_is_told(self, anna: Seller) -> None:
        rows = anna.told("ledger", **{"from": "2026-02-20", "to": "2026-02-20"})["days"][0]["rows"]
        assert [row["stock"] for row in rows] == anna.world.ledger.days[-10].stock.tolist()


class TestNextDay:
    def test_statuses_move_and_new_orders_appear(self) -> None:
        with open_shops(BORIS) as (boris,):
            before = {posting.posting_number: posting.status for posting in boris.postings()}
            free = boris.world.shelf.free.copy()
            boris.next_day()
            after = {posting.posting_number: posting.status for posting in boris.postings()}
            moved = {number for number, status in before.items() if after[number] != status}
            assert moved
            assert set(after) > set(before)
            assert not np.array_equal(free, boris.world.shelf.free)
            assert boris.told("clock")["date"] == "2026-03-03"

    def test_an_unreachable_stand_in_is_temporary(self) -> None:
        with open_shops(BORIS) as (boris,):
            lonely = OzonSeller(
                client_id="1", api_key="k", redis=None, base_url=boris.url, deadline_seconds=1, patience_seconds=1
            )
        with pytest.raises(Temporary):
            lonely.roles()
