"""/v1/analytics/data of the OZON stand-in: its figures, its limits, what it does not give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.marketplaces.standins.seller import ANNA, Seller, open_shops

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def anna() -> Iterator[Seller]:
    with open_shops(ANNA) as (seller,):
        yield seller


@pytest.fixture(autouse=True)
def fresh_minute(anna: Seller) -> None:
    anna.account.analytics_calls.clear()


def asked(**more: object) -> dict[str, object]:
    usual = {"date_from": "2026-02-24", "date_to": "2026-03-01", "limit": 1000}
    return {**usual, "metrics": ["ordered_units", "revenue"], "dimension": ["sku", "day"], **more}


def test_its_figures_equal_the_ledger(anna: Seller) -> None:
    answer = anna.ask("/v1/analytics/data", **asked())["result"]
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
def test_it_sums_up_by_week_and_month(anna: Seller, dimension: str, ids: set[str]) -> None:
    rows = anna.ask("/v1/analytics/data", **asked(dimension=[dimension]))["result"]["data"]
    assert {row["dimensions"][0]["id"] for row in rows} == ids


def test_it_filters_sorts_and_pages(anna: Seller) -> None:
    more = {
        "filters": [{"key": "ordered_units", "op": "GTE", "value": "2"}],
        "sort": [{"key": "revenue", "order": "DESC"}],
        "limit": 3,
        "offset": 1,
    }
    rows = anna.ask("/v1/analytics/data", **asked(**more))["result"]["data"]
    revenues = [row["metrics"][1] for row in rows]
    assert len(rows) == 3
    assert revenues == sorted(revenues, reverse=True)
    assert min(row["metrics"][0] for row in rows) >= 2


def test_a_filter_on_a_dimension(anna: Seller) -> None:
    only = [{"key": "day", "op": "EQ", "value": "2026-02-27"}]
    rows = anna.ask("/v1/analytics/data", **asked(filters=only))["result"]["data"]
    assert {row["dimensions"][1]["id"] for row in rows} == {"2026-02-27"}


def test_one_call_a_minute(anna: Seller) -> None:
    anna.ask("/v1/analytics/data", **asked())
    answer = anna.post("/v1/analytics/data", **asked())
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_fifty_calls_a_day(anna: Seller) -> None:
    now = anna.world.clock.moment()
    anna.account.analytics_calls[:] = [now - timedelta(minutes=61 - n) for n in range(50)]
    answer = anna.post("/v1/analytics/data", **asked())
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
def test_what_it_does_not_give(anna: Seller, more: dict[str, object], status: int, message: str) -> None:
    said = anna.refusal("/v1/analytics/data", **asked(**more))
    assert said[0] == status
    assert message in said[2]
