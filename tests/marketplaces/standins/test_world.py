"""The demo world: deterministic, its books agree, and a price changes tomorrow."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from apps.marketplaces.standins.catalog import AWKWARD, FBO, FBS, FBS_PLACE
from apps.marketplaces.standins.demand import CATEGORIES
from apps.marketplaces.standins.postings import LAST_CHANGE_DAYS, NEVER, status_codes
from apps.marketplaces.standins.world import MOSCOW, Clock, NewPrice, World

KYIV = ZoneInfo("Europe/Kyiv")


def small(*, seed: int = 5, zone: ZoneInfo = MOSCOW, clock: Clock | None = None) -> World:
    return World(seed=seed, skus=40, zone=zone, clock=clock, history_days=40)


class Watch:
    """Real seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def shop() -> World:
    """The shop of the demo with all its history; tests only look at it."""
    return World()


def test_the_same_seed_and_writes_give_the_same_bytes() -> None:
    def lived() -> str:
        world = small()
        for day in range(4):
            world.write_price(NewPrice(day, int(world.price[day]) + 10_00))
            world.next_day()
        return world.digest()

    assert lived() == lived()


def test_another_write_gives_another_world() -> None:
    left, right = small(), small()
    left.write_price(NewPrice(3, int(left.price[3]) * 2))
    for world in (left, right):
        world.next_day()
    assert left.digest() != right.digest()


def test_the_clock_starts_at_ten_in_moscow_and_stops_before_midnight() -> None:
    watch = Watch()
    clock = Clock(watch)
    assert clock.moment() == datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    watch.now += 90
    assert clock.moment() == datetime(2026, 3, 2, 7, 1, 30, tzinfo=UTC)
    watch.now += 1_000_000
    assert clock.moment() == datetime(2026, 3, 2, 20, 59, 59, tzinfo=UTC)
    clock.next_day()
    assert clock.moment() == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)


def test_the_clock_knows_what_it_showed_before() -> None:
    watch = Watch()
    clock = Clock(watch)
    watch.now += 90
    clock.next_day()
    watch.now += 20
    assert clock.moment(ago=timedelta(seconds=20)) == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    assert clock.moment(ago=timedelta(seconds=50)) == datetime(2026, 3, 2, 7, 1, tzinfo=UTC)
    assert clock.moment(ago=timedelta(seconds=170)) == datetime(2026, 3, 2, 6, 59, tzinfo=UTC)


def test_real_time_moves_nothing_but_the_clock() -> None:
    patient, quick = Watch(), Watch()
    worlds = [small(clock=Clock(watch)) for watch in (patient, quick)]
    patient.now += 3_600
    for world in worlds:
        world.next_day()
    assert worlds[0].digest() == worlds[1].digest()


def test_orders_of_the_current_day_do_not_exist_before_it_has_ended() -> None:
    world = small()
    assert world.book.postings["day"].max() == -1
    world.next_day()
    assert world.book.postings["day"].max() == 0


def test_a_price_written_today_acts_from_tomorrow() -> None:
    as_it_was, cheaper = small(), small()
    busiest = int(np.argmax(cheaper.demand.rate))
    cheaper.write_price(NewPrice(busiest, int(cheaper.price[busiest]) // 2))
    for world in (as_it_was, cheaper):
        world.next_day()
        world.next_day()
    today, tomorrow = ([world.ledger.days[day] for world in (as_it_was, cheaper)] for day in (0, 1))
    assert today[0].units[busiest] == today[1].units[busiest]
    assert today[1].price[busiest] == as_it_was.price[busiest]
    assert tomorrow[1].price[busiest] == cheaper.price[busiest]
    assert tomorrow[1].units[busiest] > tomorrow[0].units[busiest]


def test_a_write_is_kept_with_its_true_effect() -> None:
    world = small()
    was = int(world.price[7])
    world.write_price(NewPrice(7, was + 50_00, old_price=was * 2, min_price=0))
    (write,) = world.ledger.writes
    assert (write.product, write.price_from, write.price_to, write.acts_from) == (7, was, was + 50_00, 1)
    assert write.effect == pytest.approx(world.demand.true_effect(7, was / 100, was / 100 + 50))
    assert (world.old_price[7], world.min_price[7]) == (was * 2, 0)


def test_the_same_price_again_is_no_write_and_a_price_back_in_time_has_no_effect() -> None:
    world = small()
    was = int(world.price[7])
    world.write_price(NewPrice(7, was))
    assert world.ledger.writes == []
    for price in (was + 50_00, was):
        world.write_price(NewPrice(7, price))
    world.next_day()
    assert world.in_force[7] == was


def test_a_write_without_a_profit_to_start_from_has_no_effect_to_name() -> None:
    world = small()
    world.write_price(NewPrice(7, 1_00))
    world.write_price(NewPrice(7, 2_00))
    assert world.ledger.writes[1].effect is None


def test_a_late_price_comes_after_its_seconds_or_with_the_end_of_the_day() -> None:
    world = small()
    was = int(world.price[7])
    world.write_price_later(NewPrice(7, was + 10_00), 0.0)
    world.write_price_later(NewPrice(8, was + 10_00), 3600)
    world.settle()
    assert world.price[7] == was + 10_00
    assert world.price[8] != was + 10_00
    world.next_day()
    assert world.price[8] == was + 10_00


def test_seven_to_eight_percent_of_the_days_have_no_stock(shop: World) -> None:
    empty = [float(np.mean([day.stock == 0 for day in world.ledger.days.values()])) for world in (shop, World(seed=2))]
    assert 0.065 < np.mean(empty) < 0.085


def test_four_percent_are_cancelled_and_five_are_returned(shop: World) -> None:
    settled = [truth for day, truth in shop.ledger.days.items() if day < -LAST_CHANGE_DAYS]
    units, cancelled, returned = (
        sum(int(getattr(truth, name).sum()) for truth in settled)
        for name in ("units", "cancelled_units", "returned_units")
    )
    assert cancelled / units == pytest.approx(0.04, abs=0.005)
    assert returned / units == pytest.approx(0.05, abs=0.005)


def test_postings_and_ledger_tell_the_same_units_and_revenue(shop: World) -> None:
    postings, lines = shop.book.postings, shop.book.lines
    of_line = np.repeat(postings["day"], postings["lines"])
    for day in (-200, -77, -1):
        those = lines[of_line == day]
        units = np.bincount(those["product"], weights=those["quantity"], minlength=300)
        revenue = np.bincount(those["product"], weights=those["quantity"] * those["price"], minlength=300)
        assert np.array_equal(units, shop.ledger.days[day].units)
        assert np.array_equal(revenue, shop.ledger.days[day].revenue)


def test_events_by_their_own_day_are_those_by_the_day_of_the_order(shop: World) -> None:
    days = shop.ledger.days.values()
    assert sum(day.cancellations.sum() for day in days) == sum(day.cancelled_units.sum() for day in days)
    assert sum(day.returns.sum() for day in days) == sum(day.returned_units.sum() for day in days)


def test_nothing_changes_later_than_it_says(shop: World) -> None:
    postings = shop.book.postings
    for column in ("packed", "shipped", "delivered", "ended"):
        known = postings[postings[column] < NEVER]
        assert (known[column] - known["day"]).max() < LAST_CHANGE_DAYS
    old = postings[postings["day"] < -LAST_CHANGE_DAYS]
    assert set(status_codes(old, shop.day)) == {3, 4}  # delivered or cancelled


def test_cancellations_come_before_shipping_and_returns_after(shop: World) -> None:
    ended = shop.book.postings[shop.book.postings["ended"] < NEVER]
    cancelled, returned = ended[~ended["returned"]], ended[ended["returned"]]
    assert (cancelled["shipped"] == NEVER).all()
    assert (returned["shipped"] < returned["ended"]).all()
    assert 0.2 < np.mean(returned["delivered"] < returned["ended"]) < 0.6


def test_orders_have_one_or_two_postings_and_lines_and_no_product_twice(shop: World) -> None:
    postings = shop.book.postings
    parts = np.bincount(postings["order"] - postings["order"].min())
    assert set(parts) == {1, 2}
    assert set(postings["lines"]) == {1, 2}
    pairs = shop.book.first_line[:-1][postings["lines"] == 2]
    assert (shop.book.lines["product"][pairs] != shop.book.lines["product"][pairs + 1]).all()
    assert shop.book.lines["quantity"].max() >= 3


def test_an_order_keeps_one_moment_and_the_book_is_sorted_by_it(shop: World) -> None:
    postings = shop.book.postings
    assert (np.diff(postings["at"]) >= 0).all()
    same_order = np.diff(postings["order"]) == 0
    assert (np.diff(postings["at"])[same_order] == 0).all()


def test_orders_lie_in_the_days_of_the_shops_own_zone() -> None:
    world = small(zone=KYIV)
    for day in (-1, -20):
        opens, closes = world.book.day_bounds(day)
        of_day = world.book.postings[world.book.postings["day"] == day]
        assert opens <= of_day["at"].min() < of_day["at"].max() < closes
        assert of_day["created"].min() < opens, "the first order of a day is created the evening before"
    midnight = datetime.fromtimestamp(world.book.day_bounds(-1)[0] / 1e6, KYIV)
    assert (midnight.hour, midnight.minute) == (0, 0)


def test_shops_of_one_clock_live_their_days_together() -> None:
    clock = Clock()
    anna, boris = small(clock=clock), small(seed=6, zone=KYIV, clock=clock)
    anna.next_day()
    assert (anna.day, boris.day, clock.day) == (1, 1, 1)
    assert not set(anna.catalog.sku) & set(boris.catalog.sku)
    assert not set(anna.catalog.product_id) & set(boris.catalog.product_id)
    late = small(seed=7, clock=clock)
    assert late.day == 1


def test_stock_lies_where_the_product_is_sold_from(shop: World) -> None:
    catalog = shop.catalog
    split = catalog.by_warehouse(shop.shelf.free)
    assert np.array_equal(split.sum(axis=1), shop.shelf.free)
    assert (split[catalog.scheme == FBO, FBS_PLACE] == 0).all()
    assert (split[catalog.scheme == FBS, :FBS_PLACE] == 0).all()


def test_the_stock_of_the_morning_follows_from_the_day_before(shop: World) -> None:
    world = small()
    before, transit = world.shelf.free.copy(), world.shelf.in_transit.copy()
    world.next_day()
    truth = world.ledger.days[0]
    ended = truth.cancellations + truth.returns
    arrived = world.shelf.free - (before - truth.units + ended)
    assert (arrived >= 0).all()
    assert (arrived <= transit).all()


def test_of_a_few_products_the_seller_knows_no_cost(shop: World) -> None:
    unknown = [i for i in range(300) if shop.known_cost(i) is None]
    assert len(unknown) == 2
    assert all(shop.known_cost(i) == shop.demand.cost[i] for i in range(300) if i not in unknown)
    assert shop.rival_price.min() == 0 < np.mean(shop.rival_price > 0) < 1


def test_the_catalog_is_told_in_russian_with_some_awkward_names(shop: World) -> None:
    catalog = shop.catalog
    assert len({category.category_id for category in catalog.category}) == CATEGORIES
    assert len(set(catalog.offer_id)) == len(set(catalog.name)) == 300
    assert all(AWKWARD[i] in catalog.name[i] for i in AWKWARD)
    assert [catalog.of_sku(int(sku)) for sku in catalog.sku] == list(range(300))


def test_ten_thousand_products_work() -> None:
    world = World(skus=10_000, history_days=5)
    world.next_day()
    assert world.ledger.days[0].units.sum() > 500
