"""Scripted faults: what goes wrong, on which route, how often.

A script is played in the order it was written: the oldest fault that names the called route is the one whose turn it
is, first letting `after_calls` calls pass and then spoiling `times` calls. Nothing is random, so a test that fails
once fails always.
"""

import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class Kind(StrEnum):
    """What can go wrong. Up to `RESET` the frame does it; the rest is played by the imitated route itself."""

    TOO_MANY = "429"  # not applied; a Retry-After header only when `retry_after` is given
    SERVER_ERROR = "500"  # not applied
    LOST_502 = "502_after_apply"
    HANG = "hang"  # not applied; silence for `delay` seconds, then the connection is reset
    HANG_AFTER_APPLY = "hang_after_apply"
    TRUNCATED_JSON = "truncated_json"  # applied; the first half of the true answer
    HTML = "html"  # not applied; a gateway's page under status 200
    WRONG_CONTENT_TYPE = "wrong_content_type"  # applied; the true answer called text/plain
    DRIP = "drip"  # applied; the true answer, one byte each `delay` seconds
    RESET_AFTER_APPLY = "reset_after_apply"
    RESET = "reset"  # not applied; the TCP connection is reset

    NO_EFFECT = "no_effect"  # says it is done and does nothing
    LATE_APPLY = "late_apply"  # says it is done and does it `delay` seconds later
    HALF_PAGE = "half_page"  # half the rows of the page, the cursor goes on correctly
    REPEATED_CURSOR = "repeated_cursor"  # the page comes with the cursor that was asked for
    EMPTY_200 = "empty_200"  # a well-formed answer without rows
    ODD_ROW = "odd_row"  # one row of the page has null where its identifier belongs
    KOPECKS = "kopecks"  # prices a hundred times as large
    REVOKED_KEY = "revoked_key"  # the answer to a key that is no longer valid


PLAYED_BY_ROUTE = frozenset(
    {
        *(Kind.NO_EFFECT, Kind.LATE_APPLY, Kind.HALF_PAGE, Kind.REPEATED_CURSOR, Kind.EMPTY_200),
        *(Kind.ODD_ROW, Kind.KOPECKS, Kind.REVOKED_KEY),
    }
)
DEFAULT_DELAY = {Kind.HANG: 3600.0, Kind.HANG_AFTER_APPLY: 3600.0, Kind.DRIP: 1.0, Kind.LATE_APPLY: 5.0}


@dataclass(frozen=True)
class Fault:
    """One line of the script. `route` may hold `*`; `times` None: until it is taken away; `delay` in seconds."""

    route: str
    kind: Kind
    times: int | None = 1
    after_calls: int = 0
    delay: float = 0.0
    retry_after: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "route": self.route,
            "kind": self.kind.value,
            "times": self.times,
            "after_calls": self.after_calls,
            "delay": self.delay,
            "retry_after": self.retry_after,
        }


class BadFault(ValueError):
    """A fault that could never happen as written; the text names the field and what is accepted."""


def parse_fault(data: Any) -> Fault:
    """Read one fault from JSON. Raises BadFault."""
    if not isinstance(data, dict):
        raise BadFault('a fault is an object such as {"route": "telegram:sendMessage", "kind": "500", "times": 1}')
    unknown = sorted(set(data) - set(Fault.__dataclass_fields__))
    if unknown:
        raise BadFault(f"unknown field {unknown[0]!r}; accepted: {', '.join(Fault.__dataclass_fields__)}")
    if not isinstance(data.get("route"), str):
        raise BadFault("route: the name of an imitated route, `*` allowed, is required")
    try:
        kind = Kind(str(data.get("kind")))
    except ValueError as error:
        raise BadFault(f"kind: {error}; accepted: {', '.join(Kind)}") from None
    return Fault(
        route=data["route"],
        kind=kind,
        times=None if data.get("times", 1) is None else _number(data, "times", default=1, least=1),
        after_calls=_number(data, "after_calls", default=0, least=0),
        delay=_seconds(data, default=DEFAULT_DELAY.get(kind, 0.0)),
        retry_after=None if data.get("retry_after") is None else _number(data, "retry_after", default=1, least=1),
    )


def _number(data: dict[str, Any], field: str, *, default: int, least: int) -> int:
    value = data.get(field, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BadFault(f"{field}: a whole number from {least}, not {value!r}")
    return value


def _seconds(data: dict[str, Any], *, default: float) -> float:
    value = data.get("delay", default)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise BadFault(f"delay: seconds from 0, not {value!r}")
    return float(value)


class FaultBook:
    """The script. `routes` maps the name of each imitated route to the kinds it plays itself. Safe between threads."""

    def __init__(self, routes: dict[str, frozenset[Kind]]) -> None:
        self._routes = routes
        self._script: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Append a fault. Raises BadFault when no route could ever play it."""
        if not any(fnmatchcase(name, fault.route) for name in self._routes):
            raise BadFault(f"route: no route is called {fault.route!r}; routes: {', '.join(sorted(self._routes))}")
        if not any(self._plays(name, fault) for name in self._routes):
            raise BadFault(f"kind: {fault.route!r} does not play {fault.kind.value!r}")
        with self._lock:
            self._script.append(fault)

    def claim(self, route: str) -> Fault | None:
        """The fault that this call of `route` has to suffer; counts the call."""
        with self._lock:
            for place, fault in enumerate(self._script):
                if self._plays(route, fault):
                    return self._take(place, fault)
        return None

    def _plays(self, route: str, fault: Fault) -> bool:
        played = fault.kind not in PLAYED_BY_ROUTE or fault.kind in self._routes[route]
        return played and fnmatchcase(route, fault.route)

    def _take(self, place: int, fault: Fault) -> Fault | None:
        if fault.after_calls:
            self._script[place] = replace(fault, after_calls=fault.after_calls - 1)
            return None
        if fault.times == 1:
            del self._script[place]
        elif fault.times is not None:
            self._script[place] = replace(fault, times=fault.times - 1)
        return fault

    def pending(self) -> list[Fault]:
        with self._lock:
            return list(self._script)

    def clear(self, route: str | None = None) -> None:
        """Forget the whole script, or what was written for exactly this route."""
        with self._lock:
            self._script = [fault for fault in self._script if route is not None and fault.route != route]
