"""The wire under the HTTP core: a time-out that covers the whole answer, and a failure to connect told from the rest.

The read time-out of `requests` restarts with every byte that arrives, so a server that drips can hold a caller for
hours. Here the read time-out counts from the moment the answer is awaited until its last byte, headers included.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError


class _TimedBytes(io.RawIOBase):
    """The bytes of one answer; reading past the deadline raises TimeoutError."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._seconds = sock.gettimeout() or 0.0
        self._ends_at = time.monotonic() + self._seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"the answer was not complete after {self._seconds:.1f} s")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _TimedAnswer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_TimedBytes(sock, self.fp.detach()))


class _ToldConnection:
    """Whatever fails before the connection stands, TLS included, is one error: nothing was sent yet."""

    response_class = _TimedAnswer

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (OSError, HTTPError) as error:
            raise NewConnectionError(self, f"cannot connect: {error}") from error  # type: ignore[arg-type]


class _Http(_ToldConnection, HTTPConnection):  # type: ignore[misc]
    pass


class _Https(_ToldConnection, HTTPSConnection):  # type: ignore[misc]
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


def session(*, use_proxies: bool) -> requests.Session:
    """A session whose time-outs hold, that never retries by itself and takes no credentials from a netrc file.

    `use_proxies`: the proxies that the environment names; never right for a server on this machine.
    """
    made = requests.Session()
    made.trust_env = use_proxies
    for scheme in ("https://", "http://"):
        made.mount(scheme, _Adapter(max_retries=0))
    made.auth = _no_netrc
    return made


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def was_not_sent(error: Exception) -> bool:
    """True only when it is certain that no byte of the request left: the connection never stood."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
