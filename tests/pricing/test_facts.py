"""What a price decision is made from, read out of real rows: what is not known stays None."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.catalog.models import Cost, PriceChange, Product, StockSnapshot, Warehouse
from apps.catalog.product_settings import Values, set_settings
from apps.catalog.sheet_words import Field
from apps.pricing.facts import load_facts, rules_of
from apps.pricing.models import PricingSettings
from apps.pricing.records import OwnRules, PriceFacts
from apps.shops.models import Member
from tests.cast import boris
from tests.inventory.shelf import MORNING, TODAY, YESTERDAY, Shelf, queries_counted
from tests.reports import rows

pytestmark = pytest.mark.django_db

D = Decimal
Source = PriceChange.Source


@pytest.fixture
def shelf(owner: Member) -> Shelf:
    return Shelf(owner.seller.shops.get())


def facts_of(shelf: Shelf, product: Product) -> PriceFacts:
    (facts,) = load_facts(shelf.shop, product_ids=[product.pk])
    return facts


def changed(product: Product, old: int, new: int, *, days_ago: int, source: Source = Source.VITRINA) -> PriceChange:
    day = TODAY - timedelta(days=days_ago)
    change = PriceChange.objects.create(
        product=product,
        seen_at=MORNING - timedelta(days=days_ago),
        seen_on=day,
        price_from=D(old),
        price_to=D(new),
        currency="RUB",
        source=source,
    )
    Product.objects.filter(pk=product.pk).update(price=D(new))
    return change


class TestWhichProducts:
    def test_a_shop_that_was_never_synced_has_no_facts(self, shelf: Shelf) -> None:
        shelf.product()
        assert load_facts(shelf.shop) == []

    def test_those_on_sale_by_id_and_no_others(self, shelf: Shelf) -> None:
        second, first = shelf.product(), shelf.product()
        shelf.product(is_archived=True)
        Product.objects.filter(pk=shelf.product().pk).update(price=None)
        Shelf(boris().seller.shops.get()).product()
        shelf.synced()
        assert [facts.product_id for facts in load_facts(shelf.shop)] == sorted([first.pk, second.pk])

    def test_only_those_asked_for(self, shelf: Shelf) -> None:
        shelf.product()
        wanted = shelf.product()
        shelf.synced()
        assert [facts.product_id for facts in load_facts(shelf.shop, product_ids=[wanted.pk])] == [wanted.pk]

    def test_a_handful_of_queries_whatever_the_number(self, shelf: Shelf) -> None:
        shelf.synced()
        set_settings(product=shelf.product(), values={Field.MAX_PRICE: D(1100)}, by=None)
        with queries_counted() as one:
            load_facts(shelf.shop)
        for _ in range(9):
            set_settings(product=shelf.product(), values={Field.MAX_PRICE: D(1100)}, by=None)
        with queries_counted() as ten:
            load_facts(shelf.shop)
        assert len(one) == len(ten) < 15

    def test_they_are_of_the_morning_of_the_last_complete_sync(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.synced()
        facts = facts_of(shelf, product)
        assert (facts.today, facts.as_of, facts.sku, facts.currency) == (TODAY, MORNING, product.offer_id, "RUB")


class TestOwnRules:
    def test_they_are_what_the_products_settings_say(self, shelf: Shelf) -> None:
        product, other = shelf.product(), shelf.product()
        said: Values = {
            Field.MIN_PRICE: D(900),
            Field.MAX_PRICE: D("1100.50"),
            Field.MIN_MARGIN: D("0.155"),
            Field.IS_REPRICED: False,
        }
        set_settings(product=product, values=said, by=None)
        shelf.synced()
        own = OwnRules(min_price=D(900), max_price=D("1100.50"), min_margin_rate=D("0.155"), is_repriced=False)
        assert facts_of(shelf, product).own == own
        assert facts_of(shelf, other).own == OwnRules()

    @pytest.mark.parametrize("said", [True, None])
    def test_unless_it_is_forbidden_a_price_may_be_changed(self, said: bool | None, shelf: Shelf) -> None:
        product = shelf.product()
        set_settings(product=product, values={Field.LEAD_DAYS: D(7), Field.IS_REPRICED: said}, by=None)
        shelf.synced()
        assert facts_of(shelf, product).own == OwnRules()


class TestCosts:
    def test_the_one_in_force_today_counts(self, shelf: Shelf) -> None:
        product = shelf.product(cost="500")
        for starts_on, amount in ((YESTERDAY, 520), (TODAY, 540), (TODAY + timedelta(days=1), 600)):
            Cost.objects.create(product=product, starts_on=starts_on, amount=amount, currency="RUB")
        shelf.synced()
        assert facts_of(shelf, product).cost == 540

    def test_none_is_unknown_and_not_zero(self, shelf: Shelf) -> None:
        product = shelf.product(cost=None)
        Cost.objects.create(product=product, starts_on=TODAY + timedelta(days=1), amount=600, currency="RUB")
        shelf.synced()
        assert facts_of(shelf, product).cost is None


class TestFees:
    FEES: Mapping[str, Any] = {
        "fbo_commission_rate": D("0.20"), "fbo_logistics": D(80), "fbo_return_logistics": D(40),
        "fbs_commission_rate": D("0.25"), "fbs_logistics": D(110), "fbs_return_logistics": D(60),
    }  # fmt: skip

    def place(self, shelf: Shelf, product: Product, scheme: str, present: int) -> None:
        warehouse, _ = Warehouse.objects.get_or_create(shop=shelf.shop, scheme=scheme, external_id=scheme)
        StockSnapshot.objects.create(product=product, warehouse=warehouse, day=TODAY, present=present, reserved=0)

    @pytest.mark.parametrize(
        ("fbo", "fbs", "terms"),
        [
            (10, 4, (D("0.20"), D(80), D(40))),
            (4, 10, (D("0.25"), D(110), D(60))),
            (5, 5, (D("0.20"), D(80), D(40))),
        ],
    )
    def test_they_are_those_of_the_scheme_that_most_stock_is_sold_under(
        self, shelf: Shelf, fbo: int, fbs: int, terms: tuple[Decimal, Decimal, Decimal]
    ) -> None:
        product = shelf.product(**self.FEES)
        self.place(shelf, product, "fbo", fbo)
        self.place(shelf, product, "fbs", fbs)
        shelf.synced()
        facts = facts_of(shelf, product)
        assert (facts.commission_rate, facts.logistics, facts.return_logistics) == terms
        assert facts.stock == fbo + fbs

    def test_of_unknown_stock_they_are_those_of_fbo(self, shelf: Shelf) -> None:
        product = shelf.product(**self.FEES)
        shelf.synced()
        assert facts_of(shelf, product).commission_rate == D("0.20")

    def test_what_the_marketplace_has_not_told_is_unknown(self, shelf: Shelf) -> None:
        product = shelf.product(fbo_commission_rate=None, fbo_logistics=None, acquiring=None)
        shelf.synced()
        facts = facts_of(shelf, product)
        assert (facts.commission_rate, facts.logistics, facts.return_logistics, facts.acquiring_rate) == (None,) * 4

    def test_acquiring_becomes_a_share_of_the_price_it_was_told_for(self, shelf: Shelf) -> None:
        product = shelf.product(price="1000", acquiring=15)
        shelf.synced()
        assert facts_of(shelf, product).acquiring_rate == D("0.015")
        changed(product, 1000, 1200, days_ago=-1)  # after the sync
        changed(product, 1200, 1300, days_ago=-2)
        assert facts_of(shelf, product).acquiring_rate == D("0.015")
        assert facts_of(shelf, product).price == 1300


class TestStock:
    def test_without_a_snapshot_of_this_morning_it_is_unknown(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.morning(product, 30, day=YESTERDAY)
        shelf.synced()
        facts = facts_of(shelf, product)
        assert facts.stock is None
        assert facts.cover_days is None

    def test_an_empty_shelf_is_zero(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.morning(product, 0)
        shelf.synced()
        assert facts_of(shelf, product).stock == 0

    def test_what_is_reserved_cannot_be_sold(self, shelf: Shelf) -> None:
        product, oversold = shelf.product(), shelf.product()
        shelf.morning(product, 30, reserved=12)
        shelf.morning(oversold, 2, reserved=3)
        shelf.synced()
        assert (facts_of(shelf, product).stock, facts_of(shelf, oversold).stock) == (18, 0)


class TestSales:
    def test_weeks_are_counted_from_yesterday_back(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.sold(product, [1] * 42 + [2] * 7 + [3, None, 3, 3, 0, 3, 3])
        shelf.synced()
        facts = facts_of(shelf, product)
        assert (facts.units_last_7, facts.units_previous_7) == (15, 14)
        assert (facts.in_stock_days_last_7, facts.in_stock_days_previous_7) == (6, 7)
        assert (facts.days_observed, facts.days_since_sale) == (56, 1)

    def test_recent_days_weigh_more_and_days_without_stock_nothing(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.sold(product, [0] * 35 + [4] * 19 + [None, None])
        shelf.synced()
        weights = [0.5 ** (age / 21) for age in range(55, 1, -1)]
        expected = 4 * sum(weights[35:]) / sum(weights)
        assert float(facts_of(shelf, product).units_per_day or 0) == pytest.approx(expected, abs=0.001)

    def test_days_nobody_recorded_count_as_days_in_stock(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.sold(product, [7], last=YESTERDAY)
        shelf.synced()
        facts = facts_of(shelf, product)
        assert (facts.days_observed, facts.in_stock_days_previous_7) == (56, 7)
        assert 0 < (facts.units_per_day or 0) < 1

    def test_days_before_the_first_known_one_do_not_exist(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.sold(product, [2] * 10)
        shelf.synced(since=TODAY - timedelta(days=10))
        facts = facts_of(shelf, product)
        assert (facts.days_observed, facts.units_per_day, facts.units_previous_7) == (10, D(2), 6)
        assert facts.in_stock_days_previous_7 == 3

    def test_a_product_that_sold_nothing_says_so(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.synced()
        facts = facts_of(shelf, product)
        assert (facts.days_since_sale, facts.return_rate, facts.units_per_day) == (None, None, D(0))

    def test_without_a_day_in_stock_the_rate_is_unknown(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.sold(product, [None] * 56)
        shelf.synced()
        assert facts_of(shelf, product).units_per_day is None

    def test_returns_are_a_share_of_what_was_sold_and_not_cancelled(self, shelf: Shelf) -> None:
        product = shelf.product()
        shelf.sold(product, [3] * 56)
        of_a_day = product.daily_facts.get(day=YESTERDAY)
        of_a_day.units, of_a_day.cancelled_units, of_a_day.returned_units = 5, 2, 8
        of_a_day.save()
        shelf.synced()
        assert facts_of(shelf, product).return_rate == D("0.0476")  # 8 of 168


class TestHistory:
    def test_a_price_that_never_changed_is_its_own_base(self, shelf: Shelf) -> None:
        product = shelf.product(price="1000")
        PriceChange.objects.create(
            product=product, seen_at=MORNING, seen_on=TODAY, price_to=1000, currency="RUB", source=Source.FIRST_SEEN
        )
        shelf.synced()
        facts = facts_of(shelf, product)
        assert (facts.base_price, facts.last_change, facts.days_since_change) == (D(1000), None, None)

    def test_the_base_is_what_stood_before_our_own_changes(self, shelf: Shelf) -> None:
        product = shelf.product(price="1000")
        changed(product, 900, 1000, days_ago=60, source=Source.MARKETPLACE)
        changed(product, 1000, 1080, days_ago=50)
        changed(product, 1080, 1150, days_ago=20)
        shelf.synced()
        facts = facts_of(shelf, product)
        assert (facts.price, facts.base_price) == (D(1150), D(1000))
        assert facts.last_change is not None
        assert (facts.last_change.old_price, facts.last_change.new_price) == (D(1080), D(1150))
        assert facts.days_since_change == 20

    def test_a_price_set_by_hand_is_the_base_from_then_on(self, shelf: Shelf) -> None:
        product = shelf.product(price="1000")
        changed(product, 1000, 1080, days_ago=50)
        changed(product, 1080, 1200, days_ago=30, source=Source.MARKETPLACE)
        shelf.synced()
        assert facts_of(shelf, product).base_price == 1200
        changed(product, 1200, 1250, days_ago=3)
        assert facts_of(shelf, product).base_price == 1200

    def test_a_change_carries_the_last_verdict_on_it(self, shelf: Shelf, owner: Member) -> None:
        product = shelf.product()
        experiment = rows.experiment(product, owner, state="kept")
        rows.verdict(experiment, result="INCONCLUSIVE", per_day=D(10))
        rows.verdict(experiment, as_of=TODAY + timedelta(days=15), result="SUCCESS", per_day=D("310.40"))
        change = changed(product, 1000, 1090, days_ago=1)
        PriceChange.objects.filter(pk=change.pk).update(command_id=experiment.command_id)
        shelf.synced()
        last = facts_of(shelf, product).last_change
        assert last is not None
        assert (last.verdict, last.profit_per_day) == ("SUCCESS", D("310.40"))

    def test_a_change_by_hand_has_no_verdict(self, shelf: Shelf) -> None:
        product = shelf.product()
        changed(product, 900, 1000, days_ago=4, source=Source.MARKETPLACE)
        shelf.synced()
        last = facts_of(shelf, product).last_change
        assert last is not None
        assert (last.verdict, last.profit_per_day) == (None, None)

    def test_a_review_is_the_last_recommendation_whatever_became_of_it(self, shelf: Shelf, owner: Member) -> None:
        product, other = shelf.product(), shelf.product()
        for days_ago, state in ((30, "approved"), (9, "rejected")):
            made = rows.proposal(product, created_at=MORNING - timedelta(days=days_ago))
            rows.decided(made, owner, state=state)
        shelf.synced()
        assert facts_of(shelf, product).days_since_review == 9
        assert facts_of(shelf, other).days_since_review is None

    @pytest.mark.parametrize(
        ("state", "is_live"),
        [
            ("running", True),
            ("judged", True),
            ("rolling_back", True),
            ("stopped", True),
            ("kept", False),
            ("void", False),
        ],
    )
    def test_it_knows_a_live_experiment(self, shelf: Shelf, owner: Member, state: str, is_live: bool) -> None:
        product = shelf.product()
        rows.experiment(product, owner, state=state)
        shelf.synced()
        assert facts_of(shelf, product).in_experiment is is_live


def test_a_shop_without_settings_gets_the_usual_rules(shelf: Shelf) -> None:
    rules = rules_of(shelf.shop)
    assert (rules.min_margin_rate, rules.max_step_rate, rules.tax_rate) == (D("0.10"), D("0.10"), None)
    assert PricingSettings.objects.get(shop=shelf.shop).cards_per_day == 10


def test_a_shops_own_settings_are_its_rules(shelf: Shelf) -> None:
    PricingSettings.objects.create(
        shop=shelf.shop, min_margin_rate=D("0.2"), max_step_rate=D("0.05"), tax_rate=D("0.06"), days_between_changes=7
    )
    rules = rules_of(shelf.shop)
    assert (rules.min_margin_rate, rules.max_step_rate, rules.tax_rate) == (D("0.2"), D("0.05"), D("0.06"))
    assert rules.days_between_changes == 7
