"""The log of what clients asked the imitated routes, for assertions. Secrets are masked when a call enters."""

import threading
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

SECRET_WORDS = ("api_key", "api-key", "apikey", "secret", "token", "password", "authorization")
KEPT_HEADERS = ("client-id", "api-key", "x-api-key", "authorization")
MASK = "***"
LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class Call:
    """One call. `status` is None while it is open and when no status was ever sent; `at` is in Unix seconds."""

    number: int
    at: float
    route: str
    method: str
    headers: dict[str, str]
    request: Any
    status: int | None = None
    fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class CallLog:
    """Calls in the order in which they arrived. Safe between threads."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._last_number = 0
        self._lock = threading.Lock()

    def open(self, *, at: float, route: str, method: str, headers: dict[str, str], request: Any) -> Call:
        kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
        with self._lock:
            self._last_number += 1
            call = Call(self._last_number, at, route, method, masked(kept), masked(request))
            self._calls.append(call)
        return call

    def close(self, call: Call, *, status: int | None, fault: str | None) -> None:
        with self._lock:
            for place in range(len(self._calls) - 1, -1, -1):
                if self._calls[place].number == call.number:
                    self._calls[place] = replace(call, status=status, fault=fault)
                    return

    def of(self, route: str = "*") -> list[Call]:
        """Calls of a route; `*` in the name is a wildcard."""
        with self._lock:
            return [call for call in self._calls if fnmatchcase(call.route, route)]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


def masked(value: Any, name: str = "") -> Any:
    """A copy of JSON data with the values of secret-looking fields replaced and endless texts cut."""
    if isinstance(value, dict):
        return {key: masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, name) for inner in value]
    if value and any(word in name.lower() for word in SECRET_WORDS):
        return MASK
    return value[:LONGEST_TEXT] if isinstance(value, str) else value
