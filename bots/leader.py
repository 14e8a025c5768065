"""One leader among the replicas of this process, and its ear for commits.

A connection of its own holds an advisory lock and listens. Where it holds the lock this process consumes, sends and
polls; the others only store what the webhook brings. A lost connection is a lost lock: work stops until it is back.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import psycopg
from django.conf import settings
from django.db import connection

from apps.common.db import lock_key
from apps.notifications import outbox
from bots import inbox

log = logging.getLogger(__name__)

LEADERSHIP = lock_key("bots", "leader")
RETRY_SECONDS = 1.0


class Leader:
    """`is_leading` while the lock is ours; `inbox` and `outbox` are set when there may be work, at least each poll."""

    def __init__(self) -> None:
        self.is_leading = False
        self.inbox = asyncio.Event()
        self.outbox = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled: connect, listen, lead; and again after every loss."""
        while True:
            with suppress(psycopg.OperationalError, OSError):
                await self._lead()
            if self.is_leading:
                log.warning("the connection that leads was lost")
            self.is_leading = False
            await asyncio.sleep(RETRY_SECONDS)

    async def _lead(self) -> None:
        async with await psycopg.AsyncConnection.connect(**_parameters(), autocommit=True) as listening:
            await listening.execute(f"listen {inbox.CHANNEL}")
            await listening.execute(f"listen {outbox.CHANNEL}")
            while True:
                await self._elect(listening)
                self.inbox.set()
                self.outbox.set()
                async for notice in listening.notifies(timeout=settings.OUTBOX_POLL_SECONDS, stop_after=1):
                    log.debug("woken by %s", notice.channel)

    async def _elect(self, listening: psycopg.AsyncConnection) -> None:
        if self.is_leading:
            await listening.execute("select 1")
            return
        answer = await (await listening.execute("select pg_try_advisory_lock(%s)", [LEADERSHIP])).fetchone()
        self.is_leading = bool(answer and answer[0])
        if self.is_leading:
            log.info("this process leads")


def _parameters() -> dict[str, object]:
    """Django's own way to the database, for a connection that Django does not manage."""
    parameters = connection.get_connection_params()
    kept = ("host", "port", "user", "password", "dbname")
    return {name: parameters[name] for name in kept if parameters.get(name)}
