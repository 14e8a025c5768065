"""The client's methods: what they send, how their pages end, and what they make of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import responses

from apps.marketplaces.errors import Malformed, RepeatedCursor
from apps.marketplaces.ozon_seller.client import BASE_URL, OzonSeller
from apps.marketplaces.paging import Page
from tests.marketplaces.ozon_seller.cases import posting, price, product, product_ref, rouble_price

SINCE = datetime(2026, 5, 10, 12, 0, tzinfo=timezone(timedelta(hours=3)))
TO = datetime(2026, 5, 12, tzinfo=UTC)
Answer = Callable[..., None]
Sent = Callable[[], list[Any]]


def rows(walk: Iterator[Page[Any]]) -> list[Any]:
    return [row for page in walk for row in page.rows]


class TestTheKey:
    @pytest.mark.parametrize("client_id", ["", "0", "-5", "abc", "12.5", "12\n", "١٢"])
    def test_a_client_id_is_a_positive_number(self, client_id: str) -> None:
        with pytest.raises(ValueError, match="client_id must be a positive whole number"):
            OzonSeller(client_id=client_id, api_key="key", redis=None)

    @pytest.mark.parametrize("api_key", ["", "with space", "line\nbreak", "ключ-анны"])
    def test_a_key_fits_into_a_header_and_is_not_repeated_in_the_error(self, api_key: str) -> None:
        with pytest.raises(ValueError, match="api_key must be printable ASCII") as caught:
            OzonSeller(client_id="1", api_key=api_key, redis=None)
        assert not api_key or api_key not in str(caught.value)

    def test_it_goes_in_two_headers_and_nowhere_else(
        self, ozon: OzonSeller, api: responses.RequestsMock, answer: Answer
    ) -> None:
        answer("/v1/roles", {"expires_at": "2026-12-01T00:00:00Z", "roles": []})

        ozon.roles()

        request = api.calls[0].request
        assert request.headers["Client-Id"] == "100500"
        assert request.headers["Api-Key"] == "key-of-anna-0001"
        assert request.headers["Content-Type"] == "application/json"
        assert "key-of-anna-0001" not in repr(ozon)

    def test_a_shop_cannot_be_reached_without_encryption(self) -> None:
        with pytest.raises(ValueError, match="base_url must be https"):
            OzonSeller(client_id="1", api_key="key", redis=None, base_url="http://api-seller.ozon.ru")


class TestProducts:
    def test_it_pages_by_last_id_until_a_page_is_empty(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer(
            "/v3/product/list",
            {"result": {"items": [product_ref(1), product_ref(2)], "last_id": "b", "total_items": 3, "total": 3}},
            {"result": {"items": [product_ref(3)], "last_id": "c", "total_items": 3}},
            {"result": {"items": [], "last_id": "", "total_items": 3}},
        )

        pages = list(ozon.products())

        assert [row.product_id for page in pages for row in page.rows] == [1, 2, 3]
        assert [(page.cursor, page.last, page.announced) for page in pages] == [
            ("b", False, 3),
            ("c", False, 3),
            ("", True, 3),
        ]
        assert [body["last_id"] for body in sent()] == ["", "b", "c", "c"]
        assert sent()[0] == {"filter": {"visibility": "ALL"}, "last_id": "", "limit": 1000}

    def test_no_cursor_is_the_end_too(self, ozon: OzonSeller, answer: Answer) -> None:
        answer("/v3/product/list", {"result": {"items": [product_ref(1)], "last_id": "", "total": "1"}})

        (page,) = ozon.products(visibility="ARCHIVED")

        assert (page.last, page.announced) == (True, 1)

    def test_it_resumes(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v3/product/list", {"result": {"items": [], "last_id": ""}})

        list(ozon.products(cursor="b"))

        assert sent()[0]["last_id"] == "b"

    def test_a_repeated_cursor_is_an_error(self, ozon: OzonSeller, answer: Answer) -> None:
        answer("/v3/product/list", *[{"result": {"items": [product_ref(1)], "last_id": "b"}}] * 2)

        with pytest.raises(RepeatedCursor, match="/v3/product/list"):
            list(ozon.products())

    @pytest.mark.parametrize("body", [{}, {"result": []}, {"result": {"items": None}}, {"result": {"last_id": ""}}])
    def test_an_answer_of_another_shape_is_malformed(self, ozon: OzonSeller, answer: Answer, body: Any) -> None:
        answer("/v3/product/list", body)

        with pytest.raises(Malformed, match="/v3/product/list: HTTP 200: the answer has no"):
            list(ozon.products())

    def test_a_bad_row_loses_nobody_else(self, ozon: OzonSeller, answer: Answer) -> None:
        broken = {"product_id": "abc", "offer_id": "A-2"}
        answer("/v3/product/list", {"result": {"items": [product_ref(1), broken, product_ref(3)], "last_id": ""}})

        (page,) = ozon.products()

        assert [row.product_id for row in page.rows] == [1, 3]
        assert [(bad.index, bad.id) for bad in page.bad_rows] == [(1, "abc")]
        assert page.bad_rows[0].reason.startswith("product_id: ")
        assert page.received == 3

    def test_info_is_asked_by_the_thousand(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v3/product/info/list", {"items": [product(1), product(2)]}, {"items": [product(1001)]})

        pages = list(ozon.product_info(range(1, 1502)))

        assert [(len(page.rows), page.announced, page.last) for page in pages] == [(2, 1000, False), (1, 501, True)]
        assert sent()[1]["product_id"][:2] == ["1001", "1002"]
        assert list(sent()[0]) == ["product_id"]

    def test_no_ids_need_no_call(self, ozon: OzonSeller, api: responses.RequestsMock) -> None:
        assert list(ozon.product_info([])) == []
        assert list(ozon.attributes([])) == []
        assert len(api.calls) == 0

    def test_the_brand_is_attribute_85(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        brand = {"id": 85, "values": [{"dictionary_value_id": 971034861, "value": "Brand"}]}
        other = {"id": "9048", "values": [{"value": "Not a brand"}]}
        answer(
            "/v4/product/info/attributes",
            {"result": [product(1, attributes=[other, brand]), product(2, attributes=[other])], "last_id": "x"},
            {
                "result": [product(3, attributes=None), product(4, attributes=[{"id": 85, "values": None}])],
                "last_id": "",
            },
        )

        pages = list(ozon.attributes([1, 2, 3, 4]))

        assert [row.brand for page in pages for row in page.rows] == ["Brand", None, None, None]
        assert [page.last for page in pages] == [False, True]
        assert sent()[1]["last_id"] == "x"

    def test_the_category_tree_becomes_flat(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        leaf = {"type_id": 7, "type_name": "Маска", "disabled": False, "children": []}
        inner = {"description_category_id": 2, "category_name": "Уход", "disabled": True, "children": [leaf]}
        broken = {"description_category_id": 3, "children": [{"type_id": 8, "type_name": "Крем"}]}
        top = {"description_category_id": 1, "category_name": "Красота", "children": [inner, broken]}
        answer("/v1/description-category/tree", {"result": [top, "junk"]})

        tree = ozon.category_tree()

        assert [(one.category_id, one.name, one.parent_id, one.disabled) for one in tree.categories] == [
            (1, "Красота", None, False),
            (2, "Уход", 1, True),
        ]
        assert [(one.type_id, one.name, one.category_id) for one in tree.types] == [(7, "Маска", 2), (8, "Крем", 1)]
        assert next(bad.reason for bad in tree.bad_rows) == "category_name: Field required"
        assert len(tree.bad_rows) == 2
        assert sent() == [{"language": "RU"}]


class TestPrices:
    def test_it_asks_for_everything_by_cursor(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v5/product/info/prices", {"items": [price(1)], "cursor": "n"}, {"items": [], "cursor": ""})

        assert [row.price.price for row in rows(ozon.prices())] == [Decimal(100)]
        assert sent()[1] == {"filter": {"visibility": "ALL"}, "cursor": "n", "limit": 1000}

    def test_it_asks_for_named_products(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v5/product/info/prices", *[{"items": [price(5)], "cursor": ""}] * 2)

        assert rows(ozon.prices(product_ids=[5]))
        assert rows(ozon.prices(offer_ids=["A-5"]))
        assert [body["filter"] for body in sent()] == [
            {"visibility": "ALL", "product_id": ["5"]},
            {"visibility": "ALL", "offer_id": ["A-5"]},
        ]

    def test_at_most_a_thousand_may_be_named(self, ozon: OzonSeller) -> None:
        with pytest.raises(ValueError, match="product_ids: at most 1000, got 1001"):
            ozon.prices(product_ids=range(1, 1002))
        with pytest.raises(ValueError, match="offer_ids: at most 1000, got 1001"):
            ozon.prices(offer_ids=["A"] * 1001)

    @pytest.mark.parametrize("percent", [Decimal("0.13"), "0.13", -1, 101])
    def test_a_commission_that_is_no_percent_is_a_bad_row(self, ozon: OzonSeller, answer: Answer, percent: Any) -> None:
        items = [{**price(1), "commissions": {"sales_percent_fbo": str(percent)}}, price(2)]
        answer("/v5/product/info/prices", {"items": items, "cursor": ""})

        (page,) = ozon.prices()

        assert [row.product_id for row in page.rows] == [2]
        assert "commissions.sales_percent_fbo" in page.bad_rows[0].reason

    def test_what_the_api_does_not_say_is_unknown(self, ozon: OzonSeller, answer: Answer) -> None:
        answer("/v5/product/info/prices", {"items": [price(1, commissions={"sales_percent_fbo": 30})], "cursor": ""})

        (row,) = rows(ozon.prices())

        assert row.commissions.sales_percent_fbo == 30
        assert row.commissions.sales_percent_rfbs is None
        assert row.commissions.fbo_return_flow_amount is None
        assert row.acquiring is None


class TestStocks:
    def test_fbs_stock(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        stock = {"type": "fbs", "sku": 7, "present": 5, "reserved": 1, "warehouse_ids": ["1020001835658000"]}
        answer("/v4/product/info/stocks", {"items": [product_ref(1, stocks=[stock])], "cursor": "", "total": 1})

        (row,) = rows(ozon.stocks())

        assert (row.stocks[0].type, row.stocks[0].present, row.stocks[0].reserved) == ("fbs", 5, 1)
        assert row.stocks[0].warehouse_ids == (1020001835658000,)
        assert sent() == [{"filter": {"visibility": "ALL"}, "cursor": "", "limit": 1000}]

    def test_fbo_stock_goes_on_while_there_is_more(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        stock = {"sku": 7, "product_id": 1, "offer_id": "A-1", "warehouse_id": 9, "present": 5, "reserved": 0}
        answer(
            "/v1/product/info/stocks-by-warehouse/fbo",
            {"products": [stock], "cursor": "n", "has_next": True},
            {"products": [{**stock, "warehouse_id": 10}], "cursor": "m", "has_next": False},
        )

        assert [row.warehouse_id for row in rows(ozon.fbo_stocks(skus=[7]))] == [9, 10]
        assert sent()[1] == {"skus": ["7"], "cursor": "n", "limit": 1000}

    def test_all_fbo_stock_needs_no_list_of_skus(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v1/product/info/stocks-by-warehouse/fbo", {"products": [], "cursor": "", "has_next": False})

        assert rows(ozon.fbo_stocks()) == []
        assert sent() == [{"cursor": "", "limit": 1000}] * 2, "that there is nothing is asked twice"

    def test_the_sellers_own_warehouses(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        warehouse = {"warehouse_id": 17, "name": "Софьино", "status": "created", "is_rfbs": False, "phone": "+7"}
        answer("/v2/warehouse/list", {"warehouses": [warehouse], "cursor": "", "has_next": False})

        (row,) = rows(ozon.warehouses())

        assert (row.warehouse_id, row.name, row.status, row.is_rfbs) == (17, "Софьино", "created", False)
        assert sent() == [{"cursor": "", "limit": 200}]


class TestPostings:
    def test_fbo_postings_are_asked_in_utc(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v3/posting/fbo/list", {"postings": [posting()], "cursor": "", "has_next": False})

        (row,) = rows(ozon.fbo_postings(since=SINCE, to=TO))

        assert row.products[0].price.amount == Decimal("85.00")
        assert sent()[0]["filter"] == {"since": "2026-05-10T09:00:00.000Z", "to": "2026-05-12T00:00:00.000Z"}
        assert sent()[0]["with"] == {"analytics_data": True, "financial_data": True, "legal_info": False}
        assert (sent()[0]["limit"], sent()[0]["cursor"], sent()[0]["sort_dir"]) == (100, "", "ASC")

    def test_more_with_an_empty_page_is_the_end(self, ozon: OzonSeller, answer: Answer) -> None:
        answer(
            "/v3/posting/fbo/list",
            {"postings": [posting()], "cursor": "n", "has_next": True},
            {"postings": [], "cursor": "m", "has_next": True},
        )

        assert [page.last for page in ozon.fbo_postings(since=SINCE, to=TO)] == [False, True]

    def test_more_without_a_cursor_is_an_error_rather_than_the_end(self, ozon: OzonSeller, answer: Answer) -> None:
        answer("/v3/posting/fbo/list", {"postings": [posting()], "cursor": "", "has_next": True})

        with pytest.raises(RepeatedCursor):
            list(ozon.fbo_postings(since=SINCE, to=TO))

    def test_a_has_next_that_is_no_truth_value_leaves_it_to_the_cursor(self, ozon: OzonSeller, answer: Answer) -> None:
        answer("/v3/posting/fbo/list", {"postings": [posting()], "cursor": "", "has_next": "string"})

        assert [page.last for page in ozon.fbo_postings(since=SINCE, to=TO)] == [True]

    def test_fbs_postings_can_be_those_that_changed(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v4/posting/fbs/list", *[{"postings": [posting()], "cursor": "", "has_next": False}] * 2)

        assert rows(ozon.fbs_postings(since=SINCE, to=TO))
        assert rows(ozon.fbs_postings(since=SINCE, to=TO, changed_since=SINCE, changed_to=TO))
        plain, changed = sent()
        assert "last_changed_status_date" not in plain["filter"]
        assert changed["filter"]["last_changed_status_date"] == {
            "from": "2026-05-10T09:00:00.000Z",
            "to": "2026-05-12T00:00:00.000Z",
        }
        assert changed["filter"]["since"] == plain["filter"]["since"]

    def test_half_a_period_of_changes_is_refused(self, ozon: OzonSeller) -> None:
        with pytest.raises(ValueError, match="changed_since and changed_to"):
            ozon.fbs_postings(since=SINCE, to=TO, changed_since=SINCE)

    def test_a_moment_without_a_zone_is_refused(self, ozon: OzonSeller) -> None:
        with pytest.raises(ValueError, match="since must be an aware datetime"):
            ozon.fbo_postings(since=datetime(2026, 5, 1), to=TO)  # noqa: DTZ001 - the point of the test

    def test_a_period_that_ends_before_it_starts_is_refused(self, ozon: OzonSeller) -> None:
        with pytest.raises(ValueError, match="since must not be after to"):
            ozon.fbo_postings(since=TO, to=SINCE)

    def test_nothing_about_the_buyer_is_kept(self, ozon: OzonSeller, answer: Answer) -> None:
        personal = posting(
            customer={"name": "Ivan Petrov", "phone": "+79031234567", "customer_email": "i@example.test"},
            addressee={"name": "Ivan Petrov"},
            analytics_data={"city": "Omsk", "warehouse": "Sofino", "warehouse_id": 17023, "delivery_type": "PVZ"},
            cancellation={"cancel_reason": "Ivan did not like it", "cancellation_type": "client"},
        )
        answer("/v4/posting/fbs/list", {"postings": [personal], "cursor": "", "has_next": False})

        (row,) = rows(ozon.fbs_postings(since=SINCE, to=TO))

        kept = row.model_dump_json()
        assert not any(word in kept for word in ("Ivan", "Petrov", "+7903", "example.test", "Omsk"))
        assert row.analytics_data.warehouse_name == "Sofino"
        assert row.cancellation.cancellation_type == "client"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"products": []}, "products"),
            ({"products": [{"sku": 7, "quantity": 0, "price": {"amount": "1"}}]}, "products.0.quantity"),
            ({"products": [{"sku": 0, "quantity": 1, "price": {"amount": "1"}}]}, "products.0.sku"),
            ({"products": [{"sku": 7, "quantity": 1, "price": {"currency": "RUB"}}]}, "products.0.price.amount"),
            ({"status": None}, "status"),
            ({"in_process_at": "soon"}, "in_process_at"),
            ({"order_number": ""}, "order_number"),
        ],
    )
    def test_a_posting_that_is_not_whole_is_a_bad_row(
        self, ozon: OzonSeller, answer: Answer, change: dict[str, Any], field: str
    ) -> None:
        answer("/v3/posting/fbo/list", {"postings": [posting("2-1-1", **change), posting()], "has_next": False})

        (page,) = ozon.fbo_postings(since=SINCE, to=TO)

        assert [row.posting_number for row in page.rows] == ["1-1-1"]
        assert page.bad_rows[0].id == "2-1-1"
        assert page.bad_rows[0].reason.startswith(f"{field}: ")

    def test_null_blocks_are_absent(self, ozon: OzonSeller, answer: Answer) -> None:
        empty = posting(financial_data=None, analytics_data=None, cancellation=None, in_process_at="")
        answer("/v3/posting/fbo/list", {"postings": [empty], "has_next": False})

        (row,) = rows(ozon.fbo_postings(since=SINCE, to=TO))

        assert (row.financial_data, row.analytics_data, row.cancellation, row.in_process_at) == (None,) * 4

    def test_a_line_price_may_be_a_bare_string(self, ozon: OzonSeller, answer: Answer) -> None:
        line = {"sku": "77", "quantity": "1", "price": "7341.0000"}
        answer("/v3/posting/fbo/list", {"postings": [posting(products=[line])], "has_next": False})

        (row,) = rows(ozon.fbo_postings(since=SINCE, to=TO))

        assert (row.products[0].price.amount, row.products[0].price.currency) == (Decimal("7341.0000"), "")


class TestAnalytics:
    METRICS = ("revenue", "ordered_units")

    def asked(self, ozon: OzonSeller, cursor: str = "") -> Iterator[Page[Any]]:
        first, last = date(2026, 9, 1), date(2026, 9, 3)
        return ozon.analytics_data(
            first=first, last=last, metrics=self.METRICS, dimensions=("sku", "day"), cursor=cursor
        )

    def row(self, number: int, metrics: list[Any] | None = None) -> dict[str, Any]:
        dimensions = [{"id": str(number), "name": "Пленка"}, {"id": "2026-09-01", "name": ""}]
        return {"dimensions": dimensions, "metrics": metrics or [100.5, 2]}

    def test_figures_get_their_names_back(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v1/analytics/data", {"result": {"data": [self.row(7)], "totals": [100.5, 2]}, "timestamp": ""})

        (fact,) = rows(self.asked(ozon))

        assert fact.keys == {"sku": "7", "day": "2026-09-01"}
        assert fact.values == {"revenue": Decimal("100.5"), "ordered_units": Decimal(2)}
        assert sent()[0]["date_from"] == "2026-09-01"
        assert (sent()[0]["limit"], sent()[0]["offset"]) == (1000, 0)

    def test_a_full_page_is_followed_by_the_next_offset(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        full = {"result": {"data": [self.row(number) for number in range(1000)], "totals": []}}
        answer("/v1/analytics/data", full, {"result": {"data": [self.row(1)], "totals": []}})

        assert [page.last for page in self.asked(ozon)] == [False, True]
        assert [body["offset"] for body in sent()] == [0, 1000]

    def test_it_resumes_at_an_offset(self, ozon: OzonSeller, answer: Answer, sent: Sent) -> None:
        answer("/v1/analytics/data", {"result": {"data": [], "totals": []}})

        assert [page.cursor for page in self.asked(ozon, cursor="2000")] == ["2000"]
        assert sent()[0]["offset"] == 2000

    def test_a_row_with_too_few_figures_is_bad(self, ozon: OzonSeller, answer: Answer) -> None:
        answer("/v1/analytics/data", {"result": {"data": [self.row(7), self.row(8, [1])], "totals": []}})

        (page,) = self.asked(ozon)

        assert [fact.keys["sku"] for fact in page.rows] == ["7"]
        assert (page.bad_rows[0].index, page.received) == (1, 2)
        assert "as many metrics and dimensions as were asked for" in page.bad_rows[0].reason

    @pytest.mark.parametrize("body", [{}, {"result": None}, {"result": {"totals": []}}])
    def test_an_answer_of_another_shape_is_malformed(self, ozon: OzonSeller, answer: Answer, body: Any) -> None:
        answer("/v1/analytics/data", body)

        with pytest.raises(Malformed):
            next(self.asked(ozon))


class TestTheAccount:
    def test_the_key_says_when_it_expires(self, ozon: OzonSeller, answer: Answer) -> None:
        roles = [{"name": "Admin", "methods": ["/v1/actions"]}]
        answer("/v1/roles", {"expires_at": "2026-12-18T09:54:23.296Z", "roles": roles})

        key = ozon.roles()

        assert key.expires_at == datetime(2026, 12, 18, 9, 54, 23, 296000, UTC)
        assert key.roles[0].methods == ("/v1/actions",)

    def test_the_company_has_a_currency(self, ozon: OzonSeller, answer: Answer) -> None:
        company = {"name": "ООО Ромашка", "currency": "RUB", "inn": "7707083893"}
        answer("/v1/seller/info", {"company": company, "subscription": {"is_premium": True, "type": "PREMIUM_PLUS"}})

        info = ozon.seller_info()

        assert (info.company.currency, info.subscription.type) == ("RUB", "PREMIUM_PLUS")
        assert "7707083893" not in info.model_dump_json()

    def test_an_answer_without_them_is_malformed_and_names_the_field(self, ozon: OzonSeller, answer: Answer) -> None:
        answer("/v1/roles", {"roles": []})

        with pytest.raises(Malformed, match="OZON Seller /v1/roles: HTTP 200: expires_at: Field required"):
            ozon.roles()


def test_a_write_asks_for_leave_right_before_it_goes(api: responses.RequestsMock) -> None:
    def no_leave() -> None:
        raise RuntimeError("a transaction is open")

    api.post(BASE_URL + "/v1/product/import/prices", json={})
    ozon = OzonSeller(client_id="1", api_key="key", redis=None, before_write=no_leave)

    with pytest.raises(RuntimeError):
        ozon.import_prices([rouble_price()])
    assert len(api.calls) == 0
