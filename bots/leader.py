"""One leader among the replicas of this process, and its ear for commits.

A connection of its own holds an advisory lock and listens. Where it holds the lock this process consumes, sends and
polls; the others only store what the webhook brings. A lost connection is a lost lock: work stops until it is back.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from apps.common.db import lock_key
from apps.notifications import outbox
from bots import inbox
from bots.loops import forever

log = logging.getLogger(__name__)

LEADERSHIP = lock_key("bots", "leader")
RETRY_SECONDS = 1.0
ANSWER_SECONDS = 5.0
# A connection whose other end is gone must not look alive: another replica may hold the lock by then.
LIVELINESS = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
DJANGOS_OWN = ("cursor_factory", "context", "prepare_threshold", "options")


class Leader:
    """`is_leading` while the lock is ours; `inbox` and `outbox` are set when there may be work, at least each poll."""

    def __init__(self) -> None:
        self.is_leading = False
        self.inbox = asyncio.Event()
        self.outbox = asyncio.Event()
        self._is_lost = False

    async def run(self) -> None:
        """Until cancelled: connect, listen, lead; and again after every loss."""
        await forever(self._lead, "leading failed; trying again", every=RETRY_SECONDS)

    async def _lead(self) -> None:
        """Until the connection is lost."""
        try:
            await self._listen()
        except (psycopg.Error, OSError) as error:
            self._tell_loss(error)
        finally:
            self.is_leading = False

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(**_parameters(), autocommit=True) as listening:
            await listening.execute(f"listen {inbox.CHANNEL}")
            await listening.execute(f"listen {outbox.CHANNEL}")
            while True:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._elect(listening)
                self._is_lost = False
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

    def _tell_loss(self, error: Exception) -> None:
        """Once for each outage."""
        if not self._is_lost:
            log.warning("the connection that leads was lost: %s", error)
        self._is_lost = True


def _parameters() -> dict[str, Any]:
    """Django's own way to the database, for a connection that Django does not manage."""
    parameters = connection.get_connection_params()
    return {name: value for name, value in parameters.items() if name not in DJANGOS_OWN} | LIVELINESS
