"""The postings of a shop: how the units of a day become orders, and what becomes of them afterwards.

The fate of a posting is drawn when it is created and kept as the days on which it is packed, shipped, delivered and
ended; its status on any later day follows from them, so the book is a few columns of numbers and never rewritten.
An event of day D is seen from the morning of D + 1.

How an end shows in the lists (FBO v3, FBS v4), for OZON gives no date and no "returned" status:

=====================  =========  ============================  =====================  ====================
what happened          status     substatus                     cancel_reason_id       cancelled_after_ship
=====================  =========  ============================  =====================  ====================
cancelled before ship  cancelled  posting_canceled              352, 402, 507 or 508   false
not picked up          cancelled  posting_returned_to_warehouse 665                    true
lost, no delivery      cancelled  posting_returned_to_warehouse 666 or 667             true
returned by the buyer  cancelled  posting_returned_to_warehouse 504                    true
  (or, as many)        delivered  posting_received
=====================  =========  ============================  =====================  ====================

`cancelled_after_ship` exists in FBS only; in FBO the substatus (and the reasons 665 to 667, which OZON allows only once
a parcel is on its way) tell a return from a cancellation. A return after delivery turns `delivered` into `cancelled`
in half of the orders, and in the others only the list of returns tells of it. Nothing changes later than
`LAST_CHANGE_DAYS` after the order.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from apps.marketplaces.standins.catalog import FBO_WAREHOUSES, FBS, FBS_PLACE, Catalog
from apps.marketplaces.standins.demand import Demand, Ints

NEVER = 1_000_000  # a day that does not come
LAST_CHANGE_DAYS = 28
CANCELLED_SHARE, RETURNED_SHARE = 0.04, 0.05
JOINED_UNIT, JOINED_LINE, SAME_POSTING = 0.25, 0.70, 0.55
EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))


class Reason(NamedTuple):
    """Why a posting ended. `initiator` as OZON names it in `cancellation_initiator`, lower case in `_type`."""

    reason_id: int
    text: str
    initiator: str


BEFORE_SHIPPING = (
    Reason(507, "Покупатель передумал", "Client"),
    Reason(508, "Покупатель отменил заказ", "Client"),
    Reason(352, "Товар закончился на складе продавца", "Seller"),
    Reason(402, "Другое (вина продавца)", "Seller"),
)
NOT_PICKED_UP = Reason(665, "Покупатель не забрал заказ", "Client")
UNDELIVERED = (
    Reason(666, "Возврат из службы доставки: нет доставки в указанный регион", "Delivery"),
    Reason(667, "Заказ утерян службой доставки", "Delivery"),
)
SENT_BACK = Reason(504, "Покупатель вернул товар", "Client")
REASONS = {reason.reason_id: reason for reason in (*BEFORE_SHIPPING, NOT_PICKED_UP, *UNDELIVERED, SENT_BACK)}
CANCEL_IDS = np.array([reason.reason_id for reason in BEFORE_SHIPPING])

AWAITING_PACKAGING, AWAITING_DELIVER, DELIVERING, DELIVERED, CANCELLED = range(5)
CHANGES = ("packed", "shipped", "delivered", "ended")

POSTING = np.dtype(
    [
        *(("order", "i8"), ("part", "i1"), ("fbs", "?"), ("place", "i1"), ("cluster", "i1"), ("lines", "i1")),
        *(("at", "i8"), ("created", "i8")),  # in_process_at and created_at, microseconds UTC
        *(("day", "i4"), ("packed", "i4"), ("shipped", "i4"), ("delivered", "i4"), ("ended", "i4")),
        *(("returned", "?"), ("reason", "i2")),  # what the end is
    ]
)
LINE = np.dtype([("product", "i4"), ("quantity", "i4"), ("price", "i8"), ("old_price", "i8")])  # prices in kopecks


@dataclass(frozen=True)
class Ended:
    """Units that are cancelled (or returned) on one day, of the orders of one day."""

    ordered_on: int
    returned: bool
    products: Ints
    units: Ints


class PostingBook:
    """All postings in the order of `in_process_at`, and their lines."""

    def __init__(self, demand: Demand, catalog: Catalog, *, zone: ZoneInfo, day_zero: date) -> None:
        self._demand, self._catalog = demand, catalog
        self._zone, self._day_zero = zone, day_zero
        self._postings: list[np.ndarray] = [np.empty(0, POSTING)]
        self._lines: list[np.ndarray] = [np.empty(0, LINE)]
        self._first_line = np.zeros(1, dtype=np.int64)
        self._ends: defaultdict[int, list[Ended]] = defaultdict(list)
        self._orders = 0

    @property
    def postings(self) -> np.ndarray:
        if len(self._postings) > 1:
            self._postings = [np.concatenate(self._postings)]
        return self._postings[0]

    @property
    def lines(self) -> np.ndarray:
        if len(self._lines) > 1:
            self._lines = [np.concatenate(self._lines)]
        return self._lines[0]

    @property
    def first_line(self) -> Ints:
        """Place in `lines` of the first line of every posting, and the end of the last one."""
        if len(self._first_line) != len(self.postings) + 1:
            self._first_line = np.concatenate([[0], np.cumsum(self.postings["lines"], dtype=np.int64)])
        return self._first_line

    def add_day(self, day: int, units: Ints, prices: Ints, old_prices: Ints) -> None:
        """Turn the units sold on a day into orders, postings and lines. Prices in kopecks."""
        numbers = self._demand.stream("postings", day)
        lines = _lines(numbers, units, prices, old_prices)
        postings = self._postings_of(numbers, day, lines)
        self._schedule_ends(day, postings, lines)
        self._postings.append(postings)
        self._lines.append(lines)

    def ended_on(self, day: int) -> list[Ended]:
        """What is cancelled or returned on `day`. It is told once."""
        return self._ends.pop(day, [])

    def _schedule_ends(self, day: int, postings: np.ndarray, lines: np.ndarray) -> None:
        ended, returned = (np.repeat(postings[column], postings["lines"]) for column in ("ended", "returned"))
        for last_day in np.unique(ended[ended < NEVER]).tolist():
            for after_shipping in (False, True):
                those = lines[(ended == last_day) & (returned == after_shipping)]
                self._ends[last_day].append(Ended(day, after_shipping, those["product"], those["quantity"]))

    def reserved(self, today: int) -> Ints:
        """Units of every product that are sold but have not left the warehouse, as seen on `today`."""
        start = int(np.searchsorted(self.postings["day"], today - LAST_CHANGE_DAYS))
        recent = self.postings[start:]
        waiting = (recent["shipped"] >= today) & (recent["ended"] >= today)
        of_lines = np.repeat(waiting, recent["lines"])
        lines = self.lines[self.first_line[start] :][of_lines]
        units = np.bincount(lines["product"], weights=lines["quantity"], minlength=self._demand.skus)
        return units.astype(np.int64)

    def _postings_of(self, numbers: np.random.Generator, day: int, lines: np.ndarray) -> np.ndarray:
        places = self._places(numbers, lines["product"])
        order, part, first = _grouped(numbers, lines["product"], places == FBS_PLACE)
        postings = np.zeros(len(first), POSTING)
        postings["day"] = day
        postings["order"] = self._orders + order[first]
        postings["part"] = part[first]
        postings["place"] = places[first]
        postings["fbs"] = places[first] == FBS_PLACE
        postings["lines"] = np.diff(np.append(first, len(lines)))
        postings["cluster"] = numbers.integers(0, len(FBO_WAREHOUSES), len(first))
        self._orders += int(order[-1]) + 1 if len(order) else 0
        self._set_times(numbers, day, postings)
        _set_fates(numbers, day, postings)
        return postings

    def _places(self, numbers: np.random.Generator, products: Ints) -> Ints:
        """The warehouse that a line would be sent from if it travelled alone."""
        catalog = self._catalog
        second = (numbers.random(len(products)) < 0.3) & (catalog.scheme[products] != FBS)
        return np.where(second, catalog.second_place[products], catalog.main_place[products])

    def _set_times(self, numbers: np.random.Generator, day: int, postings: np.ndarray) -> None:
        """Orders spread over the shop's own day; the first is created the evening before, the last at its very end."""
        opens, closes = self.day_bounds(day)
        moments = np.sort(numbers.beta(2.0, 1.6, len(postings)) * (closes - opens - 60_000_000)).astype(np.int64)
        # All postings of an order are processed together.
        _, place = np.unique(postings["order"], return_index=True)
        shared = moments[place[postings["order"] - postings["order"][0]]] if len(postings) else moments
        postings["at"] = opens + 30_000_000 + shared
        if len(postings):
            postings["at"][postings["order"] == postings["order"][-1]] = closes - 1_250_000
            postings["at"][postings["order"] == postings["order"][0]] = opens + 7_716_614
        postings["created"] = postings["at"] - 16_062_878

    def day_bounds(self, day: int) -> tuple[int, int]:
        """First moment of a shop day and of the next, in microseconds UTC."""
        first, after = (self._midnight(day + step) for step in (0, 1))
        return first, after

    def noons(self, days: Ints) -> Ints:
        """The middle of each of these shop days, in microseconds UTC."""
        distinct, places = np.unique(days, return_inverse=True)
        return np.array([sum(self.day_bounds(day)) // 2 for day in distinct.tolist()], dtype=np.int64)[places]

    def _midnight(self, day: int) -> int:
        moment = datetime.combine(self._day_zero + timedelta(days=day), time(0), self._zone)
        return round((moment - EPOCH) / timedelta(microseconds=1))


def status_codes(postings: np.ndarray, today: int) -> Ints:
    """The status of every posting as seen on the morning of `today`."""
    seen = [postings[column] < today for column in reversed(CHANGES)]
    seen[0] &= ~stays_delivered(postings)
    return np.select(seen, [CANCELLED, DELIVERED, DELIVERING, AWAITING_DELIVER], AWAITING_PACKAGING)


def stays_delivered(postings: np.ndarray) -> np.ndarray:
    """Postings whose goods the buyer sent back, or will, without a change of their status."""
    stays: np.ndarray = (postings["reason"] == SENT_BACK.reason_id) & (postings["order"] % 2 == 0)
    return stays


def changed_on(postings: np.ndarray, today: int) -> Ints:
    """The day of the last change of status that is seen on `today`."""
    days = [np.where(postings[column] < today, postings[column], 0 - NEVER) for column in ("day", *CHANGES)]
    days[-1] = np.where(stays_delivered(postings), 0 - NEVER, days[-1])
    last: Ints = np.max(days, axis=0)
    return last


def _lines(numbers: np.random.Generator, units: Ints, prices: Ints, old_prices: Ints) -> np.ndarray:
    """Units grouped into order lines (most of one unit), in random order."""
    each = np.repeat(np.arange(len(units)), units)
    starts = numbers.random(len(each)) >= JOINED_UNIT
    starts[np.flatnonzero(np.diff(each, prepend=-1))] = True
    first = numbers.permutation(np.flatnonzero(starts))
    quantity = np.zeros(len(each), dtype=np.int64)
    quantity[np.flatnonzero(starts)] = np.diff(np.append(np.flatnonzero(starts), len(each)))
    lines = np.zeros(len(first), LINE)
    lines["product"] = each[first]
    lines["quantity"] = quantity[first]
    lines["price"], lines["old_price"] = prices[lines["product"]], old_prices[lines["product"]]
    return lines


def _grouped(numbers: np.random.Generator, products: Ints, fbs: np.ndarray) -> tuple[Ints, Ints, Ints]:
    """Order of every line, its posting within the order (1 or 2), and the first line of every posting.

    Two lines of one order travel together only when both are FBO or both FBS."""
    count = len(products)
    joins = numbers.random(count) < JOINED_LINE
    joins &= np.arange(count) % 2 == 1  # an order has one or two lines
    joins &= products != np.roll(products, 1)
    order = np.cumsum(~joins) - 1
    together = joins & (fbs == np.roll(fbs, 1)) & (numbers.random(count) < SAME_POSTING)
    part = np.where(joins & ~together, 2, 1)
    return order, part, np.flatnonzero(~together)


def _set_fates(numbers: np.random.Generator, day: int, postings: np.ndarray) -> None:
    count = len(postings)
    postings["packed"] = day + numbers.integers(0, 2, count)
    postings["shipped"] = postings["packed"] + numbers.integers(0, 2, count)
    postings["delivered"] = postings["shipped"] + numbers.integers(2, 8, count)
    postings["ended"] = NEVER
    fate = numbers.random(count)
    _cancel(numbers, day, postings, fate < CANCELLED_SHARE)
    returned = (fate >= CANCELLED_SHARE) & (fate < CANCELLED_SHARE + RETURNED_SHARE)
    _return(numbers, postings, returned)


def _cancel(numbers: np.random.Generator, day: int, postings: np.ndarray, chosen: np.ndarray) -> None:
    count = len(postings)
    ended = np.minimum(day + numbers.integers(0, 3, count), postings["shipped"])
    reason = numbers.choice(CANCEL_IDS, count, p=[0.5, 0.3, 0.12, 0.08])
    postings["ended"][chosen], postings["reason"][chosen] = ended[chosen], reason[chosen]
    postings["packed"][chosen & (postings["packed"] >= ended)] = NEVER
    for column in ("shipped", "delivered"):
        postings[column][chosen] = NEVER


def _return(numbers: np.random.Generator, postings: np.ndarray, chosen: np.ndarray) -> None:
    """Half are not picked up, a tenth is lost or cannot be delivered, the others come back from the buyer."""
    count = len(postings)
    kind = numbers.random(count)
    later = numbers.integers(0, 7, count)
    refused, lost = chosen & (kind < 0.5), chosen & (kind >= 0.5) & (kind < 0.6)
    kept = chosen & (kind >= 0.6)
    postings["returned"][chosen] = True
    for group, wait, since in ((refused, 9, "shipped"), (lost, 5, "shipped"), (kept, 2, "delivered")):
        postings["ended"][group] = (postings[since] + wait + later)[group]
    postings["reason"][refused] = NOT_PICKED_UP.reason_id
    postings["reason"][lost] = np.where(later % 2, *(reason.reason_id for reason in UNDELIVERED))[lost]
    postings["reason"][kept] = SENT_BACK.reason_id
    postings["delivered"][refused | lost] = NEVER
