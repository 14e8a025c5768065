"""Draining the inbox: in order within a chat, several chats at once."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial

from telegram import Update
from telegram.error import RetryAfter
from telegram.ext import Application, CallbackContext

from apps.common.db import in_thread
from bots import handlers, inbox
from bots.lanes import Lanes
from bots.leader import Leader
from bots.loops import PAUSE_AFTER_FAILURE, attempt, is_outage
from bots.speech import seconds

log = logging.getLogger(__name__)

MOST_CHATS_AT_ONCE = 8


class Consumer:
    """Feeds stored updates to PTB's handlers. An update leaves the inbox when its handlers have ended."""

    def __init__(self, application: Application, leader: Leader) -> None:
        self._application = application
        self._failures: dict[int, Exception] = {}
        self.lanes = Lanes(leader, leader.inbox, waiting=self._waiting, step=self._step, most=MOST_CHATS_AT_ONCE)
        application.add_error_handler(self._note)

    async def _waiting(self, but: Collection[int]) -> list[int]:
        return await in_thread(inbox.waiting_chats, but=but)

    async def _step(self, chat_id: int) -> bool:
        waiting = await in_thread(inbox.take, chat_id)
        if waiting is None:
            return False
        error = await self._process(waiting)
        if is_outage(error):
            # Nothing came of it, and nothing is wrong with it: it waits for the outage, or the lock, to be over.
            log.warning("update %s waits: %s", waiting.update_id, error)
            await self.lanes.insist(inbox.give_back, waiting.update_id)
            await self.lanes.rest(PAUSE_AFTER_FAILURE)
            return True
        if error:
            log.error("update %s failed", waiting.update_id, exc_info=error)
            await in_thread(inbox.failed, waiting.update_id, f"{type(error).__name__}: {error}")
        if error and waiting.attempts < inbox.MAX_ATTEMPTS:
            pause = seconds(error) if isinstance(error, RetryAfter) else PAUSE_AFTER_FAILURE * waiting.attempts
            await self.lanes.rest(pause)
            return True
        await self.lanes.insist(inbox.handled, waiting.update_id)
        if error:
            apology = partial(handlers.apologise, self._application.bot, waiting)
            await attempt(apology, f"the apology for update {waiting.update_id} could not be sent")
        return True

    async def _process(self, waiting: inbox.Waiting) -> Exception | None:
        """What went wrong with the update, if anything."""
        if waiting.attempts > inbox.MAX_ATTEMPTS:
            return RuntimeError("the process ended at every try")
        try:
            update = Update.de_json(waiting.raw, self._application.bot)
            await self._application.process_update(update)
        except Exception as error:  # of whatever kind: what is wrong with one update is kept with it, and told
            return error
        return self._failures.pop(waiting.update_id, None)

    async def _note(self, update: object, context: CallbackContext) -> None:
        """PTB keeps a handler's exception to itself; the inbox must know."""
        if isinstance(update, Update) and context.error:
            self._failures[update.update_id] = context.error
