"""The second demo world: a cosmetics shop that sells by Instagram, Telegram, Shopify and at fairs, run in KeyCRM.

Orders are not kept but drawn from their ids, so any number of them costs nothing until it is asked for; only what is
edited, added or deleted by hand is remembered. Ids are dense and grow with the moment an order is entered. One of
`BACK_DATED` was taken in weeks before it was entered. As days pass, orders move on to later statuses, and that moves
no `updated_at`, as in the real thing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from apps.marketplaces.standins.keycrm.chance import Ids, draw, draws
from apps.marketplaces.standins.keycrm.goods import Goods, Offer
from apps.marketplaces.standins.world import Clock

KYIV = ZoneInfo("Europe/Kyiv")
INSTAGRAM, TELEGRAM, OPENCART, SHOPIFY, FAIR, ETSY = 1, 2, 3, 4, 5, 6
SOURCES = (
    {"id": INSTAGRAM, "name": "Instagram", "alias": "instagram", "driver": "instagram", "currency_code": "UAH"},
    {"id": TELEGRAM, "name": "Telegram", "alias": "telegram", "driver": "telegram", "currency_code": "UAH"},
    {"id": OPENCART, "name": "Opencart", "alias": "opencart", "driver": "opencart", "currency_code": "UAH"},
    {"id": SHOPIFY, "name": "Shopify", "alias": "shopify", "driver": "shopify", "currency_code": "UAH"},
    {"id": FAIR, "name": "Виставка", "alias": "fair", "driver": None, "currency_code": "UAH"},
    {"id": ETSY, "name": "Etsy", "alias": "etsy", "driver": "etsy", "currency_code": "USD"},  # nothing sells there yet
)
RETAIL_MANAGERS, B2B_MANAGER = (4, 8, 22), 15
MANAGERS = (*RETAIL_MANAGERS, B2B_MANAGER)
STATUSES = (
    {"id": 1, "name": "Новий", "alias": "new", "group_id": 1, "is_active": True},
    {"id": 3, "name": "Погоджено", "alias": "agreed", "group_id": 2, "is_active": True},
    {"id": 9, "name": "Комплектується", "alias": "packing", "group_id": 3, "is_active": True},
    {"id": 11, "name": "Доставляється", "alias": "delivery", "group_id": 4, "is_active": True},
    {"id": 20, "name": "Прибуло у відділення", "alias": "at_branch", "group_id": 4, "is_active": True},
    {"id": 12, "name": "Виконано", "alias": "done", "group_id": 5, "is_active": True},
    {"id": 19, "name": "Скасовано", "alias": "canceled", "group_id": 6, "is_active": True},
    {"id": 22, "name": "Повернення", "alias": "returned", "group_id": 6, "is_active": False},
)
GROUPS = {one["id"]: one["group_id"] for one in STATUSES}
ON_THE_WAY = ((1, 1), (2, 3), (3, 9), (6, 11), (9, 20))  # (days since the order, status until then)
EXPENSE_TYPES = (
    {"id": 1, "name": "dictionaries.expense_types.delivery", "alias": "delivery", "is_active": True},
    {"id": 2, "name": "dictionaries.expense_types.commission", "alias": "commission", "is_active": True},
    {"id": 3, "name": "Пакування", "alias": "packing", "is_active": True},
)
BACK_DATED = 499
LATEST_ENTRY = 40 * 86_400  # seconds between an order and its entry, at most
KEPT_LISTS = 8
BLOCK = 64  # orders whose moments are drawn together
SOURCE, MANAGER, BUYER, FATE, CART, CHANGED, ENTERED, EXTRAS, KIND = range(9)


class Moments(NamedTuple):
    """Of one order as chance has them, in seconds."""

    entered: int
    ordered: int
    updated: int


@dataclass
class CrmShop:
    """`orders` orders in the `history_days` before the clock's day; each later day brings the usual number more. Some
    of its `products` have the `skus` of another shop."""

    clock: Clock
    seed: int = 7
    orders: int = 3_000
    products: int = 400
    history_days: int = 400
    skus: tuple[str, ...] = ()
    edited: dict[int, dict[str, Any]] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    _lists: OrderedDict[tuple[Any, ...], Ids] = field(default_factory=OrderedDict)
    _block: dict[int, Moments] = field(default_factory=dict)
    _block_key: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        self.goods = Goods(self.seed, self.products, self.skus)
        self._first_day = self.clock.date - timedelta(days=self.history_days)
        self._starts = np.zeros(0, np.int64)  # of each day, in seconds
        self._ends = np.zeros(0, np.int64)  # the last id of each day, in order of the days
        self._placed = 0  # by hand, since the last day began
        self._extend()

    # What a person would do in KeyCRM

    def edit(self, order_id: int, **fields: Any) -> None:
        """Change fields of an order as its row has them; `updated_at` moves only when it is among them."""
        self.edited.setdefault(order_id, {}).update(fields)
        self._lists.clear()

    def delete(self, order_id: int) -> None:
        self.deleted.add(order_id)
        self._lists.clear()

    def place(self, **fields: Any) -> int:
        """An order entered now, with whatever differs from what chance would make of it; returns its id."""
        self._placed += 1
        order_id = self.last_id
        self.edit(order_id, **{"ordered_at": self.clock.moment(), "updated_at": self.clock.moment(), **fields})
        return order_id

    # What there is

    @property
    def last_id(self) -> int:
        self._extend()
        return int(self._ends[-1]) + self._placed if len(self._ends) else self._placed

    def exists(self, order_id: int) -> bool:
        return 0 < order_id <= self.last_id and order_id not in self.deleted

    def ids(
        self,
        *,
        created: tuple[datetime, datetime] | None = None,
        updated: tuple[datetime, datetime] | None = None,
        sources: frozenset[int] = frozenset(),
        statuses: frozenset[int] = frozenset(),
    ) -> Ids:
        """Ids of the orders that fit, in their order; the last few answers are kept, for their next pages."""
        key = (self.last_id, self.clock.day, created, updated, sources, statuses)
        if key not in self._lists:
            self._lists[key] = self._found(created, updated, sources, statuses)
            while len(self._lists) > KEPT_LISTS:
                self._lists.popitem(last=False)
        return self._lists[key]

    def ordered_at(self, order_id: int) -> datetime:
        given = self.edited.get(order_id, {}).get("ordered_at")
        if isinstance(given, datetime):
            return given
        return datetime.fromtimestamp(self._moments(order_id).ordered, UTC)

    def entered_at(self, order_id: int) -> datetime:
        if order_id > int(self._ends[-1]):
            return self.clock.moment()
        return datetime.fromtimestamp(self._moments(order_id).entered, UTC)

    def updated_at(self, order_id: int) -> datetime:
        given = self.edited.get(order_id, {}).get("updated_at")
        if isinstance(given, datetime):
            return given
        return datetime.fromtimestamp(self._moments(order_id).updated, UTC)

    def source(self, order_id: int) -> int:
        """Opencart had its time in the first fifth of the days; a fair is held on two days of every sixty."""
        days = (self.ordered_at(order_id).astimezone(KYIV).date() - self._first_day).days
        chance = draw(self.seed, order_id, SOURCE) % 100
        if days % 60 < 2 and chance < 50:
            return FAIR
        if days < self.history_days // 5 and chance < 30:
            return OPENCART
        return INSTAGRAM if chance < 45 else TELEGRAM if chance < 65 else SHOPIFY

    def manager(self, order_id: int, source: int) -> int | None:
        chance = draw(self.seed, order_id, MANAGER) % 100
        if source in (SHOPIFY, OPENCART) and chance < 70:
            return None
        return B2B_MANAGER if chance % 25 == 0 else RETAIL_MANAGERS[chance % len(RETAIL_MANAGERS)]

    def buyer(self, order_id: int) -> int:
        """A third of the orders are of buyers who come again and again."""
        chance = draw(self.seed, order_id, BUYER)
        buyers = max(self.orders * 6 // 10, 10)
        return 1 + (chance // 3 % max(buyers // 20, 1) if chance % 3 == 0 else chance // 3 % buyers)

    def status(self, order_id: int) -> tuple[int, datetime]:
        """The status of an order today, and since when; one in ten is lost in the end."""
        ordered_at = self.ordered_at(order_id)
        age = (self.clock.moment() - ordered_at).days
        fate = draw(self.seed, order_id, FATE) % 20
        lost_after = 4 + fate
        if fate < 2 and age >= lost_after:
            return (19, 22)[fate], ordered_at + timedelta(days=lost_after)
        for days, status in ON_THE_WAY:
            if age < days:
                return status, ordered_at + timedelta(days=max(days - 2, 0))
        return 12, ordered_at + timedelta(days=9)

    def cart(self, order_id: int) -> list[tuple[Offer, Decimal, int]]:
        """(what, price, how many), one to three lines; popular goods are sold more often."""
        chance = draw(self.seed, order_id, CART)
        offers, cart = self.goods.offers, []
        for line in range(1 + chance % 3):
            part = draw(self.seed, order_id, 1000 + line)
            share = (part % 10_000) / 10_000
            offer = offers[int(len(offers) * share * share)]
            discount = (0, 0, 5, 10)[part // 10_000 % 4]
            price = (offer.price * (100 - discount) / 100).quantize(Decimal("0.01"))
            cart.append((offer, price, 1 + part // 100_000 % 2))
        return cart

    # How

    def _extend(self) -> None:
        """Days that have ended since the last look get their orders: none of the clock's own day exist before."""
        known, wanted = len(self._ends), (self.clock.date - self._first_day).days
        if wanted <= known:
            return
        weights = np.array([self._weight(day) for day in range(max(wanted, self.history_days))])
        share = self.orders / weights[: self.history_days].sum()
        drawn = np.round(np.cumsum(weights)[:wanted] * share).astype(np.int64)
        before = int(drawn[known - 1]) if known else 0
        last_id = (int(self._ends[-1]) if known else 0) + self._placed
        self._ends = np.concatenate([self._ends, drawn[known:] - before + last_id])
        self._placed = 0  # their ids lie before the first one of the new day
        midnights = [_midnight(self._first_day + timedelta(days=day)) for day in range(known, wanted)]
        self._starts = np.concatenate([self._starts, np.array(midnights, dtype=np.int64)])

    def _weight(self, day: int) -> float:
        """More is sold on weekdays and before the new year."""
        on = self._first_day + timedelta(days=day)
        return (1.0, 1.0, 1.05, 1.1, 1.15, 0.8, 0.7)[on.weekday()] * (1.6 if on.month in (11, 12) else 1.0)

    def _moments(self, order_id: int) -> Moments:
        """Drawn with those of its neighbours, which are on the same page: a call of numpy costs the same for all."""
        key = (order_id // BLOCK, len(self._ends), self._this_hour)
        if key != self._block_key:
            ids = np.arange(key[0] * BLOCK, (key[0] + 1) * BLOCK, dtype=np.int64)
            drawn = (self._entered(ids), self._ordered(ids), self._updated(ids))
            rows = zip(*(one.tolist() for one in drawn), strict=True)
            self._block = {order_id: Moments(*row) for order_id, row in zip(ids.tolist(), rows, strict=True)}
            self._block_key = key
        return self._block[order_id]

    @property
    def _this_hour(self) -> int:
        return int(self.clock.moment().timestamp()) // 3600 * 3600

    def _entered(self, ids: Ids) -> Ids:
        """When orders were entered, in seconds: evenly over their day."""
        day = np.minimum(np.searchsorted(self._ends, ids, side="left"), len(self._ends) - 1)
        before = np.where(day > 0, self._ends[np.maximum(day - 1, 0)], 0)
        count = np.maximum(self._ends[day] - before, 1)
        return np.asarray(self._starts[day] + (2 * (ids - before) - 1) * 82_000 // (2 * count), dtype=np.int64)

    def _ordered(self, ids: Ids) -> Ids:
        late = (draws(self.seed, ids, ENTERED) % np.uint64(LATEST_ENTRY)).astype(np.int64)
        return np.asarray(self._entered(ids) - np.where(ids % BACK_DATED == 0, late, 0), dtype=np.int64)

    def _updated(self, ids: Ids) -> Ids:
        """Half an hour to three days after it was entered, never later than now."""
        later = (draws(self.seed, ids, CHANGED) % np.uint64(3 * 86_400 - 1800)).astype(np.int64) + 1800
        return np.asarray(np.minimum(self._entered(ids) + later, self._this_hour), dtype=np.int64)

    def _found(
        self,
        created: tuple[datetime, datetime] | None,
        updated: tuple[datetime, datetime] | None,
        sources: frozenset[int],
        statuses: frozenset[int],
    ) -> Ids:
        drawn = int(self._ends[-1]) if len(self._ends) else 0
        ids = np.arange(1, drawn + 1, dtype=np.int64)
        for bounds, moments, slack in ((created, self._ordered, LATEST_ENTRY), (updated, self._updated, 0)):
            if bounds is None:
                continue
            first, last = (int(moment.timestamp()) for moment in bounds)
            ids = self._entered_between(ids, first - 4 * 86_400, last + slack)
            at = moments(ids)
            ids = ids[(at >= first) & (at <= last)]
        ids = self._with_edited(ids, created, updated, last_id=drawn + self._placed)
        if sources or statuses:
            fit = [i for i in ids.tolist() if self._has(i, sources, statuses)]
            ids = np.array(fit, dtype=np.int64)
        return ids

    def _entered_between(self, ids: Ids, first: int, last: int) -> Ids:
        """Those that were entered about then: the rest need not be drawn. `ids` are in their order."""
        from_day = max(int(np.searchsorted(self._starts, first, side="right")) - 1, 0)
        to_day = max(int(np.searchsorted(self._starts, last, side="right")) - 1, 0)
        least = int(self._ends[from_day - 1]) if from_day else 0
        return ids[np.searchsorted(ids, least, side="right") : np.searchsorted(ids, self._ends[to_day], side="right")]

    def _with_edited(
        self,
        ids: Ids,
        created: tuple[datetime, datetime] | None,
        updated: tuple[datetime, datetime] | None,
        *,
        last_id: int,
    ) -> Ids:
        """What was changed by hand is looked at one by one."""
        fit = [
            order_id
            for order_id in self.edited
            if order_id <= last_id
            and (created is None or created[0] <= self.ordered_at(order_id).replace(microsecond=0) <= created[1])
            and (updated is None or updated[0] <= self.updated_at(order_id).replace(microsecond=0) <= updated[1])
        ]
        touched = np.array([*self.edited, *self.deleted], dtype=np.int64)
        kept = ids[~np.isin(ids, touched)] if len(touched) else ids
        added = np.array([order_id for order_id in fit if order_id not in self.deleted], dtype=np.int64)
        return np.sort(np.concatenate([kept, added])) if len(added) else kept

    def _has(self, order_id: int, sources: frozenset[int], statuses: frozenset[int]) -> bool:
        edits = self.edited.get(order_id, {})
        source = edits.get("source_id", self.source(order_id)) if sources else 0
        status = edits.get("status_id", self.status(order_id)[0]) if statuses else 0
        return (not sources or source in sources) and (not statuses or status in statuses)


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time.min, KYIV).timestamp())
