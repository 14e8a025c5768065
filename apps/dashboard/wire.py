"""How figures go over the wire: JSON under its ETag, rounded as the contract says; the labels and colours of charts."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja.renderers import BaseRenderer

CENT, TENTH, UNIT = Decimal("0.01"), Decimal("0.1"), Decimal(1)
LABEL_WIDTH = 25
COLOURS = (
    *("#2563eb", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#ec4899", "#14b8a6", "#f97316", "#6366f1", "#84cc16"),
    *("#06b6d4", "#d946ef", "#64748b", "#eab308", "#22c55e"),
)
BLUE, GREY, RED, GREEN = COLOURS[0], "#9ca3af", COLOURS[3], COLOURS[2]


class Json(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return dump(data)


def dump(data: Any) -> bytes:
    """JSON of dataclasses, dates and what is made of them; lazy words become words. An amount has to be rounded by
    `money` before: nothing else tells how."""
    return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


def tagged(request: HttpRequest, tag: str, body: Callable[[], bytes]) -> HttpResponse:
    """`body` as JSON under this tag; or 304, for which nobody makes it, when the caller has it already."""
    known = tag in re.findall('"([^"]*)"', request.headers.get("If-None-Match", ""))
    response = HttpResponse(status=304) if known else HttpResponse(body(), content_type=Json.media_type)
    response["ETag"] = f'W/"{tag}"'  # weak: compressed or not, it is the same answer
    return response


def tag_of(what: bytes) -> str:
    return hashlib.sha256(what).hexdigest()[:32]


def money(amount: Decimal) -> float:
    return float(amount.quantize(CENT, ROUND_HALF_UP))


def units(quantity: Decimal) -> int:
    return int(quantity.quantize(UNIT, ROUND_HALF_UP))


def share(part: Decimal | int, whole: Decimal | int) -> float:
    """`part` of `whole` in percent; of nothing it is 0."""
    return float((100 * Decimal(part) / Decimal(whole)).quantize(TENTH, ROUND_HALF_UP)) if whole else 0.0


def growth(now: Decimal, before: Decimal) -> float | None:
    """The change in percent; from nothing there is none."""
    return share(now - before, before) if before else None


def mean(total: Decimal | int, count: int) -> float:
    """An amount for each of `count`; of none it is 0."""
    return money(Decimal(total) / count) if count else 0.0


def day_label(day: date) -> str:
    return f"{day.day:02}.{day.month:02}"


def wrapped(name: str) -> list[str]:
    return textwrap.wrap(name, LABEL_WIDTH) or [name]


def colours(count: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


@dataclass(frozen=True)
class Dataset:
    """A line of a Chart.js chart; null is a day that has no value."""

    label: str
    data: Sequence[float | None]
    borderColor: str
    backgroundColor: str
    fill: bool = False
    tension: float = 0.3
    borderWidth: int = 2
    borderDash: tuple[int, ...] = ()


def line(
    label: str, data: Sequence[float | None], colour: str, *, dashed: bool = False, filled: bool = False
) -> Dataset:
    background = f"{colour}1a" if filled else "transparent"
    return Dataset(label, data, colour, background, fill=filled, borderDash=(5, 5) if dashed else ())
