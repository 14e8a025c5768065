"""The OZON stand-in's answers are those of OZON's own specification: every field is declared there, with its type.

The specification of June 2026 is OZON's text; the surface of August 2026 lists newer methods and fields without prose.
What OZON announced later is named in `ADDED`. `null` is allowed everywhere, as in captured answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.marketplaces.standins.seller import ANNA, FBO, FBS, IMPORT, PRICES, PRODUCTS, Seller, open_shops

pytestmark = pytest.mark.flow

ADDED = {"total_items", "sku", "auto_add_to_ozon_actions_list_enabled"}  # announced July to September 2026
EXAMPLES = "seller_spec_examples"


@pytest.fixture(scope="module")
def anna() -> Iterator[Seller]:
    with open_shops(ANNA) as (seller,):
        yield seller


@pytest.fixture(scope="module")
def specification(samples: Path) -> dict[str, Any]:
    return json.loads((samples / "specs/seller_openapi_2026-06-22_en.json").read_text())


@pytest.fixture(scope="module")
def surface(samples: Path) -> dict[str, Any]:
    return json.loads((samples / "specs/seller_surface_manifest_2026-08-21.json").read_text())["schemas"]


def requests_of(seller: Seller) -> dict[str, dict[str, Any]]:
    """One request per method, each with an answer that has rows."""
    ids = [str(one) for one in seller.world.catalog.product_id]
    extra = {"with": {"analytics_data": True, "financial_data": True, "legal_info": True}}
    return {
        PRODUCTS: {"filter": {"visibility": "ALL"}, "limit": 1000},
        "/v3/product/info/list": {"product_id": ids},
        "/v4/product/info/attributes": {"filter": {"product_id": ids}, "limit": 1000},
        "/v1/description-category/tree": {"language": "RU"},
        PRICES: {"filter": {"visibility": "ALL"}, "limit": 1000},
        "/v1/product/action/timer/status": {"product_ids": ids},
        "/v4/product/info/stocks": {"filter": {"visibility": "ALL"}, "limit": 1000},
        "/v2/warehouse/list": {"limit": 200},
        FBO: {"filter": seller.period(), "limit": 100, **extra},
        FBS: {"filter": seller.period(), "limit": 100, **extra},
        "/v1/analytics/data": {
            "date_from": "2026-02-25",
            "date_to": "2026-03-01",
            "metrics": ["revenue", "ordered_units"],
            "dimension": ["sku", "day"],
            "limit": 1000,
        },
        "/v1/finance/accrual/by-day": {"date": "2026-02-23", "last_id": ""},
        "/v1/finance/accrual/types": {},
        "/v1/returns/list": {"limit": 500},
        "/v1/analytics/stocks": {"skus": [str(one) for one in seller.world.catalog.sku]},
        "/v1/roles": {},
        "/v1/seller/info": {},
        IMPORT: {"prices": [{"offer_id": seller.world.catalog.offer_id[0], "price": "7"}, {"offer_id": "-"}]},
    }


METHODS = (
    *(PRODUCTS, "/v3/product/info/list", "/v4/product/info/attributes", "/v1/description-category/tree", PRICES),
    *(
        *("/v1/product/action/timer/status", "/v1/finance/accrual/by-day", "/v1/finance/accrual/types"),
        *("/v1/returns/list", "/v1/analytics/stocks"),
        "/v4/product/info/stocks",
        "/v2/warehouse/list",
        FBO,
        FBS,
        "/v1/analytics/data",
        "/v1/roles",
        "/v1/seller/info",
    ),
    IMPORT,
)


def nullable(schema: Any) -> Any:
    """The same schema with null allowed everywhere."""
    if isinstance(schema, list):
        return [nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    loose = {key: nullable(value) for key, value in schema.items() if key not in {"example", "description", "pattern"}}
    if isinstance(loose.get("type"), str):
        loose["type"] = [loose["type"].partition(" ")[0], "null"]  # "array of strings" is an array
    if isinstance(loose.get("enum"), list):
        loose["enum"] = [*loose["enum"], None]
    return loose


def undeclared(value: Any, schema: dict[str, Any], components: dict[str, Any], where: str) -> Iterator[str]:
    """Paths of fields that the answer has and the specification does not know."""
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for one in value:
            yield from undeclared(one, schema.get("items", {}), components, f"{where}[]")
    if isinstance(value, dict):
        declared = schema.get("properties", {})
        for name, inner in value.items():
            if name in declared:
                yield from undeclared(inner, declared[name], components, f"{where}.{name}")
            elif name not in ADDED:
                yield f"{where}.{name}"


@pytest.mark.parametrize("path", METHODS)
def test_an_answer_is_what_the_specification_declares(anna: Seller, specification: dict[str, Any], path: str) -> None:
    answer = anna.ask(path, **requests_of(anna)[path])
    declared = specification["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    components = specification["components"]["schemas"]
    assert sorted(set(undeclared(answer, declared, components, ""))) == []
    schema = nullable({**declared, "components": specification["components"]})
    jsonschema.Draft202012Validator(schema).validate(answer)


@pytest.mark.parametrize("path", METHODS)
def test_an_answer_has_rows_to_be_checked(anna: Seller, path: str) -> None:
    anna.account.analytics_calls.clear()
    answer = anna.ask(path, **requests_of(anna)[path])
    box = answer["result"] if isinstance(answer.get("result"), dict) else answer
    lists = [value for value in box.values() if isinstance(value, list)]
    assert any(lists) or path == "/v1/seller/info"


def test_promotions_are_what_the_specification_declares(anna: Seller, specification: dict[str, Any]) -> None:
    answer = anna.get("/v1/actions").json()
    declared = specification["paths"]["/v1/actions"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    components = specification["components"]["schemas"]
    assert answer["result"]
    assert sorted(set(undeclared(answer, declared, components, ""))) == []
    schema = nullable({**declared, "components": specification["components"]})
    jsonschema.Draft202012Validator(schema).validate(answer)


def test_products_of_a_promotion_are_what_the_newest_specification_declares(anna: Seller, samples: Path) -> None:
    text = (samples / "spec_excerpts_2026-10/actions_v2.schema.json").read_text()
    declared = json.loads(text)["POST /v2/actions/products"]["response"]["properties"]
    joined = [row for row in anna.client.promotions().rows if row.is_participating]

    answer = anna.ask("/v2/actions/products", action_id=joined[0].promotion_id, limit=100)

    assert answer["products"]
    assert answer.keys() == declared.keys()
    for row in answer["products"]:
        assert row.keys() <= declared["products"]["items"]["properties"].keys()


def test_an_unknown_promotion_is_worded_as_captured(anna: Seller, samples: Path) -> None:
    captured = json.loads((samples / "errors/seller_404_resource_not_found.json").read_text())
    answer = anna.post("/v2/actions/products", action_id=7, limit=100)
    assert (answer.status_code, answer.json()["message"]) == (captured["http_status"], captured["body"]["message"])


def test_fbo_stock_is_what_the_newer_surface_declares(anna: Seller, surface: dict[str, Any]) -> None:
    answer = anna.ask("/v1/product/info/stocks-by-warehouse/fbo", limit=1000)
    name = "product.v1.GetProductInfoStocksByWarehouseFboResponse"
    assert set(answer) == set(surface[name]["fields"])
    for row in answer["products"]:
        assert set(row) == set(surface[f"{name}.Product"]["fields"])
        assert all(isinstance(row[field], int) for field in row if field != "offer_id")


def test_every_posting_status_and_substatus_is_a_declared_one(anna: Seller, specification: dict[str, Any]) -> None:
    described = {
        FBO: specification["components"]["schemas"]["posting.v3.PostingFboListResponse"]["properties"]["postings"],
        FBS: specification["components"]["schemas"]["posting.v4.PostingFbsListResponse"]["properties"]["postings"],
    }
    for path, schema in described.items():
        row = specification["components"]["schemas"][schema["items"]["$ref"].rpartition("/")[2]]["properties"]
        cursor = ""
        while True:
            page = anna.ask(path, filter=anna.period(), limit=100, cursor=cursor)
            for posting in page["postings"]:
                assert f"`{posting['substatus']}`" in row["substatus"]["description"]
                known = row["status"]["description"]
                assert posting["status"] in known or posting["status"] == "delivered"  # absent from the FBS text
            cursor = page["cursor"]
            if not page["has_next"]:
                break


@pytest.mark.parametrize(
    ("path", "example"),
    [
        (FBO, "v3_posting_fbo_list.post.request.en2026-06.json"),
        (PRODUCTS, "v3_product_list.post.request.en2026-06.json"),
        (PRICES, "v5_product_info_prices.post.request.en2026-06.json"),
        ("/v4/product/info/stocks", "v4_product_info_stocks.post.request.en2026-06.json"),
        ("/v1/returns/list", "v1_returns_list.post.request.en2026-06.json"),
        (IMPORT, "v1_product_import_prices.post.request.en2026-06.json"),
        (FBS, "v4_posting_fbs_list.post.request.en2026-06.json"),
    ],
)
def test_the_specifications_own_requests_are_understood(anna: Seller, samples: Path, path: str, example: str) -> None:
    request = json.loads((samples / EXAMPLES / example).read_text())
    assert anna.post(path, **request).status_code == 200


@pytest.mark.parametrize(
    ("name", "path", "headers"),
    [
        ("seller_401_no_headers.json", "/v1/roles", {}),
        ("seller_400_obsolete_method.json", "/v3/finance/transaction/list", None),
        ("seller_404_resource_not_found.json", "/v1/actions/nonsense", None),
    ],
)
def test_errors_are_worded_as_captured(
    anna: Seller, samples: Path, name: str, path: str, headers: dict[str, str] | None
) -> None:
    captured = json.loads((samples / "errors" / name).read_text())
    answer = anna.post(path) if headers is None else anna.stranger(path)
    assert answer.status_code == captured["http_status"]
    assert {**captured["body"], "details": []} == answer.json()


def test_the_item_limit_is_worded_as_captured(anna: Seller, samples: Path) -> None:
    captured = json.loads((samples / "errors/seller_import_prices_item_limit.json").read_text())["result"][0]
    price = f"{anna.world.price[1] / 100:.0f}"
    answers = [anna.set_price(1, price) for _ in range(11)]
    assert answers[-1].updated is captured["updated"]
    assert answers[-1].errors[0].message == captured["errors"][0]["message"]
