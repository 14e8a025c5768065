"""Waiting that ends when the server stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def until(wanted: Coroutine[Any, Any, T], *, closing: asyncio.Event, seconds: float) -> T | None:
    """What `wanted` gives; None when `seconds` pass or the server stops before."""
    tasks = asyncio.ensure_future(wanted), asyncio.ensure_future(closing.wait())
    try:
        done, _ = await asyncio.wait(tasks, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0] in done else None
    finally:
        for task in tasks:
            task.cancel()
