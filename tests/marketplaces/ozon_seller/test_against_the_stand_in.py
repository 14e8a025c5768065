"""The client against the imitated OZON, over real HTTP: it reads the whole shop, and under each fault it knows what it
knows about a write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.marketplaces.errors import ApiError, RepeatedCursor, Temporary, Unclear, WrongCredentials
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.price_import import PATH, PriceItem
from apps.marketplaces.paging import Page
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.registry import API_KEY, CLIENT_ID, RunningStandins, running_standins
from tests.marketplaces.conftest import NO_LIMITS

pytestmark = pytest.mark.flow

SKUS = 25
DEADLINE = 0.7


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningStandins]:
    with running_standins(skus=SKUS) as running:
        yield running


@pytest.fixture
def script(shop: RunningStandins) -> Iterator[Callable[..., None]]:
    def add(path: str, kind: Kind, **more: Any) -> None:
        shop.of.frame.faults.add(Fault(f"ozon:{path}", kind, **more))

    yield add
    shop.of.frame.faults.clear()


def key_of(shop: RunningStandins, *, api_key: str = API_KEY) -> OzonSeller:
    return OzonSeller(
        client_id=CLIENT_ID,
        api_key=api_key,
        redis=None,
        base_url=shop.url,
        limits=NO_LIMITS,
        deadline_seconds=DEADLINE,
    )


@pytest.fixture
def ozon(shop: RunningStandins) -> OzonSeller:
    return key_of(shop)


def today(shop: RunningStandins) -> datetime:
    return datetime.combine(shop.of.world.clock.date, time.min, UTC)


def whole(walk: Iterator[Page[Any]]) -> list[Any]:
    """All rows, after a look at what makes a list complete."""
    pages = list(walk)
    assert pages[-1].last
    assert [bad for page in pages for bad in page.bad_rows] == []
    rows = [row for page in pages for row in page.rows]
    assert all(page.announced in {None, len(rows)} for page in pages)
    return rows


class TestReadingTheShop:
    def test_products_with_their_info_brands_and_categories(self, ozon: OzonSeller) -> None:
        refs = whole(ozon.products())
        ids = [ref.product_id for ref in refs]
        products = whole(ozon.product_info(ids))
        tree = ozon.category_tree()

        assert len(ids) == SKUS
        assert [product.product_id for product in products] == ids
        assert {product.sku for product in products} == {ref.sku for ref in refs}
        assert {row.product_id for row in whole(ozon.attributes(ids)) if row.brand} <= set(ids)
        assert {product.description_category_id for product in products} <= {one.category_id for one in tree.categories}
        assert tree.bad_rows == ()

    def test_prices_with_commissions(self, ozon: OzonSeller) -> None:
        rows = whole(ozon.prices())

        assert len(rows) == SKUS
        assert all(row.price.price > 0 and row.price.currency_code == "RUB" for row in rows)
        assert all((row.commissions.sales_percent_fbo or 0) > 1 for row in rows)

    def test_stocks_and_warehouses(self, ozon: OzonSeller) -> None:
        assert len(whole(ozon.stocks())) == SKUS
        assert {row.offer_id for row in whole(ozon.fbo_stocks())} <= {row.offer_id for row in whole(ozon.products())}
        assert [row.name for row in whole(ozon.warehouses())]

    def test_timers_of_minimum_prices_and_how_they_are_renewed(self, ozon: OzonSeller, shop: RunningStandins) -> None:
        prices = whole(ozon.prices())
        ids = [row.product_id for row in prices]
        timers = whole(ozon.price_timers(ids))
        assert [timer.product_id for timer in timers] == ids
        assert [timer.expired_at is not None for timer in timers] == [row.price.min_price is not None for row in prices]
        ending = min((timer for timer in timers if timer.expired_at), key=lambda timer: timer.expired_at)

        ozon.renew_price_timers([ending.product_id])

        (renewed,) = whole(ozon.price_timers([ending.product_id]))
        assert renewed.expired_at > today(shop) + timedelta(days=28)

    def test_promotions_with_their_products(self, ozon: OzonSeller, shop: RunningStandins) -> None:
        promotions = ozon.promotions().rows

        for promotion in promotions:
            rows = whole(ozon.promotion_products(promotion.promotion_id))
            assert len(rows) == promotion.participating_products_count
            assert all(0 < row.action_price <= row.max_action_price and row.currency == "RUB" for row in rows)
        assert {promotion.is_participating for promotion in promotions} == {True, False}

    def test_stock_by_cluster_is_what_may_be_sold_of_the_stock_by_warehouse(self, ozon: OzonSeller) -> None:
        by_warehouse = whole(ozon.fbo_stocks())
        rows = whole(ozon.cluster_stocks(sorted({row.sku for row in by_warehouse})))

        assert {(row.sku, row.warehouse_id): row.available_stock_count for row in rows} == {
            (row.sku, row.warehouse_id): row.present - row.reserved for row in by_warehouse
        }
        assert len({row.cluster_id for row in rows}) == len({row.cluster_name for row in rows}) > 1

    def test_a_week_of_postings_in_pages(self, ozon: OzonSeller, shop: RunningStandins) -> None:
        since, to = today(shop) - timedelta(days=7), today(shop)

        for postings in (whole(ozon.fbo_postings(since=since, to=to)), whole(ozon.fbs_postings(since=since, to=to))):
            numbers = [posting.posting_number for posting in postings]
            assert len(numbers) == len(set(numbers)) > 0
        changed = whole(ozon.fbs_postings(since=since, to=to, changed_since=since, changed_to=to))
        assert {posting.posting_number for posting in changed} <= set(numbers)

    def test_returns_of_a_month_in_pages(self, ozon: OzonSeller, shop: RunningStandins) -> None:
        since, to = today(shop) - timedelta(days=30), today(shop)

        returns = whole(ozon.returns(changed_since=since, changed_to=to))

        ids = [row.return_id for row in returns]
        assert ids == sorted(set(ids))
        assert {row.kind for row in returns} == {"ClientReturn", "FullReturn"}
        assert all(since <= row.logistic.return_date <= to for row in returns)

    def test_the_accruals_of_a_week_explain_themselves(self, ozon: OzonSeller, shop: RunningStandins) -> None:
        types = {row.type_id for row in ozon.accrual_types().rows}
        days = [(today(shop) - timedelta(days=ago)).date() for ago in range(1, 8)]

        accruals = [row for day in days for row in whole(ozon.accruals(day))]

        assert {row.day for row in accruals} == set(days)
        assert {row.accrued_category for row in accruals} == {"POSTING", "ITEM", "NON_ITEM"}
        for row in accruals:
            assert sum(part.amount for part in row.parts) == row.total_amount.amount
            assert "" not in {part.code for part in row.parts}
        numbers = {int(part.code) for row in accruals for part in row.parts if part.code.isdecimal()}
        assert numbers - types == {990}, "one that the directory does not know"

    def test_analytics_and_the_account(self, ozon: OzonSeller, shop: RunningStandins) -> None:
        day = (today(shop) - timedelta(days=2)).date()
        facts = whole(
            ozon.analytics_data(first=day, last=day, metrics=("revenue", "ordered_units"), dimensions=("sku", "day"))
        )

        assert all(fact.keys["day"] == day.isoformat() and fact.values["ordered_units"] > 0 for fact in facts)
        assert ozon.seller_info().company.currency == "RUB"
        assert "/v1/product/import/prices" in {method for role in ozon.roles().roles for method in role.methods}

    @pytest.mark.parametrize(
        "kind",
        [
            Kind.TOO_MANY,
            Kind.SERVER_ERROR,
            Kind.LOST_502,
            Kind.TRUNCATED_JSON,
            Kind.HTML,
            Kind.WRONG_CONTENT_TYPE,
            Kind.RESET,
            Kind.HANG,
            Kind.DRIP,
            Kind.HALF_PAGE,
        ],
    )
    def test_a_fault_on_the_way_loses_nothing(
        self, ozon: OzonSeller, script: Callable[..., None], no_backoff: None, kind: Kind
    ) -> None:
        script("/v5/product/info/prices", kind, delay=5.0 if kind in {Kind.HANG, Kind.DRIP} else 0.0)

        assert len(whole(ozon.prices())) == SKUS

    def test_paging_in_a_circle_is_an_error(
        self, ozon: OzonSeller, shop: RunningStandins, script: Callable[..., None]
    ) -> None:
        script("/v3/posting/fbo/list", Kind.REPEATED_CURSOR, after_calls=1)

        with pytest.raises(RepeatedCursor):
            list(ozon.fbo_postings(since=today(shop) - timedelta(days=90), to=today(shop)))

    def test_a_revoked_key_and_a_wrong_one_are_told_as_such(
        self, ozon: OzonSeller, shop: RunningStandins, script: Callable[..., None]
    ) -> None:
        script("/v1/roles", Kind.REVOKED_KEY)

        with pytest.raises(WrongCredentials, match="Api-key is deactivated"):
            ozon.roles()
        with pytest.raises(WrongCredentials, match="Invalid Api-Key"):
            key_of(shop, api_key="another-key").roles()


@pytest.mark.parametrize(
    ("kind", "error", "applied"),
    [
        (Kind.TOO_MANY, Temporary, False),
        (Kind.SERVER_ERROR, Unclear, False),
        (Kind.LOST_502, Unclear, True),
        (Kind.HANG, Unclear, False),
        (Kind.HANG_AFTER_APPLY, Unclear, True),
        (Kind.TRUNCATED_JSON, Unclear, True),
        (Kind.HTML, Unclear, False),
        (Kind.DRIP, Unclear, True),
        (Kind.RESET, Unclear, False),
        (Kind.RESET_AFTER_APPLY, Unclear, True),
        (Kind.REVOKED_KEY, WrongCredentials, False),
        (Kind.WRONG_CONTENT_TYPE, None, True),
        (Kind.NO_EFFECT, None, False),
    ],
)
def test_a_write_is_certain_unclear_or_promised_and_goes_once(
    shop: RunningStandins, script: Callable[..., None], kind: Kind, error: type[ApiError] | None, applied: bool
) -> None:
    ozon = key_of(shop)
    number = list(Kind).index(kind)
    before = next(ozon.prices()).rows[number]
    assert before.price.price is not None
    target = before.price.price + 10
    item = PriceItem(price=target, currency_code="RUB", offer_id=before.offer_id, old_price=Decimal(0))
    script(PATH, kind, delay=5.0 if kind in {Kind.HANG, Kind.HANG_AFTER_APPLY, Kind.DRIP} else 0.0)
    shop.of.frame.calls.clear()

    if error is None:
        assert [outcome.updated for outcome in ozon.import_prices([item])] == [True]
    else:
        with pytest.raises(ApiError) as caught:
            ozon.import_prices([item])
        assert type(caught.value) is error

    assert len(shop.of.frame.calls.of(f"ozon:{PATH}")) == 1
    after = next(ozon.prices(offer_ids=[before.offer_id])).rows[0].price.price
    assert after == (target if applied else before.price.price)
