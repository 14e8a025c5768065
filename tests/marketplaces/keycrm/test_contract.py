"""Samples of KeyCRM: a captured order, the vendor's examples of every list, its webhooks, and what our requests are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
import yaml

from apps.marketplaces.errors import Malformed, RepeatedCursor, WrongCredentials
from apps.marketplaces.keycrm.client import BASE_URL, KeyCrm
from apps.marketplaces.keycrm.schemas import Order
from apps.marketplaces.paging import Page

KEY = "key-of-olena-0001"
SINCE, UNTIL = datetime(2026, 5, 10, tzinfo=UTC), datetime(2026, 5, 15, tzinfo=UTC)

LISTS: dict[str, tuple[str, Callable[[KeyCrm], Iterator[Page[Any]]]]] = {
    "order_list": ("/order", lambda crm: crm.orders(created=(SINCE, UNTIL), updated=(SINCE, UNTIL))),
    "products_list": ("/products", lambda crm: crm.products()),
    "offers_list": ("/offers", lambda crm: crm.offers()),
    "offers_stocks_list": ("/offers/stocks", lambda crm: crm.stocks()),
    "categories_list": ("/products/categories", lambda crm: crm.categories()),
    "buyer_list": ("/buyer", lambda crm: crm.buyers(updated=(SINCE, UNTIL))),
    "users_list": ("/users", lambda crm: crm.users()),
    "order_source_list": ("/order/source", lambda crm: crm.sources()),
    "order_status_list": ("/order/status", lambda crm: crm.statuses()),
    "expense_type_list": ("/order/expense-type", lambda crm: crm.expense_types()),
}


@pytest.fixture(scope="module")
def folder(samples: Path) -> Path:
    return samples.parent / "keycrm"


@pytest.fixture(scope="module")
def specification(folder: Path) -> dict[str, Any]:
    text = (folder / "openapi-1.2.0.yml").read_text()
    found: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


@pytest.fixture
def crm() -> KeyCrm:
    return KeyCrm(api_key=KEY, redis=None, calls_a_minute=1_000_000)


def resolved(specification: dict[str, Any], stated: dict[str, Any]) -> dict[str, Any]:
    """What a parameter says, where it is told elsewhere."""
    found: Any = specification if "$ref" in stated else stated
    for step in stated.get("$ref", "").split("/")[1:]:
        found = found[step]
    return dict(found)


def loaded(path: Path) -> Any:
    return json.loads(path.read_text(), parse_float=Decimal)


@pytest.mark.parametrize("name", LISTS)
def test_it_reads_the_vendors_example_of_every_list(
    api: responses.RequestsMock, crm: KeyCrm, folder: Path, name: str
) -> None:
    path, ask = LISTS[name]
    api.get(BASE_URL + path, json=json.loads((folder / "spec_examples" / f"{name}.json").read_text()))
    page = next(ask(crm))
    assert (len(page.rows), page.bad_rows, page.announced) == (1, (), 100)
    assert (page.cursor, page.last) == ("2", False)


@pytest.mark.parametrize("name", LISTS)
def test_it_asks_only_for_what_the_specification_allows(
    api: responses.RequestsMock, crm: KeyCrm, folder: Path, specification: dict[str, Any], name: str
) -> None:
    path, ask = LISTS[name]
    api.get(BASE_URL + path, json=json.loads((folder / "spec_examples" / f"{name}.json").read_text()))
    next(ask(crm))
    asked = parse_qs(urlsplit(api.calls[0].request.url or "").query)
    stated = specification["paths"][path]["get"].get("parameters", [])
    allowed = {one["name"]: one for one in (resolved(specification, one) for one in stated)}
    filters = {name for example in allowed.get("filter", {}).get("examples", {}).values() for name in example["value"]}
    for field, values in asked.items():
        if field.startswith("filter["):
            assert field[7:-1] in filters
        else:
            assert field in {"limit", "page", *allowed}, values
    assert int(asked["limit"][0]) <= 50
    assert api.calls[0].request.headers["Authorization"] == f"Bearer {KEY}"


def test_it_reads_a_captured_order(folder: Path) -> None:
    order = Order.model_validate(loaded(folder / "order_create_response_live.json"))
    (line,) = order.products or ()
    assert (order.order_id, order.source_id, order.group_id, order.grand_total) == (1, 2, 1, Decimal(190))
    assert order.ordered_at == datetime(2024, 11, 13, 18, 46, 36, tzinfo=UTC)
    assert (line.quantity, line.price_sold, line.purchased_price) == (Decimal(1), Decimal(190), Decimal(0))
    assert line.offer is None
    assert order.buyer
    assert order.buyer.phone == ("+15552341234",)
    assert order.expenses is None, "they were not asked for"


def test_it_reads_the_documented_order_whose_moments_have_no_zone(folder: Path) -> None:
    order = Order.model_validate(loaded(folder / "spec_examples" / "order_one.json"))
    (line,) = order.products or ()
    (expense,) = order.expenses or ()
    assert order.ordered_at == datetime(2020, 5, 16, 17, 0, 7, tzinfo=UTC)
    assert line.offer
    assert (line.offer.offer_id, line.offer.product_id) == (22, 22)
    assert (expense.amount, expense.expense_type_id) == (Decimal("123.5"), 2)


def test_a_webhooks_order_is_an_order_without_lines(folder: Path) -> None:
    sample = loaded(folder / "webhook_order_change_order_status.json")
    order = Order.model_validate(sample["context"])
    assert (order.order_id, order.group_id, order.products) == (67526, 5, None)


def test_a_buyers_phone_is_a_text_or_a_list(folder: Path) -> None:
    texts = loaded(folder / "spec_examples" / "buyer_list.json")["data"][0]
    order = {"id": 1, "grand_total": "0.00", "buyer": {**texts, "phone": "+380000000001", "email": None}}
    buyer = Order.model_validate(order).buyer
    assert buyer
    assert (buyer.phone, buyer.email) == (("+380000000001",), ())


def test_a_list_ends_on_its_end_marker_and_not_on_a_short_page(api: responses.RequestsMock, crm: KeyCrm) -> None:
    def page(number: int, following: int | None) -> dict[str, Any]:
        address = None if following is None else f"{BASE_URL}/users?page={following}"
        return {"total": 3, "current_page": number, "data": [{"id": number}], "next_page_url": address}

    for number, following in ((1, 2), (2, 3), (3, None)):
        api.get(f"{BASE_URL}/users", json=page(number, following))
    walked = list(crm.users())
    assert [page.last for page in walked] == [False, False, True]
    assert [row.user_id for page in walked for row in page.rows] == [1, 2, 3]


def test_a_page_that_leads_to_itself_is_no_list(api: responses.RequestsMock, crm: KeyCrm) -> None:
    again = {"total": 9, "data": [{"id": 1}], "next_page_url": f"{BASE_URL}/users?page=2"}
    api.get(f"{BASE_URL}/users", json=again)
    api.get(f"{BASE_URL}/users", json=again)
    walk = crm.users()
    next(walk)
    with pytest.raises(RepeatedCursor):
        next(walk)


def test_an_answer_that_is_not_a_page_is_malformed(api: responses.RequestsMock, crm: KeyCrm) -> None:
    api.get(f"{BASE_URL}/users", json={"data": []})
    with pytest.raises(Malformed):
        next(crm.users())


def test_an_order_that_is_not_there_is_none(api: responses.RequestsMock, crm: KeyCrm) -> None:
    api.get(f"{BASE_URL}/order/7", json={"message": "Not found"}, status=404)
    assert crm.order(7) is None


@pytest.mark.parametrize("wrap", [lambda order: order, lambda order: {"data": order}])
def test_one_order_comes_bare_or_wrapped(
    api: responses.RequestsMock, crm: KeyCrm, wrap: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    api.get(f"{BASE_URL}/order/7", json=wrap({"id": 7, "grand_total": "12.50"}))
    order = crm.order(7)
    assert order
    assert order.grand_total == Decimal("12.50")


def test_a_key_that_is_not_taken_is_wrong_credentials(api: responses.RequestsMock, crm: KeyCrm) -> None:
    api.get(f"{BASE_URL}/users", json={"message": "Unauthenticated."}, status=401)
    with pytest.raises(WrongCredentials):
        next(crm.users())


def test_it_waits_as_long_as_it_is_told_when_it_was_too_fast(api: responses.RequestsMock, crm: KeyCrm) -> None:
    api.get(f"{BASE_URL}/users", json={"message": "Too Many Attempts."}, status=429, headers={"Retry-After": "1"})
    api.get(f"{BASE_URL}/users", json={"total": 0, "data": [], "next_page_url": None})
    assert next(crm.users()).last


def test_nothing_that_writes_can_be_reached() -> None:
    """The key opens everything: the client must not."""
    crm = KeyCrm(api_key=KEY, redis=None)
    assert not [name for name in dir(crm) if "write" in name or "http" in name or "session" in name]


def test_moments_of_a_filter_are_in_utc(api: responses.RequestsMock, crm: KeyCrm) -> None:
    api.get(f"{BASE_URL}/order", json={"total": 0, "data": [], "next_page_url": None})
    kyiv = datetime.fromisoformat("2026-05-10T00:00:00+03:00")
    next(crm.orders(created=(kyiv, UNTIL)))
    asked = parse_qs(urlsplit(api.calls[0].request.url or "").query)
    assert asked["filter[created_between]"] == ["2026-05-09 21:00:00, 2026-05-15 00:00:00"]


def test_moments_without_a_zone_are_refused(crm: KeyCrm) -> None:
    with pytest.raises(ValueError, match="aware"):
        crm.orders(created=(datetime(2026, 5, 10), UNTIL))  # noqa: DTZ001
