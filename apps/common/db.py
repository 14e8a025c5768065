"""Small helpers over the database connection."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from asgiref.sync import SyncToAsync
from django.db import close_old_connections, connection

P = ParamSpec("P")
R = TypeVar("R")


def lock_key(*parts: object) -> int:
    """A signed 64-bit advisory lock key out of readable parts."""
    digest = hashlib.blake2b(":".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def take_lock(*parts: object) -> None:
    """Wait for the advisory lock named by `parts`; it is released with the surrounding transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("an advisory transaction lock needs a transaction")
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [lock_key(*parts)])


@contextmanager
def session_lock(*parts: object, shared: bool = False) -> Iterator[bool]:
    """Try the advisory lock named by `parts` for as long as the block runs; yields whether it was free.

    A `shared` lock stands beside others of its kind; it is not free while somebody holds it alone or waits to.
    """
    key, mode = lock_key(*parts), "_shared" if shared else ""
    with connection.cursor() as cursor:
        cursor.execute(f"select pg_try_advisory_lock{mode}(%s)", [key])
        (taken,) = cursor.fetchone()
    try:
        yield taken
    finally:
        if taken:
            with connection.cursor() as cursor:
                cursor.execute(f"select pg_advisory_unlock{mode}(%s)", [key])


@contextmanager
def turn(*parts: object, on_wait: Callable[[], object]) -> Iterator[None]:
    """Wait for the session's advisory lock named by `parts`, however long, and hold it while the block runs.

    `on_wait` is called once when somebody else holds it.
    """
    with session_lock(*parts) as is_free:
        if is_free:
            yield
            return
    on_wait()
    key = lock_key(*parts)
    with connection.cursor() as cursor:
        cursor.execute("set lock_timeout = 0")
        cursor.execute("select pg_advisory_lock(%s)", [key])
        cursor.execute("reset lock_timeout")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(%s)", [key])


class Pool:
    """A bounded pool of threads for database work of an event loop.

    Connections are closed before and after each call when they are too old or broken: without that, one restart of
    PostgreSQL leaves every thread with a dead connection for good.
    """

    def __init__(self, name: str, size: int) -> None:
        self._executor = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        call = SyncToAsync(partial(_fresh, function), thread_sensitive=False, executor=self._executor)
        return call(*args, **kwargs)

    def close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)


def _fresh(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()


_presses = Pool("presses", 8)


def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
    """Run a function that uses the ORM from async code: `row = await in_thread(load, id=7)`."""
    return _presses.run(function, *args, **kwargs)
