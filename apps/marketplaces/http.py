"""The one way to call a marketplace over HTTP: reads that retry, writes that never do and say what is known.

`HttpCore.read` retries what is temporary, honours Retry-After and gives up within its patience. `HttpCore.write` sends
once: it returns the answer, raises `Unclear` when the outcome is unknown, and any other error when nothing was changed.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, NoReturn, Protocol
from urllib.parse import urlsplit

import requests
import stamina
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from apps.marketplaces import transport
from apps.marketplaces.errors import ApiError, Malformed, Permanent, Temporary, Unclear, WrongCredentials

MOST_BYTES = 32 * 1024 * 1024
LONGEST_MESSAGE = 300
CONNECT_SECONDS = 5.0
ATTEMPTS = 6


class Limiter(Protocol):
    def acquire(self, path: str, *, within: float) -> None:
        """Waits for a turn to call `path`; raises Temporary when it would take more than `within` seconds."""


class KeyWatch(Protocol):
    """Told what becomes of a key while it is used."""

    def worked(self, path: str) -> None:
        """A read of `path` was answered."""

    def refused(self, error: WrongCredentials) -> None:
        """The API does not take the key."""


@dataclass(frozen=True)
class Refusal:
    """An answer other than success: `code` is the API's own, a number or a word."""

    status: int
    code: int | str | None
    message: str


Classify = Callable[[Refusal], type[ApiError]]


def by_status(refusal: Refusal) -> type[ApiError]:
    """What an HTTP status means by itself. `Unclear` stands for "the server failed, perhaps after applying"."""
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        return WrongCredentials
    if refusal.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT}:
        return Temporary
    return Unclear if refusal.status >= 500 else Permanent


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Lost(Exception):
    """No complete answer came. `sent` is False when it is certain that the request never left."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class HttpCore:
    """Calls one API with one set of credentials. Not for use by several threads at once.

    `deadline_seconds` bounds one exchange from connecting to the last byte; a write also waits for its turn within it.
    `patience_seconds` bounds a read with its waits and retries, one exchange that has begun excepted. `before_write` is
    called right before each write leaves and may raise to refuse it. `watch` is told how the key fares. `clock` is
    monotonic.
    """

    def __init__(
        self,
        *,
        api: str,
        base_url: str,
        headers: Mapping[str, str],
        limiter: Limiter,
        classify: Classify = by_status,
        before_write: Callable[[], None] | None = None,
        watch: KeyWatch | None = None,
        deadline_seconds: float = 20.0,
        patience_seconds: float = 90.0,
        session: requests.Session | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api = api
        self._base_url = safe_base_url(base_url)
        self._secrets = tuple(value for value in headers.values() if len(value) > 7)
        self._limiter = limiter
        self._classify = classify
        self._before_write = before_write
        self._watch = watch
        self._deadline = deadline_seconds
        self._patience = patience_seconds
        self._clock = clock
        self._session = session or transport.session(use_proxies=self._base_url.startswith("https"))
        self._session.headers.update(headers)

    def read(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        method: str = "POST",
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON object that the API answers; raises Temporary, Permanent (and its kinds) or Malformed."""
        give_up_at = self._clock() + self._patience
        retrying = stamina.RetryingCaller(attempts=ATTEMPTS, timeout=self._patience, wait_max=10.0)
        once = partial(self._read_once, method, path, body, params, give_up_at=give_up_at)
        return retrying(lambda error: self._pause(error, give_up_at), once)

    def write(
        self, path: str, body: Mapping[str, Any], *, method: str = "POST", may_be_empty: bool = False
    ) -> dict[str, Any]:
        """Sends once. Unclear: the outcome is unknown. Any other error: nothing was changed.

        `may_be_empty`: the method has nothing to say, so a success without a body is one.
        """
        ends_at = self._clock() + self._deadline
        self._limiter.acquire(path, within=self._deadline / 2)
        if self._before_write is not None:
            self._before_write()
        try:
            answer = self._exchange(method, path, body, seconds=ends_at - self._clock())
        except _Lost as lost:
            raise (Unclear if lost.sent else Temporary)(self.api, path, lost.reason) from lost
        if not 200 <= answer.status < 300:
            raise self._refused(path, answer)
        if may_be_empty and not answer.body:
            return {}
        try:
            return parsed_object(answer.body)
        except ValueError as error:
            raise Unclear(self.api, path, f"the answer cannot be read: {error}", answer.status) from error

    def unclear(self, path: str, message: str) -> NoReturn:
        """For a write that was answered, but not in a way that tells its outcome."""
        raise Unclear(self.api, path, message, HTTPStatus.OK)

    def malformed(self, path: str, message: str) -> NoReturn:
        """For a read that was answered with JSON of another shape."""
        raise Malformed(self.api, path, message, HTTPStatus.OK)

    def _read_once(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
        *,
        give_up_at: float,
    ) -> dict[str, Any]:
        self._limiter.acquire(path, within=max(0.0, give_up_at - self._clock()))
        try:
            answer = self._exchange(method, path, body, params, seconds=self._deadline)
        except _Lost as lost:
            raise Temporary(self.api, path, lost.reason) from lost
        if not 200 <= answer.status < 300:
            error = self._refused(path, answer)
            if isinstance(error, Unclear):
                raise Temporary(self.api, path, error.message, error.status, error.retry_after)
            raise error
        if self._watch is not None:
            self._watch.worked(path)
        try:
            return parsed_object(answer.body)
        except ValueError as error:
            raise Malformed(self.api, path, str(error), answer.status) from error

    def _pause(self, error: Exception, give_up_at: float) -> bool | float:
        """Whether to try again: False, True (after the usual backoff), or the seconds to wait."""
        if not isinstance(error, Temporary | Malformed):
            return False
        if error.retry_after is None:
            return True
        wait = error.retry_after * random.uniform(1.0, 1.1)
        return wait if self._clock() + wait < give_up_at else False

    def _exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None = None,
        *,
        seconds: float,
    ) -> _Answer:
        if seconds <= 0:
            raise _Lost("no time left to send it", sent=False)
        try:
            with self._session.request(
                method,
                self._base_url + path,
                json=body,
                params=params,
                timeout=Timeout(total=seconds, connect=min(CONNECT_SECONDS, seconds)),  # type: ignore[arg-type]
                allow_redirects=False,
                stream=True,
            ) as response:
                return _Answer(response.status_code, response.headers, _body_of(response))
        except (requests.RequestException, HTTPError) as error:
            raise _Lost(_reason(error), sent=not transport.was_not_sent(error)) from error

    def _refused(self, path: str, answer: _Answer) -> ApiError:
        code, message = _explanation(answer)
        for secret in self._secrets:
            message = message.replace(secret, "***")
        kind = self._classify(Refusal(answer.status, code, message))
        error = kind(self.api, path, message[:LONGEST_MESSAGE], answer.status, _retry_after(answer.headers))
        if isinstance(error, WrongCredentials) and self._watch is not None:
            self._watch.refused(error)
        return error


def safe_base_url(base_url: str) -> str:
    """`base_url` without a trailing slash; ValueError unless it is https, or http to this very machine."""
    parts = urlsplit(base_url)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("base_url must be like https://host[:port][/path]")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError(
            f"base_url must be https, or http to a loopback address, not {parts.scheme}://{parts.hostname}"
        )
    return base_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def parsed_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body` with Decimal for every fraction; ValueError (without the body) for anything else."""
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({len(body)} bytes)") from error
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, got {type(value).__name__}")  # noqa: TRY004
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _body_of(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > MOST_BYTES:
            raise _Lost(f"the answer is larger than {MOST_BYTES} bytes", sent=True)
    return bytes(body)


def _reason(error: Exception) -> str:
    """What happened, without addresses, headers or the request: those may hold secrets."""
    if transport.was_not_sent(error):
        return "cannot connect"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "no complete answer in time"
    return f"the connection was lost ({type(error).__name__})"


def _explanation(answer: _Answer) -> tuple[int | str | None, str]:
    """The API's code and message; where the body has none, what the body is."""
    try:
        body = parsed_object(answer.body)
    except ValueError:
        return None, f"{len(answer.body)} bytes of {answer.headers.get('Content-Type', 'unnamed content')}"
    message = body.get("message") or body.get("error") or "no message"
    code = body.get("code")
    return code if isinstance(code, int | str) else None, message if isinstance(message, str) else "no message"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from Retry-After; its other form, a date, is not used by these APIs."""
    value = headers.get("Retry-After", "").strip()
    return float(value) if value.replace(".", "", 1).isdecimal() else None
