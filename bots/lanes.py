"""Work in order within a chat, several chats at once: the shape of the inbox's consumer and of the outbox's sender."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

from apps.common.db import in_thread
from bots.leader import Leader
from bots.loops import DATABASE_IS_AWAY, PAUSE_AFTER_FAILURE, attempt, forever

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_STOP = 10.0


class Lanes:
    """Runs `step(chat)`, one piece of work after the other, until it says that there is no more.

    `waiting(but)` names the chats with work, without those in hand; `woken` tells that there may be some. Only the
    leader's lanes move.
    """

    def __init__(
        self,
        leader: Leader,
        woken: asyncio.Event,
        *,
        waiting: Callable[[Collection[int]], Awaitable[Collection[int]]],
        step: Callable[[int], Awaitable[bool]],
        most: int,
    ) -> None:
        self._leader, self._woken = leader, woken
        self._waiting, self._step, self._most = waiting, step, most
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; what is in hand then goes on until `stop`."""
        await forever(self._look, "could not look for work; trying again")

    async def stop(self) -> None:
        """Let each lane finish the piece in its hand, for a while."""
        self._stopping.set()
        if self._lanes:
            _done, pending = await asyncio.wait(self._lanes.values(), timeout=LONGEST_STOP)
            for lane in pending:
                lane.cancel()

    async def rest(self, seconds: float) -> None:
        """Sleep, but not into the stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def insist(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Write down what has happened outside, through a restart of PostgreSQL: forgotten, it would happen again."""
        while True:
            try:
                return await in_thread(function, *args, **kwargs)
            except DATABASE_IS_AWAY as error:
                if self._stopping.is_set():
                    raise
                log.warning("could not write down what was done: %s; trying again", error)
                await self.rest(PAUSE_AFTER_FAILURE)

    async def _look(self) -> None:
        await self._woken.wait()
        self._woken.clear()
        if self._leader.is_leading:
            await self._open()

    async def _open(self) -> None:
        for chat_id in await self._waiting(list(self._lanes)):
            if len(self._lanes) >= self._most:
                return
            self._lanes[chat_id] = asyncio.create_task(self._lane(chat_id))

    async def _lane(self, chat_id: int) -> None:
        """A failure ends it after a rest; the next look opens it again."""
        try:
            if not await attempt(partial(self._drain, chat_id), f"chat {chat_id} stands still; trying again"):
                await self.rest(PAUSE_AFTER_FAILURE)
        finally:
            del self._lanes[chat_id]

    async def _drain(self, chat_id: int) -> None:
        """Piece after piece. Its call to look again is heard only when the lane is closed: nothing waits in between."""
        has_worked = False
        while self._may_go_on() and await self._step(chat_id):
            has_worked = True
        if has_worked:  # more may have come for this chat meanwhile, or another waits for the place
            self._woken.set()

    def _may_go_on(self) -> bool:
        return self._leader.is_leading and not self._stopping.is_set()
