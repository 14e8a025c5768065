"""Postings of the OZON stand-in: walked through the API they equal the ledger, and they move with the days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.marketplaces.errors import Temporary
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.postings import Posting
from apps.marketplaces.standins.world import START
from tests.marketplaces.standins.seller import ANNA, BORIS, FBO, FBS, Seller, open_shops, sale_day

pytestmark = pytest.mark.flow

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


def assert_books_agree(seller: Seller, postings: list[Posting]) -> None:
    """Units, revenue, cancelled and returned units per SKU and shop day: what the API shows is what happened."""
    units, cancelled, returned = (Counter[tuple[str, int]]() for _ in range(3))
    revenue: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for posting in postings:
        for line in posting.products:
            key = (sale_day(seller, posting), line.sku)
            units[key] += line.quantity
            revenue[key] += line.price.amount * line.quantity
            if posting.status == "cancelled":
                after = posting.substatus == "posting_returned_to_warehouse"
                (returned if after else cancelled)[key] += line.quantity
    delivered = {posting.posting_number: posting for posting in postings if posting.status == "delivered"}
    for back in seller.returns():
        if back.posting_number in delivered:
            returned[sale_day(seller, delivered[back.posting_number]), back.product.sku] += back.product.quantity
    truth = {(day["day"], row["sku"]): row for day in seller.told("ledger")["days"] for row in day["rows"]}
    assert set(units) <= set(truth)
    for key, row in truth.items():
        shown = (units[key], cancelled[key], returned[key], revenue[key])
        true = (row["units"], row["cancelled_units"], row["returned_units"], Decimal(row["revenue"]))
        assert shown == true, key


def test_postings_walked_through_the_api_equal_the_ledger(anna: Seller, postings: list[Posting]) -> None:
    assert_books_agree(anna, postings)
    days = [day["day"] for day in anna.told("ledger")["days"]]
    assert days == [str(START - timedelta(days=back)) for back in range(35, 0, -1)]
    ends = Counter(posting.substatus for posting in postings if posting.status == "cancelled")
    assert ends["posting_returned_to_warehouse"] > 10 < ends["posting_canceled"]


def test_in_another_zone_too(boris: Seller) -> None:
    assert_books_agree(boris, boris.postings())


def test_orders_span_postings(postings: list[Posting]) -> None:
    per_order = Counter(posting.order_number for posting in postings)
    assert set(per_order.values()) == {1, 2}
    assert len({posting.posting_number for posting in postings}) == len(postings)
    assert {len(posting.products) for posting in postings} == {1, 2}


def test_a_return_and_a_cancellation_can_be_told_apart_in_fbs(postings: list[Posting]) -> None:
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


def test_a_return_and_a_cancellation_can_be_told_apart_in_fbo(postings: list[Posting]) -> None:
    ended = [posting for posting in postings if posting.status == "cancelled" and posting.created_at]
    assert {posting.substatus for posting in ended} == {"posting_canceled", "posting_returned_to_warehouse"}
    for posting in ended:
        returned = posting.substatus == "posting_returned_to_warehouse"
        assert (posting.cancel_reason_id in RETURN_REASONS) is returned


def test_the_period_is_by_the_start_of_processing_and_both_ends_count(anna: Seller) -> None:
    page = anna.ask(FBO, filter=anna.period(), limit=100)["postings"]
    moments = [posting["in_process_at"] for posting in page]
    assert moments == sorted(moments)
    wanted = {"since": moments[5], "to": moments[9]}
    again = anna.ask(FBO, filter=wanted, limit=100)["postings"]
    assert [one["posting_number"] for one in again] == [
        one["posting_number"] for one in page if moments[5] <= one["in_process_at"] <= moments[9]
    ]


def test_filters_by_status_number_order_and_change(anna: Seller) -> None:
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


def test_descending_is_ascending_turned_round(anna: Seller) -> None:
    up, down = (anna.ask(FBO, filter=anna.period(3), limit=100, sort_dir=way)["postings"] for way in ("ASC", "DESC"))
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
def test_the_old_way_of_paging_is_refused(anna: Seller, path: str, more: dict[str, object], message: str) -> None:
    status, _, said = anna.refusal(path, filter=anna.period(), **more)
    assert status == 400
    assert message in said


def test_more_than_a_year_is_too_long(anna: Seller) -> None:
    assert anna.refusal(FBO, filter=anna.period(400), limit=100) == (400, 3, "PERIOD_IS_TOO_LONG")


def test_a_period_that_ends_before_it_begins_is_refused(anna: Seller) -> None:
    period = anna.period()
    backwards = {"since": period["to"], "to": period["since"]}
    assert "must not be earlier" in anna.refusal(FBS, filter=backwards, limit=100)[2]


def test_financial_data_comes_only_when_asked_for(anna: Seller) -> None:
    bare = anna.ask(FBO, filter=anna.period(), limit=1)["postings"][0]
    full = anna.ask(FBO, filter=anna.period(), limit=1, **{"with": {"financial_data": True, "analytics_data": True}})
    (line,) = full["postings"][0]["financial_data"]["products"][:1]
    assert bare["financial_data"] is None is bare["analytics_data"]
    assert line["product_id"] == full["postings"][0]["products"][0]["sku"], "it is the SKU, whatever its name"
    assert line["commission"]["percent"] == 20
    assert full["postings"][0]["analytics_data"]["warehouse_name"]


@pytest.mark.slow
def test_the_books_still_agree_after_prices_and_days() -> None:
    with open_shops(BORIS) as (boris,):
        for step in range(4):
            boris.set_price(step, f"{boris.world.price[step] / 110:.0f}", old_price=Decimal(0), min_price=Decimal(1))
            boris.next_day()
            assert_books_agree(boris, boris.postings())


def test_statuses_move_and_new_orders_appear() -> None:
    with open_shops(BORIS) as (boris,):
        before = {posting.posting_number: posting.status for posting in boris.postings()}
        free = boris.world.shelf.free.copy()
        boris.next_day()
        after = {posting.posting_number: posting.status for posting in boris.postings()}
        assert any(after[number] != status for number, status in before.items())
        assert set(after) > set(before)
        assert not np.array_equal(free, boris.world.shelf.free)
        assert boris.told("clock")["date"] == "2026-03-03"


def test_an_unreachable_stand_in_is_temporary() -> None:
    with open_shops(BORIS) as (boris,):
        lonely = OzonSeller(
            client_id="1", api_key="k", redis=None, base_url=boris.url, deadline_seconds=1, patience_seconds=1
        )
    with pytest.raises(Temporary):
        lonely.roles()
