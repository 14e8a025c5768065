"""The imitated KeyCRM, asked by our client and, where it has to be rude, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from apps.marketplaces.errors import RepeatedCursor, WrongCredentials
from apps.marketplaces.keycrm.client import KeyCrm
from apps.marketplaces.standins.keycrm import CrmShop
from apps.marketplaces.standins.keycrm.goods import BRANDS
from apps.marketplaces.standins.registry import CRM_API_KEY, Crm, RunningStandins, Shop, running_standins
from apps.marketplaces.standins.world import Clock

pytestmark = pytest.mark.flow

SMALL = Shop(skus=5, history_days=30)


@pytest.fixture(scope="module")
def up() -> Iterator[RunningStandins]:
    with running_standins(shops=[SMALL], crm=Crm(orders=1_200, products=120, history_days=200)) as up:
        yield up


@pytest.fixture
def crm(up: RunningStandins) -> KeyCrm:
    return KeyCrm(api_key=CRM_API_KEY, redis=None, base_url=up.crm_url, calls_a_minute=1_000_000)


def ask(up: RunningStandins, path: str, key: str = CRM_API_KEY, **params: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.get(up.crm_url + path, params=params, headers=headers, timeout=60)


def test_the_whole_list_of_orders_comes_once_each(up: RunningStandins, crm: KeyCrm) -> None:
    pages = list(crm.orders())
    ids = [order.order_id for page in pages for order in page.rows]
    assert ids == sorted(set(ids))
    assert len(ids) == pages[-1].announced == up.of.crm.last_id
    assert not [page.bad_rows for page in pages if page.bad_rows]


def test_windows_of_orders_make_up_the_whole(up: RunningStandins, crm: KeyCrm) -> None:
    end = up.of.crm.clock.moment()
    start, seen = end - timedelta(days=300), set()
    while start < end:
        until = start + timedelta(days=50)
        for page in crm.orders(created=(start, until - timedelta(seconds=1))):
            assert all(order.ordered_at and start <= order.ordered_at < until for order in page.rows)
            seen |= {order.order_id for order in page.rows}
        start = until
    assert seen == set(range(1, up.of.crm.last_id + 1))


def test_some_orders_were_taken_in_long_before_they_were_entered(crm: KeyCrm) -> None:
    orders = [order for page in crm.orders() for order in page.rows]
    late = [one for one in orders if one.created_at and one.ordered_at and one.created_at > one.ordered_at]
    assert {one.order_id % 499 for one in late} == {0}


def test_the_shop_is_what_it_is_said_to_be(up: RunningStandins, crm: KeyCrm) -> None:
    categories = [row for page in crm.categories() for row in page.rows]
    parents = {row.parent_id for row in categories}
    assert len([row for row in categories if row.category_id not in parents]) == 60
    assert len(BRANDS) == 200
    orders = [order for page in crm.orders() for order in page.rows]
    assert {order.source_id for order in orders} == {1, 2, 3, 4, 5}
    assert {order.manager.user_id for order in orders if order.manager} == {4, 8, 15, 22}
    buyers = [order.buyer.buyer_id for order in orders if order.buyer]
    assert len(set(buyers)) < 0.8 * len(buyers), "some come again"
    assert all(order.buyer.phone[0].startswith("+38000") for order in orders if order.buyer)


def test_what_is_not_included_is_not_there(up: RunningStandins) -> None:
    bare = ask(up, "/order", limit="1").json()["data"][0]
    assert not {"products", "buyer", "manager", "expenses", "status"} & set(bare)
    assert ask(up, "/order", include="products").json()["data"][0]["products"][0].get("offer") is None


@pytest.mark.parametrize(("limit", "came"), [(None, 15), ("50", 50), ("100", 50)])
def test_a_page_has_fifteen_rows_and_never_more_than_fifty(up: RunningStandins, limit: str | None, came: int) -> None:
    answer = ask(up, "/order", **({"limit": limit} if limit else {})).json()
    assert (len(answer["data"]), answer["per_page"]) == (came, came)


@pytest.mark.parametrize("params", [{"include": "warehouse"}, {"filter[status]": "1"}])
def test_what_it_does_not_know_it_refuses_with_what_it_does(up: RunningStandins, params: dict[str, str]) -> None:
    answer = ask(up, "/order", **params)
    assert answer.status_code == 400
    assert "Allowed" in answer.json()["message"]


def test_a_wrong_key_is_not_taken(up: RunningStandins) -> None:
    answer = ask(up, "/order", key="another")
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthenticated."})
    stranger = KeyCrm(api_key="another", redis=None, base_url=up.crm_url)
    with pytest.raises(WrongCredentials):
        next(stranger.users())


def test_who_calls_too_often_is_told_to_wait() -> None:
    with running_standins(shops=[SMALL], crm=Crm(orders=50, products=5, calls_a_minute=2)) as up:
        answers = [ask(up, "/users") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_a_deleted_order_is_gone_from_the_lists_and_by_its_id(up: RunningStandins, crm: KeyCrm) -> None:
    up.of.crm.delete(1_000)
    assert crm.order(1_000) is None
    assert 1_000 not in {order.order_id for page in crm.orders() for order in page.rows}


def test_a_status_changes_without_a_word_in_updated_at(up: RunningStandins, crm: KeyCrm) -> None:
    before = crm.order(77)
    up.of.crm.edit(77, status_id=19)
    after = crm.order(77)
    assert before
    assert after
    assert (after.status_id, after.group_id) == (19, 6)
    assert after.updated_at == before.updated_at


def test_an_order_that_is_placed_now_is_the_last_one(up: RunningStandins, crm: KeyCrm) -> None:
    order_id = up.of.crm.place(source_id=6, manager_id=None)
    order = crm.order(order_id)
    assert order
    assert (order.source_id, order.manager, order_id) == (6, None, up.of.crm.last_id)
    updated = (datetime.now(UTC).replace(year=2025), up.of.crm.clock.moment())
    assert order_id in {row.order_id for page in crm.orders(updated=updated) for row in page.rows}


@pytest.mark.parametrize("order_id", range(1, 30))
def test_a_total_is_its_lines_and_the_delivery(crm: KeyCrm, order_id: int) -> None:
    order = crm.order(order_id)
    assert order
    lines = sum((line.price_sold or 0) * line.quantity for line in order.products or ())
    assert order.grand_total - lines in (0, Decimal(70))


def test_pages_go_in_a_circle_when_they_are_told_to(up: RunningStandins, crm: KeyCrm) -> None:
    script = {"route": "keycrm:/offers", "kind": "repeated_cursor", "times": None}
    requests.post(f"{up.url}/_faults", json=script, timeout=60)
    try:
        with pytest.raises(RepeatedCursor):
            list(crm.offers())
    finally:
        requests.delete(f"{up.url}/_faults", timeout=60)


def test_a_million_orders_cost_nothing_until_they_are_asked_for() -> None:
    shop = CrmShop(Clock(), orders=1_000_000, products=50)
    assert abs(shop.last_id - 1_000_000) <= 1
    ids = shop.ids()
    assert len(ids) == shop.last_id
    assert shop.ids() is ids, "the next page of the same list draws nothing again"


def test_a_day_brings_the_usual_number_of_orders_and_moves_the_open_ones_on() -> None:
    clock = Clock()
    shop = CrmShop(clock, orders=4_000, products=50, history_days=100)
    placed = shop.place()
    before, status = shop.last_id, shop.status(shop.last_id - 5)
    for _ in range(3):
        clock.next_day()
    assert 60 < shop.last_id - before < 180
    assert shop.ordered_at(shop.last_id) > shop.ordered_at(placed)
    assert shop.status(before - 5) != status


def test_every_row_is_one_of_the_specification(up: RunningStandins, samples: Path) -> None:
    """Live answers say more than the specification; what both have is of the specification's kind."""
    text = (samples.parent / "keycrm" / "openapi-1.2.0.yml").read_text()
    schemas = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["components"]["schemas"]
    kinds: dict[str, Any] = {"integer": int, "string": str, "boolean": bool, "array": list, "object": dict}
    for path, name in (("/order", "Order"), ("/offers", "Offer"), ("/products", "Product")):
        declared = schemas[name]["properties"]
        row = ask(up, path, limit="1").json()["data"][0]
        assert set(row) & set(declared), name
        for field in set(row) & set(declared):
            kind = kinds.get(declared[field].get("type", ""))
            if kind and row[field] is not None and field != "grand_total":
                assert isinstance(row[field], kind), (name, field, row[field])
