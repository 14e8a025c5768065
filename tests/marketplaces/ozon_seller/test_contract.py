"""Samples of the OZON Seller API: captured answers parse exactly, examples of its specification tolerantly, and every
request of ours is one that the specification allows, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import responses
from pydantic import BaseModel

from apps.marketplaces.ozon_seller import price_import, schemas
from apps.marketplaces.ozon_seller.accruals import Part
from apps.marketplaces.ozon_seller.client import BASE_URL, OzonSeller
from apps.marketplaces.ozon_seller.promotions import PromotionProduct
from apps.marketplaces.paging import Page
from tests.marketplaces.ozon_seller.cases import rouble_price

Sample = Callable[[str], Any]
Answer = Callable[..., None]

SINCE, TO = datetime(2026, 5, 10, tzinfo=UTC), datetime(2026, 5, 15, tzinfo=UTC)
LIVE_PRICES = {
    "seller_live/v5_product_info_prices.openintegrations_2025-10.items1-2-3-8.json": 4,
    "seller_live/v5_product_info_prices.item_2025-12.index62523382044.json": 1,
    "seller_live/v5_product_info_prices.item_far_future_date.index34110114076.json": 1,
}


def only_page(walk: Iterator[Page[Any]]) -> Page[Any]:
    (page,) = walk
    return page


def assert_same(parsed: Any, raw: Any, where: str) -> None:
    """Every field that the row has says what the sample says; what the sample leaves out or unset is None or empty."""
    if isinstance(parsed, BaseModel):
        for name, field in type(parsed).model_fields.items():
            assert_same(getattr(parsed, name), raw.get(field.alias or name), f"{where}.{name}")
    elif isinstance(parsed, tuple):
        assert len(parsed) == len(raw or []), where
        for index, item in enumerate(parsed):
            assert_same(item, raw[index], f"{where}[{index}]")
    elif isinstance(parsed, Decimal):
        assert str(parsed) == str(raw), where
    elif isinstance(parsed, datetime):
        assert parsed == datetime.fromisoformat(raw), where
    elif parsed is None or parsed == "":
        assert raw in {None, "", 0}, where
    else:
        assert parsed == raw, where


class TestCapturedAnswers:
    @pytest.mark.parametrize("name", LIVE_PRICES)
    def test_prices_parse_exactly(self, ozon: OzonSeller, answer: Answer, sample: Sample, name: str) -> None:
        items = sample(name)["items"]
        answer("/v5/product/info/prices", json.loads(json.dumps({"items": items, "cursor": ""}, default=float)))

        page = only_page(ozon.prices())

        assert page.bad_rows == ()
        assert len(page.rows) == LIVE_PRICES[name]
        for row, raw in zip(page.rows, items, strict=True):
            assert_same(row, raw, str(raw["product_id"]))

    def test_a_price_with_a_promotion(self, ozon: OzonSeller, no_backoff: None, samples: Path) -> None:
        name = "seller_live/v5_product_info_prices.item_2025-12.index62523382044.json"
        with responses.RequestsMock() as exact:
            exact.post(BASE_URL + "/v5/product/info/prices", body=(samples / name).read_text())
            row = only_page(ozon.prices()).rows[0]

        assert (row.product_id, row.offer_id) == (690217218, "42E581")
        assert (row.price.price, row.price.old_price, row.price.min_price) == (Decimal(420), Decimal(935), Decimal(212))
        assert (row.price.marketing_seller_price, row.price.vat) == (Decimal(336), Decimal("0.22"))
        assert (row.price.net_price, row.price.retail_price) == (None, None)
        assert row.price.currency_code == "RUB"
        assert (row.acquiring, row.volume_weight) == (Decimal("3.36"), Decimal("0.2"))
        assert (row.commissions.sales_percent_fbo, row.commissions.sales_percent_fbs) == (Decimal(38), Decimal(40))
        assert row.commissions.fbo_direct_flow_trans_min_amount == Decimal("56.94")
        assert row.commissions.fbo_direct_flow_trans_max_amount == Decimal("115.93")
        assert row.marketing_actions.actions[0].date_to == datetime(2026, 2, 25, 20, 59, 59, tzinfo=UTC)
        assert row.marketing_actions.current_period_from is None
        assert row.price_indexes.color_index == "WITHOUT_INDEX"
        assert row.price_indexes.ozon_index_data.price_index_value is None

    def test_a_promotion_that_never_ends_and_schemes_that_are_missing(
        self, ozon: OzonSeller, answer: Answer, sample: Sample
    ) -> None:
        body = sample("seller_live/v5_product_info_prices.item_far_future_date.index34110114076.json")
        answer("/v5/product/info/prices", json.loads(json.dumps({**body, "cursor": ""}, default=float)))

        row = only_page(ozon.prices()).rows[0]

        assert row.marketing_actions.actions[0].date_to == datetime(9999, 12, 31, 20, 59, 59, 997000, UTC)
        assert (row.commissions.sales_percent_rfbs, row.commissions.sales_percent_fbp) == (None, None)

    def test_a_page_of_the_product_list(self, ozon: OzonSeller, answer: Answer, sample: Sample) -> None:
        items = sample("seller_live/v3_product_list.page.index62523382044.json")["items"]
        answer("/v3/product/list", {"result": {"items": items, "last_id": "", "total": 2}})

        page = only_page(ozon.products())

        assert [(row.product_id, row.offer_id, row.sku) for row in page.rows] == [
            (690217218, "42E581", None),
            (692706089, "97-536", None),
        ]
        for row, raw in zip(page.rows, items, strict=True):
            assert_same(row, raw, raw["offer_id"])

    def test_a_product_that_failed_validation(self, ozon: OzonSeller, answer: Answer, sample: Sample) -> None:
        body = sample("seller_live/v3_product_info_list.response_failed_item.openintegrations_2025-10.json")
        answer("/v3/product/info/list", json.loads(json.dumps(body, default=float)))

        row = only_page(ozon.product_info([2876547413])).rows[0]

        assert_same(row, body["items"][0], "item")
        assert (row.sku, row.min_price) == (None, None), "0 and an empty string are not values"
        assert (row.price, row.old_price, row.vat) == (Decimal("1300.00"), Decimal("1300.00"), Decimal("0.10"))
        assert (row.statuses.is_created, row.statuses.status_name) == (False, "Не продается")

    def test_promotions_parse_exactly(self, ozon: OzonSeller, api: responses.RequestsMock, sample: Sample) -> None:
        body = sample("seller_live/v1_actions.response.openintegrations_2025-10.json")
        api.get(BASE_URL + "/v1/actions", json=json.loads(json.dumps(body, default=float)))

        page = ozon.promotions()

        assert (page.bad_rows, page.last, len(page.rows)) == ((), True, len(body["result"]))
        for row, raw in zip(page.rows, body["result"], strict=True):
            assert_same(row, raw, str(raw["id"]))
        assert next(row.participating_products_count for row in page.rows if row.is_participating) == 14

    def test_an_accrual_of_a_sale_and_what_its_parts_leave_unexplained(
        self, ozon: OzonSeller, answer: Answer, sample: Sample
    ) -> None:
        answer(
            "/v1/finance/accrual/by-day",
            sample("seller_live/v1_finance_accrual_by-day.test_fixture.index57985744156.json"),
        )

        (accrual,) = only_page(ozon.accruals(date(2026, 8, 23))).rows

        assert (accrual.accrual_id, accrual.day, accrual.unit_number) == (42, date(2026, 8, 23), "posting-for-test")
        assert accrual.parts == (
            Part(1001, "sale", Decimal(100)),
            Part(1001, "commission", Decimal(-10)),
            Part(None, "", Decimal(-5)),
        ), "the sample was cut: its delivery is missing"

    def test_the_answer_to_a_price_that_was_set(self, ozon: OzonSeller, answer: Answer, sample: Sample) -> None:
        answer(price_import.PATH, sample("seller_live/v1_product_import_prices.response.openintegrations.json"))

        (outcome,) = ozon.import_prices([rouble_price(offer_id="143210610")])

        assert (outcome.updated, outcome.errors) == (True, ())


SPEC_LISTS: dict[str, tuple[str, Callable[[OzonSeller], Iterator[Page[Any]]], int]] = {
    "v3_product_list": ("/v3/product/list", lambda ozon: ozon.products(), 1),
    "v3_product_info_list": ("/v3/product/info/list", lambda ozon: ozon.product_info([1]), 1),
    "v4_product_info_attributes": ("/v4/product/info/attributes", lambda ozon: ozon.attributes([1]), 1),
    "v5_product_info_prices": ("/v5/product/info/prices", lambda ozon: ozon.prices(), 2),
    "v4_product_info_stocks": ("/v4/product/info/stocks", lambda ozon: ozon.stocks(), 2),
    "v3_posting_fbo_list": ("/v3/posting/fbo/list", lambda ozon: ozon.fbo_postings(since=SINCE, to=TO), 1),
    "v4_posting_fbs_list": ("/v4/posting/fbs/list", lambda ozon: ozon.fbs_postings(since=SINCE, to=TO), 1),
    "v1_returns_list": ("/v1/returns/list", lambda ozon: ozon.returns(changed_since=SINCE, changed_to=TO), 1),
    "v2_warehouse_list": ("/v2/warehouse/list", lambda ozon: ozon.warehouses(), 1),
}


class TestExamplesOfTheSpecification:
    @pytest.mark.parametrize("name", SPEC_LISTS)
    def test_a_list_has_its_rows_and_no_bad_ones(
        self, ozon: OzonSeller, answer: Answer, sample: Sample, name: str
    ) -> None:
        path, call, rows = SPEC_LISTS[name]
        body = sample(f"seller_spec_examples/{name}.post.response.en2026-06.json")
        answer(path, json.loads(json.dumps(body, default=float)))

        page = next(call(ozon))

        assert (len(page.rows), page.bad_rows) == (rows, ())

    def test_the_brand_of_the_example(self, ozon: OzonSeller, answer: Answer, sample: Sample) -> None:
        answer(
            "/v4/product/info/attributes",
            sample("seller_spec_examples/v4_product_info_attributes.post.response.en2026-06.json"),
        )

        assert next(ozon.attributes([213761435])).rows[0].brand == "Brand"

    def test_the_buyer_of_the_example_is_dropped(self, ozon: OzonSeller, answer: Answer, sample: Sample) -> None:
        body = sample("seller_spec_examples/v4_posting_fbs_list.post.response.en2026-06.json")
        answer("/v4/posting/fbs/list", json.loads(json.dumps(body, default=float)))

        kept = only_page(ozon.fbs_postings(since=SINCE, to=TO)).rows[0].model_dump_json()

        buyer = body["postings"][0]["customer"]
        assert not any(value in kept for value in (buyer["name"], buyer["phone"], buyer["customer_email"]))

    def test_the_other_answers(self, ozon: OzonSeller, answer: Answer, sample: Sample) -> None:
        for path in ("/v1/roles", "/v1/seller/info", "/v1/analytics/data", "/v1/product/import/prices"):
            answer(path, sample(f"seller_spec_examples/{path[1:].replace('/', '_')}.post.response.en2026-06.json"))
        name = "seller_spec_examples/v1_description-category_tree.post.response.en2026-06.json"
        answer("/v1/description-category/tree", sample(name))

        assert ozon.roles().expires_at == datetime(2026, 2, 18, 9, 54, 23, 296000, UTC)
        assert ozon.seller_info().company.currency == "RUB"
        assert only_page(analytics(ozon)).rows == ()
        assert ozon.import_prices([rouble_price(offer_id="PH8865")])[0].updated is True
        assert ozon.category_tree().categories == (), "the example has only zeros for ids"

    def test_a_promotion_of_the_example(self, ozon: OzonSeller, api: responses.RequestsMock, sample: Sample) -> None:
        body = sample("seller_spec_examples/v1_actions.get.response.en2026-06.json")
        api.get(BASE_URL + "/v1/actions", json=json.loads(json.dumps(body, default=float)))

        page = ozon.promotions()

        assert (len(page.rows), page.bad_rows) == (1, ())
        assert_same(page.rows[0], body["result"][0], "promotion")

    def test_the_tail_of_the_newest_example(self, ozon: OzonSeller, answer: Answer, sample: Sample) -> None:
        body = sample("spec_excerpts_2026-10/v5_prices_example_tail.json")
        answer("/v5/product/info/prices", json.loads(json.dumps(body, default=float)))

        page = only_page(ozon.prices())

        assert (page.announced, page.last) == (2, True)
        assert page.rows[0].price.price == Decimal("5999.99")


class TestHostileSamples:
    def test_prices_of_another_shape_are_reported_and_not_taken(
        self, ozon: OzonSeller, answer: Answer, sample: Sample
    ) -> None:
        body = sample("seller_synthetic_pcdck/prices_response.json")
        answer("/v5/product/info/prices", json.loads(json.dumps(body, default=float)))

        page = only_page(ozon.prices())

        assert page.rows == ()
        assert [bad.id for bad in page.bad_rows] == ["99000001", "99000002"]
        assert all("sales_percent_fbo" in bad.reason for bad in page.bad_rows)

    def test_unknown_keys_everywhere_do_no_harm(self, sample: Sample) -> None:
        name = "seller_synthetic_irenicaa/product_info_attributes_GetProductAttributesResponseResultWrapper_full.json"
        raw_rows = sample(name)["result"]

        assert [schemas.ProductAttributes.model_validate(raw).product_id for raw in raw_rows] == [
            raw["id"] for raw in raw_rows
        ]


def analytics(ozon: OzonSeller) -> Iterator[Page[Any]]:
    return ozon.analytics_data(
        first=date(2026, 9, 1), last=date(2026, 9, 3), metrics=("revenue", "ordered_units"), dimensions=("sku", "day")
    )


def every_price(ozon: OzonSeller) -> None:
    items = [
        rouble_price(old_price=Decimal(2000), min_price=Decimal(1000)),
        rouble_price(offer_id=None, product_id=1386),
    ]
    ozon.import_prices(items)


REQUESTS: dict[str, Callable[[OzonSeller], Any]] = {
    "/v3/product/list": lambda ozon: next(ozon.products(visibility="ARCHIVED")),
    "/v3/product/info/list": lambda ozon: next(ozon.product_info([1, 2])),
    "/v4/product/info/attributes": lambda ozon: next(ozon.attributes([1, 2])),
    "/v1/description-category/tree": lambda ozon: ozon.category_tree(),
    "/v5/product/info/prices": lambda ozon: next(ozon.prices(product_ids=[1], offer_ids=["A-1"])),
    "/v1/product/action/timer/status": lambda ozon: next(ozon.price_timers([1, 2])),
    "/v1/product/action/timer/update": lambda ozon: ozon.renew_price_timers([1, 2]),
    "/v4/product/info/stocks": lambda ozon: next(ozon.stocks()),
    "/v2/warehouse/list": lambda ozon: next(ozon.warehouses()),
    "/v3/posting/fbo/list": lambda ozon: next(ozon.fbo_postings(since=SINCE, to=TO)),
    "/v4/posting/fbs/list": lambda ozon: next(
        ozon.fbs_postings(since=SINCE, to=TO, changed_since=SINCE, changed_to=TO)
    ),
    "/v1/analytics/stocks": lambda ozon: next(ozon.cluster_stocks([1, 2])),
    "/v1/returns/list": lambda ozon: next(ozon.returns(changed_since=SINCE, changed_to=TO)),
    "/v1/finance/accrual/by-day": lambda ozon: next(ozon.accruals(date(2026, 9, 1))),
    "/v1/analytics/data": lambda ozon: next(analytics(ozon)),
    "/v1/product/import/prices": every_price,
}
EMPTY: dict[str, Any] = {
    name: []
    for name in ("accruals", "accrual_types", "statuses", "items", "postings", "warehouses", "products", "returns")
}


def request_of(ozon: OzonSeller, call: Callable[[OzonSeller], Any], path: str) -> Any:
    wrapped: dict[str, Any] = {"/v3/product/list": {"items": []}, "/v1/analytics/data": {"data": []}}
    with responses.RequestsMock() as mock:
        mock.post(BASE_URL + path, json={**EMPTY, "result": wrapped.get(path, [])})
        call(ozon)
        return json.loads(mock.calls[0].request.body or "")


def strict_schema(spec: dict[str, Any], schema: Any) -> Any:
    """The JSON schema with references resolved and nothing allowed beyond what it names.

    Left out are the patterns and the `required: true` of single fields, which are not JSON schema.
    """
    if isinstance(schema, list):
        return [strict_schema(spec, one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return strict_schema(spec, spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    strict = {name: strict_schema(spec, one) for name, one in schema.items() if name != "pattern"}
    if strict.get("required") is True:
        del strict["required"]
    if isinstance(strict.get("properties"), dict):
        strict["additionalProperties"] = False
    return strict


@pytest.fixture(scope="session")
def specification(sample: Sample) -> dict[str, Any]:
    return sample("specs/seller_openapi_2026-06-22_en.json")


@pytest.mark.parametrize("path", REQUESTS)
def test_a_request_is_one_that_the_specification_allows(
    ozon: OzonSeller, no_backoff: None, specification: dict[str, Any], path: str
) -> None:
    content = specification["paths"][path]["post"]["requestBody"]["content"]
    schema = strict_schema(specification, content["application/json"]["schema"])

    request = request_of(ozon, REQUESTS[path], path)

    jsonschema.validate(request, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**request, "offset_of_old": 1}, schema)


def test_a_price_import_is_one_that_the_newest_specification_allows(
    ozon: OzonSeller, no_backoff: None, sample: Sample
) -> None:
    excerpt = sample("spec_excerpts_2026-10/import_prices.schema.json")
    schema = strict_schema({}, excerpt["productImportProductsPricesRequestPrice"])

    request = request_of(ozon, every_price, "/v1/product/import/prices")

    deprecated = {name for name, field in schema["properties"].items() if field.get("deprecated")}
    for item in request["prices"]:
        jsonschema.validate(item, schema)
        assert not deprecated & item.keys()
        assert "price_strategy_enabled" not in item


def test_the_products_of_a_promotion_are_asked_for_and_read_as_the_newest_specification_says(
    ozon: OzonSeller, no_backoff: None, sample: Sample
) -> None:
    method = sample("spec_excerpts_2026-10/actions_v2.schema.json")["POST /v2/actions/products"]

    request = request_of(ozon, lambda ozon: next(ozon.promotion_products(1977747)), "/v2/actions/products")

    jsonschema.validate(request, strict_schema({}, method["request"]))
    declared = method["response"]["properties"]["products"]["items"]["properties"]
    read = {field.alias or name for name, field in PromotionProduct.model_fields.items()}
    assert read - declared.keys() == {"currency"}, "that of the amounts"


def test_the_newest_list_of_fbo_postings_knows_every_field_we_send(
    ozon: OzonSeller, no_backoff: None, sample: Sample
) -> None:
    excerpt = sample("spec_excerpts_2026-10/posting_fbo_list_v3_request.schema.json")

    request = request_of(ozon, REQUESTS["/v3/posting/fbo/list"], "/v3/posting/fbo/list")

    jsonschema.validate(request, strict_schema({}, excerpt["posting.v3.PostingFboListRequest"]))


def test_fbo_stock_sends_and_reads_the_fields_of_the_surface_manifest(
    ozon: OzonSeller, no_backoff: None, sample: Sample
) -> None:
    path = "/v1/product/info/stocks-by-warehouse/fbo"
    manifest = sample("specs/seller_surface_manifest_2026-08-21.json")
    name = "product.v1.GetProductInfoStocksByWarehouseFbo"

    request = request_of(ozon, lambda ozon: next(ozon.fbo_stocks(skus=[7])), path)

    assert manifest["paths"][path] == "post"
    assert request.keys() <= manifest["schemas"][f"{name}Request"]["fields"].keys()
    assert schemas.FboStock.model_fields.keys() <= manifest["schemas"][f"{name}Response.Product"]["fields"].keys()
