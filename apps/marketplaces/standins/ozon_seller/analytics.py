"""/v1/analytics/data of the imitated Seller API, for a shop with or without a Premium Plus subscription."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.ozon_seller.ask import Ask, one_of
from apps.marketplaces.standins.ozon_seller.gate import (
    EXHAUSTED,
    PERMISSION_DENIED,
    TOO_FAST,
    Account,
    Refused,
    invalid,
)
from apps.marketplaces.standins.ozon_seller.money import number
from apps.marketplaces.standins.world import START, World

CALLS_A_DAY, MONTHS_OF_DAYS, MOST_METRICS = 50, 92, 14
DIMENSIONS = ("sku", "spu", "day", "week", "month")
METRICS = ("revenue", "ordered_units")
PREMIUM_DIMENSIONS = ("year", "category1", "category2", "category3", "category4", "brand", "modelID", "descriptionType")
PREMIUM_METRICS = (
    *("hits_view", "hits_view_search", "hits_view_pdp", "hits_tocart", "hits_tocart_search", "hits_tocart_pdp"),
    *("session_view", "session_view_search", "session_view_pdp", "conv_tocart", "conv_tocart_search"),
    *("conv_tocart_pdp", "returns", "cancellations", "delivered_units", "position_category"),
)
COMPARISONS = {
    "EQ": lambda left, right: left == right,
    "GT": lambda left, right: left > right,
    "GTE": lambda left, right: left >= right,
    "LT": lambda left, right: left < right,
    "LTE": lambda left, right: left <= right,
}
PREMIUM_ONLY = "Metrics or dimensions are not available with existing subscription"

Key = tuple[str, ...]


def analytics_data(ask: Ask) -> dict[str, Any]:
    """POST /v1/analytics/data"""
    _count(ask.account)
    ask.only("date_from", "date_to", "metrics", "dimension", "filters", "sort", "limit", "offset")
    metrics = _named(ask, "metrics", METRICS, PREMIUM_METRICS)
    dimensions = _named(ask, "dimension", DIMENSIONS, PREMIUM_DIMENSIONS)
    limit, offset = ask.limit(1000), ask.fields.get("offset") or 0
    if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        raise invalid(f"invalid {ask.message}.Offset: value must be greater than or equal to 0")
    first, last = _period(ask)
    sums = {} if ask.suffers(Kind.EMPTY_200) else _sums(ask.world, first, last, dimensions)
    rows = [(key, [values[METRICS.index(metric)] for metric in metrics]) for key, values in sums.items()]
    rows = _sorted(ask, _filtered(ask, rows, metrics, dimensions), metrics)
    return {
        "result": {
            "data": [_row(ask.world, dimensions, metrics, *row) for row in rows[offset : offset + limit]],
            "totals": [_figure(metric, sum(row[1][i] for row in rows)) for i, metric in enumerate(metrics)],
        },
        "timestamp": f"{ask.world.clock.moment():%Y-%m-%d %H:%M:%S}",
    }


def _count(account: Account) -> None:
    """One call a minute, 50 a day, by the world's clock."""
    now = account.world.clock.moment()
    today = [at for at in account.analytics_calls if at.date() == now.date()]
    if today and now - today[-1] < timedelta(minutes=1):
        wait = timedelta(minutes=1) - (now - today[-1])
        raise Refused(429, EXHAUSTED, TOO_FAST, retry_after=int(wait.total_seconds()) + 1)
    if len(today) >= CALLS_A_DAY:
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
        raise Refused(429, EXHAUSTED, TOO_FAST, retry_after=int((midnight - now).total_seconds()) + 1)
    account.analytics_calls[:] = [*today, now]


def _named(ask: Ask, field: str, free: tuple[str, ...], premium: tuple[str, ...]) -> list[str]:
    names = ask.fields.get(field)
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_METRICS:
        raise invalid(
            f"invalid {ask.message}.{field}: value must contain between 1 and {MOST_METRICS} items, inclusive"
        )
    for name in names:
        one_of(name, field, (*free, *premium))
    if any(name in premium for name in names):
        raise Refused(403, PERMISSION_DENIED, PREMIUM_ONLY)
    return names


def _period(ask: Ask) -> tuple[int, int]:
    """First and last world day asked for. Days of the future hold nothing; older than three months are refused."""
    try:
        first, last = (date.fromisoformat(ask.fields[name]) for name in ("date_from", "date_to"))
    except (KeyError, TypeError, ValueError):
        raise invalid(f"invalid {ask.message}: date_from and date_to must be dates like 2026-03-01") from None
    if last < first:
        raise invalid(f"invalid {ask.message}: date_to must not be earlier than date_from")
    if (ask.world.clock.date - first).days > MONTHS_OF_DAYS:
        raise invalid("data is available for the last 3 months only")
    return (first - START).days, (last - START).days


def _sums(world: World, first: int, last: int, dimensions: list[str]) -> dict[Key, tuple[int, int]]:
    """Kopecks and units by the values of the dimensions."""
    found: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for day in range(max(first, min(world.ledger.days)), min(last + 1, world.day)):
        truth = world.ledger.days[day]
        for product in np.flatnonzero(truth.units).tolist():
            entry = found[_key(world, dimensions, day, product)]
            entry[0] += int(truth.revenue[product])
            entry[1] += int(truth.units[product])
    return {key: (revenue, units) for key, (revenue, units) in found.items()}


def _key(world: World, dimensions: list[str], day: int, product: int) -> Key:
    moment = START + timedelta(days=day)
    values = {
        "sku": str(world.catalog.sku[product]),
        "spu": str(world.catalog.sku[product]),
        "day": moment.isoformat(),
        "week": (moment - timedelta(days=moment.weekday())).isoformat(),
        "month": moment.replace(day=1).isoformat(),
    }
    return tuple(values[name] for name in dimensions)


def _filtered(ask: Ask, rows: list[Any], metrics: list[str], dimensions: list[str]) -> list[Any]:
    for wanted in ask.fields.get("filters") or ():
        key, value = wanted.get("key"), wanted.get("value")
        compare = COMPARISONS[one_of(wanted.get("op"), "op", tuple(COMPARISONS))]
        if key in dimensions:
            place = dimensions.index(key)
            rows = [row for row in rows if compare(row[0][place], str(value))]
        else:
            place = metrics.index(one_of(key, "key", metrics))
            bound = float(value) * (100 if key == "revenue" else 1)
            rows = [row for row in rows if compare(row[1][place], bound)]
    return rows


def _sorted(ask: Ask, rows: list[Any], metrics: list[str]) -> list[Any]:
    for wanted in reversed(ask.fields.get("sort") or []):
        place = metrics.index(one_of(wanted.get("key"), "key", metrics))
        down = one_of(wanted.get("order", "ASC"), "order", ("ASC", "DESC")) == "DESC"
        rows = sorted(rows, key=lambda row: row[1][place], reverse=down)
    return rows


def _row(world: World, dimensions: list[str], metrics: list[str], key: Key, values: list[int]) -> dict[str, Any]:
    names = [_name(world, name, value) for name, value in zip(dimensions, key, strict=True)]
    figures = [_figure(metric, value) for metric, value in zip(metrics, values, strict=True)]
    return {"dimensions": names, "metrics": figures}


def _name(world: World, dimension: str, value: str) -> dict[str, str]:
    product = world.catalog.of_sku(int(value)) if dimension in ("sku", "spu") else None
    return {"id": value, "name": "" if product is None else world.catalog.name[product]}


def _figure(metric: str, value: int) -> int | float:
    return number(value) if metric == "revenue" else value
