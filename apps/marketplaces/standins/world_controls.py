"""What the world tells outside the imitated APIs: its clock, its truth, and the seller's own cost list.

    GET  /world/clock?at=                -> {moment, date, day, zone}; the zone is that of the first shop; `moment` is
                                            what the clock showed at `at`, a real moment in ISO 8601, or shows now
    POST /world/next-day                 -> the same, a day later, for every shop
    GET  /world/ledger?from=&to=         -> {shop, days: [{day, rows: [...]}]}, both days inclusive, a row per product
    GET  /world/costs                    -> [{sku, product_id, offer_id, cost}], cost null where the seller has none
    GET  /world/truth?sku=&from_price=&to_price=   -> the true effect of a price on profit per day
    GET  /world/prices                   -> {prices, writes}: what is shown, what is in force, and every change

`shop=<client id>` chooses the shop; without it the first one answers. Money is a string of roubles.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from apps.marketplaces.standins.frame import StandIn
from apps.marketplaces.standins.ozon_seller.gate import Account, answered, error
from apps.marketplaces.standins.ozon_seller.money import text
from apps.marketplaces.standins.world import START, World


class BadQuestion(ValueError):
    """A query that cannot be answered; the text names the field and what is accepted."""


class WorldControls:
    """The control routes over one or several shops that share a clock."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._accounts = {account.client_id: account for account in accounts}
        self._first = accounts[0]

    def stand_in(self) -> StandIn:
        return StandIn(name="world", routes=(), error=error, controls=tuple(self._controls()))

    def _controls(self) -> list[BaseRoute]:
        reads: dict[str, Callable[[Request], Any]] = {
            "/world/clock": self.clock,
            "/world/ledger": self.ledger,
            "/world/costs": self.costs,
            "/world/truth": self.truth,
            "/world/prices": self.prices,
        }
        return [
            *(Route(path, _answering(read), methods=["GET"]) for path, read in reads.items()),
            Route("/world/next-day", _answering(self.next_day), methods=["POST"]),
        ]

    def clock(self, request: Request) -> dict[str, Any]:
        world = self._first.world
        clock = world.clock
        return {
            "moment": clock.moment(ago=_time_since(request)).isoformat(),
            "date": clock.date.isoformat(),
            "day": clock.day,
            "zone": str(world.zone),
        }

    def next_day(self, request: Request) -> dict[str, Any]:
        self._first.world.clock.next_day()
        return self.clock(request)

    def ledger(self, request: Request) -> dict[str, Any]:
        account = self._account(request)
        world = account.world
        first = _day_of(request, "from", min(world.ledger.days))
        last = _day_of(request, "to", world.day - 1)
        days = range(max(first, min(world.ledger.days)), min(last, world.day - 1) + 1)
        return {"shop": account.client_id, "days": [_ledger_page(world, day) for day in days]}

    def costs(self, request: Request) -> list[dict[str, Any]]:
        world = self._account(request).world
        return [{**_named(world, i), "cost": _cost(world, i)} for i in range(world.demand.skus)]

    def truth(self, request: Request) -> dict[str, Any]:
        world = self._account(request).world
        i = _product_of(world, request)
        price_from, price_to = (_price_of(request, name) for name in ("from_price", "to_price"))
        profits = [world.demand.unit_profit(i, price) for price in (price_from, price_to)]
        return {
            **_named(world, i),
            "elasticity": float(world.demand.elasticity[i]),
            "unit_profit_from": round(profits[0], 2),
            "unit_profit_to": round(profits[1], 2),
            "effect": world.demand.true_effect(i, price_from, price_to) if profits[0] > 0 else None,
        }

    def prices(self, request: Request) -> dict[str, Any]:
        world = self._account(request).world
        world.settle()
        return {
            "prices": [_price_row(world, i) for i in range(world.demand.skus)],
            "writes": [
                {
                    **_named(world, write.product),
                    "at": write.at.isoformat(),
                    "price_from": text(write.price_from),
                    "price_to": text(write.price_to),
                    "acts_from": _date(write.acts_from),
                    "effect": write.effect,
                }
                for write in world.ledger.writes
            ],
        }

    def _account(self, request: Request) -> Account:
        wanted = request.query_params.get("shop", self._first.client_id)
        if wanted not in self._accounts:
            raise BadQuestion(f"shop: {wanted!r} is not one of {', '.join(self._accounts)}")
        return self._accounts[wanted]


def _answering(read: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return answered(read(request))
        except BadQuestion as question:
            return answered({"error": str(question)}, 400)

    return endpoint


def _ledger_page(world: World, day: int) -> dict[str, Any]:
    truth = world.ledger.days[day]
    rows = [
        {
            **_named(world, i),
            "units": int(truth.units[i]),
            "revenue": text(truth.revenue[i]),
            "cancelled_units": int(truth.cancelled_units[i]),
            "returned_units": int(truth.returned_units[i]),
            "cancellations": int(truth.cancellations[i]),
            "returns": int(truth.returns[i]),
            "stock": int(truth.stock[i]),
            "price": text(truth.price[i]),
        }
        for i in range(world.demand.skus)
    ]
    return {"day": _date(day), "rows": rows}


def _price_row(world: World, i: int) -> dict[str, Any]:
    return {
        **_named(world, i),
        "price": text(world.price[i]),
        "in_force": text(world.in_force[i]),
        "old_price": text(world.old_price[i]),
        "min_price": text(world.min_price[i]),
    }


def _named(world: World, i: int) -> dict[str, Any]:
    catalog = world.catalog
    return {"sku": int(catalog.sku[i]), "product_id": int(catalog.product_id[i]), "offer_id": catalog.offer_id[i]}


def _cost(world: World, i: int) -> str | None:
    cost = world.known_cost(i)
    return None if cost is None else f"{cost:.2f}"


def _product_of(world: World, request: Request) -> int:
    wanted = request.query_params.get("sku", "")
    product = world.catalog.of_sku(int(wanted)) if wanted.isascii() and wanted.isdecimal() else None
    if product is None:
        raise BadQuestion(f"sku: the shop has no {wanted!r}")
    return product


def _price_of(request: Request, name: str) -> float:
    value = request.query_params.get(name, "")
    try:
        price = float(value)
    except ValueError:
        price = 0.0
    if not 0 < price < 1e9:
        raise BadQuestion(f"{name}: a price in roubles above 0, not {value!r}")
    return price


def _day_of(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return default
    try:
        return (date.fromisoformat(value) - START).days
    except ValueError:
        raise BadQuestion(f"{name}: a day such as 2026-03-01, not {value!r}") from None


def _time_since(request: Request) -> timedelta:
    """The real time since the moment `at`; none without it."""
    value = request.query_params.get("at")
    if value is None:
        return timedelta(0)
    try:
        return datetime.now(UTC) - datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise BadQuestion(f"at: a moment such as 2026-03-01T10:00:00+00:00, not {value!r}") from None


def _date(day: int) -> str:
    return (START + timedelta(days=day)).isoformat()
