"""Draining the inbox: in order within a chat, several chats at once."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from telegram import Update
from telegram.ext import Application

from apps.common.db import in_thread
from bots import inbox
from bots.leader import Leader

log = logging.getLogger(__name__)

MOST_CHATS_AT_ONCE = 8
PAUSE_AFTER_FAILURE = 0.5


class Consumer:
    """Feeds stored updates to PTB's handlers. An update leaves the inbox when its handlers have ended."""

    def __init__(self, application: Application, leader: Leader) -> None:
        self._application = application
        self._leader = leader
        self._chats: dict[int, asyncio.Task[None]] = {}
        self._failures: dict[int, Exception] = {}
        application.add_error_handler(self._note)

    async def run(self) -> None:
        while True:
            await self._leader.inbox.wait()
            self._leader.inbox.clear()
            if not self._leader.is_leading:
                continue
            try:
                await self._start_chats()
            except Exception:
                log.exception("the inbox could not be read; trying again")
                await asyncio.sleep(PAUSE_AFTER_FAILURE)

    async def stop(self) -> None:
        """Let the handlers in hand end."""
        await asyncio.gather(*self._chats.values(), return_exceptions=True)

    async def _start_chats(self) -> None:
        for chat_id in await in_thread(inbox.waiting_chats, but=list(self._chats)):
            if len(self._chats) >= MOST_CHATS_AT_ONCE:
                return
            self._chats[chat_id] = asyncio.create_task(self._drain(chat_id))

    async def _drain(self, chat_id: int) -> None:
        try:
            while self._leader.is_leading and (waiting := await in_thread(inbox.next_of, chat_id)):
                await self._handle(waiting)
        except Exception:
            log.exception("chat %s could not be drained; trying again", chat_id)
            await asyncio.sleep(PAUSE_AFTER_FAILURE)
        finally:
            del self._chats[chat_id]
            self._leader.inbox.set()

    async def _handle(self, waiting: inbox.Waiting) -> None:
        error = await self._process(waiting)
        if error is None:
            await in_thread(inbox.handled, waiting.update_id)
            return
        log.error("update %s failed", waiting.update_id, exc_info=error)
        is_over = await in_thread(inbox.failed, waiting.update_id, f"{type(error).__name__}: {error}")
        if is_over:
            await self._apologise(waiting)
        else:
            await asyncio.sleep(PAUSE_AFTER_FAILURE * (waiting.attempts + 1))

    async def _process(self, waiting: inbox.Waiting) -> Exception | None:
        try:
            update = Update.de_json(waiting.raw, self._application.bot)
            await self._application.process_update(update)
        except Exception as error:  # kept with the update, and told
            return error
        return self._failures.pop(waiting.update_id, None)

    async def _note(self, update: object, context: Any) -> None:
        """PTB keeps a handler's exception to itself; the inbox must know."""
        if isinstance(update, Update):
            self._failures[update.update_id] = context.error

    async def _apologise(self, waiting: inbox.Waiting) -> None:
        from bots.handlers import apologise

        try:
            await apologise(self._application.bot, waiting)
        except Exception:
            log.exception("the apology for update %s could not be sent", waiting.update_id)
