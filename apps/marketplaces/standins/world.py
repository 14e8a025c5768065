"""The demo world: one seeded shop whose truth is known, and the clock it lives by.

A world starts on a fixed date with `HISTORY_DAYS` of sales behind it. Nothing happens by itself: `next_day` ends the
current day, draws its orders and moves what is on its way. A price written on day D is shown at once and acts on demand
from D + 1. Orders of the current date do not exist before it has ended. The same seed and the same writes give the same
bytes (`digest`); real time moves nothing but the clock's hands.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import numpy as np

from apps.marketplaces.standins.catalog import Catalog
from apps.marketplaces.standins.demand import Demand, Floats, Ints
from apps.marketplaces.standins.ledger import Ledger, PriceWrite
from apps.marketplaces.standins.postings import PostingBook
from apps.marketplaces.standins.promotions import Promotions
from apps.marketplaces.standins.replenishment import Shelf

START = date(2026, 3, 2)  # a Monday, day 0 of the demand
HISTORY_DAYS = 200
SETTLING_DAYS = 30  # before the history, so that it begins with goods on their way
MORNING = time(10)
MINIMUM_DAYS, NO_TIMER = 30, -1_000_000
MOSCOW = ZoneInfo("Europe/Moscow")


class Clock:
    """Business time: 10:00 in Moscow of the current date plus the real seconds since it began, never past midnight.

    Worlds join it, and `next_day` ends the day of all of them.
    """

    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._mornings = [seconds()]
        self._lives: list[Callable[[], None]] = []

    @property
    def day(self) -> int:
        return len(self._mornings) - 1

    @property
    def date(self) -> date:
        return START + timedelta(days=self.day)

    def moment(self, *, ago: timedelta = timedelta(0)) -> datetime:
        """Now, or as it was so much real time `ago`."""
        seconds = self._seconds() - ago.total_seconds()
        day = max(bisect_right(self._mornings, seconds) - 1, 0)
        on = START + timedelta(days=day)
        passed = timedelta(seconds=seconds - self._mornings[day])
        latest = datetime.combine(on, time(23, 59, 59), MOSCOW)
        return min(datetime.combine(on, MORNING, MOSCOW) + passed, latest).astimezone(UTC)

    def join(self, live_a_day: Callable[[], None]) -> None:
        self._lives.append(live_a_day)

    def next_day(self) -> None:
        for live_a_day in self._lives:
            live_a_day()
        self._mornings.append(self._seconds())


@dataclass(frozen=True)
class NewPrice:
    """A price to write, in kopecks; None keeps what is there."""

    product: int
    price: int
    old_price: int | None = None
    min_price: int | None = None


class World:
    """One shop. Money inside is in kopecks; products are indexes into `catalog`."""

    def __init__(
        self,
        *,
        seed: int = 1,
        skus: int = 300,
        kind: str = "main",
        zone: ZoneInfo = MOSCOW,
        clock: Clock | None = None,
        history_days: int = HISTORY_DAYS,
    ) -> None:
        self.zone, self.clock = zone, clock or Clock()
        self.demand = Demand(seed, skus, kind)
        self.catalog = Catalog(self.demand, shop_number=seed % 100)
        self.shelf = Shelf(self.demand)
        self.book = PostingBook(self.demand, self.catalog, zone=zone, day_zero=START)
        self.ledger = Ledger(skus)
        self.promotions = Promotions(self.demand)
        self._set_first_prices()
        self._late: list[tuple[float, NewPrice]] = []
        self.day = -history_days
        self._live_through_history()
        self.clock.join(self._live_a_day)

    def next_day(self) -> None:
        """End the current day of this world and of all that share its clock."""
        self.clock.next_day()

    def write_price(self, new: NewPrice) -> None:
        """Take a price: shown at once, in force tomorrow."""
        i = new.product
        if new.price != self.price[i]:
            self.ledger.writes.append(self._written(i, int(self.price[i]), new.price))
            self.promotions.price_written(i, int(self.price[i]), new.price)
        self.price[i] = new.price
        self.old_price[i] = self.old_price[i] if new.old_price is None else new.old_price
        if new.min_price is not None:
            self.min_price[i] = new.min_price
            self.renew_minimum(i)

    def renew_minimum(self, product: int) -> None:
        """The minimum price is in force for `MINIMUM_DAYS` from today on; without one no timer runs."""
        self.minimum_ends[product] = self.day + MINIMUM_DAYS if self.min_price[product] else NO_TIMER

    def write_price_later(self, new: NewPrice, seconds: float) -> None:
        """Take a price after some real seconds (or when the day ends)."""
        self._late.append((monotonic() + seconds, new))

    def settle(self, *, all_of_them: bool = False) -> None:
        """Take the late prices whose time has come."""
        due = [new for at, new in self._late if all_of_them or at <= monotonic()]
        self._late = [(at, new) for at, new in self._late if not all_of_them and at > monotonic()]
        for new in due:
            self.write_price(new)

    def known_cost(self, product: int) -> float | None:
        """The cost in the seller's own list, in roubles; of a few products the seller does not know it."""
        return None if product in self._unknown_costs else float(self.demand.cost[product])

    def digest(self) -> str:
        """A fingerprint of everything that the world holds."""
        parts = [self.book.postings, self.book.lines, self.price, self.in_force, self.old_price, self.min_price]
        parts += [self.shelf.free, self.shelf.in_transit, self.catalog.sku, np.array(self.catalog.name)]
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()

    def _set_first_prices(self) -> None:
        numbers = self.demand.stream("catalog", 1)
        skus = self.demand.skus
        self.price = _kopecks(self.demand.price0)
        self.in_force = self.price.copy()
        self.old_price = _kopecks(np.round(self.demand.price0 * 1.4, -1))
        floor = _kopecks(np.round(self.demand.price0 * 0.75, -1))
        self.min_price = np.where(numbers.random(skus) < 0.6, floor, 0)
        # The day with which a minimum price is no longer in force, NO_TIMER where there is none.
        self.minimum_ends = np.where(self.min_price > 0, 1 + np.arange(skus) % MINIMUM_DAYS, NO_TIMER)
        # What rivals ask, as the price index tells it; 0 where OZON compares nothing.
        rival = _kopecks(np.round(self.demand.price0 * numbers.normal(1.03, 0.06, skus)))
        self.rival_price = np.where(numbers.random(skus) < 0.6, rival, 0)
        self._unknown_costs = set(numbers.choice(skus, min(2, skus // 10), replace=False).tolist())

    def _live_through_history(self) -> None:
        for day in range(self.day - SETTLING_DAYS, self.day):
            self.shelf.receive(day)
            self.shelf.close(day, self.demand.draw(day, self.demand.price0, self.shelf.free))
        self.shelf.receive(self.day)
        self.promotions.begin(self.day, self.price)
        while self.day < self.clock.day:
            self._live_a_day()

    def _live_a_day(self) -> None:
        """A day's orders, what else happens on it, and the stock of the next morning."""
        self.settle(all_of_them=True)
        day, stock = self.day, self.shelf.free.copy()
        units = self.demand.draw(day, self.in_force / 100, stock)
        self.ledger.record_sales(day, units=units, stock=stock, price=self.in_force)
        self.book.add_day(day, units, self.in_force, self.old_price)
        self.shelf.close(day, units)
        self.shelf.put_back(self.ledger.record_ends(day, self.book.ended_on(day)))
        self.in_force = self.price.copy()
        self.day = day + 1
        self.shelf.receive(self.day)
        self.promotions.begin(self.day, self.price)

    def _written(self, product: int, price_from: int, price_to: int) -> PriceWrite:
        effect = None
        if self.demand.unit_profit(product, price_from / 100) > 0:
            effect = self.demand.true_effect(product, price_from / 100, price_to / 100)
        return PriceWrite(self.clock.moment(), product, price_from, price_to, self.day + 1, effect)


def _kopecks(roubles: Floats) -> Ints:
    return np.round(roubles * 100).astype(np.int64)
