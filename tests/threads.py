"""People who act at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from apps.common.errors import Refused


def at_once(*calls: Callable[[], object], most: int = 8) -> list[object]:
    """Make the calls in up to `most` threads, each call with a connection of its own. A refusal is a result."""

    def one(call: Callable[[], object]) -> object:
        try:
            return call()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(min(most, len(calls))) as pool:
        return list(pool.map(one, calls))


def wait_for_a_lock(*, seconds: float = 60) -> None:
    """Until another connection waits for what this one's transaction holds."""
    until = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("select exists (select from pg_locks where not granted)")
            if cursor.fetchone() == (True,):
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")
