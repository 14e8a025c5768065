"""What stands before every method of the imitated OZON Seller API: keys, the 50 calls a second, and its errors."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from time import monotonic

import orjson
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response

from apps.marketplaces.standins.world import START, World

KEY_LIVES_UNTIL = START + timedelta(days=75)
INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, EXHAUSTED, OBSOLETE, INTERNAL, UNAUTHENTICATED = 3, 5, 7, 8, 9, 13, 16
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
NO_HEADERS = "Client-Id and Api-Key headers are required"
ODD_CLIENT_ID = "Client-Id header value should be positive integer"
WRONG_KEY = "Invalid Api-Key, please check the key and try again"
NO_ROLE = "Api-Key is missing a required role for a method"
REVOKED_KEY = "Api-key is deactivated, use another one or generate a new one"
TOO_FAST = "You have reached request rate limit per second"


@dataclass
class Account:
    """A shop's cabinet: its key and its world. `subscription` is OZON's name of the plan, UNSPECIFIED for none.

    `more_keys` open it too: a cabinet may have several. `closed_methods` are those that none of its keys may call.
    """

    client_id: str
    api_key: str
    world: World
    company: str = "ООО «Витрина»"
    currency: str = "RUB"
    subscription: str = "UNSPECIFIED"
    calls_a_second: int = 50
    calls: deque[float] = field(default_factory=deque)  # real moments of the last second
    more_keys: set[str] = field(default_factory=set)
    closed_methods: set[str] = field(default_factory=set)
    key_lives_until: date = KEY_LIVES_UNTIL
    price_updates: dict[int, list[datetime]] = field(default_factory=dict)  # of the last hour, by product
    analytics_calls: list[datetime] = field(default_factory=list)


class Refused(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, code: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after

    def response(self) -> Response:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after), "Ratelimit-Remaining": "0"}
        return answered({"code": self.code, "message": self.message, "details": []}, self.status, headers)


def invalid(message: str) -> Refused:
    return Refused(400, INVALID_ARGUMENT, message)


def answered(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def error(status: int, retry_after: int | None) -> Response:
    """OZON's wording of a scripted 429, 500 or 502."""
    if status == 502:
        return HTMLResponse(BAD_GATEWAY, status_code=status)
    if status == 429:
        return Refused(status, EXHAUSTED, TOO_FAST, retry_after=retry_after).response()
    return Refused(status, INTERNAL, "Internal error").response()


class Gate:
    """Who may come in. Several shops live behind one gate, each with its own key and its own limit."""

    def __init__(self, accounts: Iterable[Account], *, seconds: Callable[[], float] = monotonic) -> None:
        self.accounts = {account.client_id: account for account in accounts}
        self._seconds = seconds

    def admit(self, headers: Headers) -> Account:
        """The account of a call. Raises Refused with the status and message that OZON gives."""
        client_id, api_key = headers.get("client-id", ""), headers.get("api-key", "")
        if not client_id or not api_key:
            raise Refused(401, UNAUTHENTICATED, NO_HEADERS)
        if not (client_id.isascii() and client_id.isdecimal() and int(client_id) > 0):
            raise invalid(ODD_CLIENT_ID)
        account = self.accounts.get(client_id)
        if account is None or api_key not in {account.api_key, *account.more_keys}:
            raise Refused(404, NOT_FOUND, WRONG_KEY)  # seen live: not 401 or 403
        self._count(account)
        return account

    def remaining(self, account: Account) -> int:
        return account.calls_a_second - len(account.calls)

    def _count(self, account: Account) -> None:
        now = self._seconds()
        while account.calls and account.calls[0] <= now - 1:
            account.calls.popleft()
        if len(account.calls) >= account.calls_a_second:
            raise Refused(429, EXHAUSTED, TOO_FAST, retry_after=1)
        account.calls.append(now)
