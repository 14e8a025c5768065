"""The only sender: brings every chat up to what the outbox wants shown.

One message at a time per chat; an edit where the card is shown already. What may have arrived is sent once more at the
most, marked as a repeat, and not before Telegram answers again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import timedelta
from functools import partial

from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot

from apps.common import clock
from apps.common.db import Pool, in_thread
from bots import cards
from bots.cards import Card
from bots.lanes import Lanes
from bots.leader import Leader
from bots.speech import is_gone, is_the_same, never_left, seconds, speak

log = logging.getLogger(__name__)

MOST_CHATS_AT_ONCE = 16

_renderings = Pool("outbox", 4)


class Sender:
    def __init__(self, bot: ExtBot[None], leader: Leader) -> None:
        self._bot = bot
        self._is_cut_off = False
        self.lanes = Lanes(leader, leader.outbox, waiting=self._waiting, step=self._step, most=MOST_CHATS_AT_ONCE)

    async def _waiting(self, but: Collection[int]) -> list[int]:
        if self._is_cut_off and not await self._is_answered():
            return []
        now = await in_thread(clock.now)
        return await in_thread(cards.waiting_chats, now=now, but=but)

    async def _is_answered(self) -> bool:
        """Ask something harmless: while Telegram is silent no message is risked."""
        try:
            await self._bot.get_me()
        except TelegramError as error:
            log.debug("Telegram is still silent: %s", error)
            return False
        log.info("Telegram answers again")
        self._is_cut_off = False
        return True

    async def _step(self, chat_id: int) -> bool:
        if self._is_cut_off:
            return False
        now = await in_thread(clock.now)
        card = await _renderings.run(cards.claim, chat_id, now=now)
        if card is None:
            return False
        try:
            message_ids = await self._edit_all(card) if card.message_ids else [await self._send(card)]
        except TelegramError as error:
            await self._note(card, error)
        else:
            await self.lanes.insist(
                partial(cards.shown, card, message_ids) if message_ids else partial(cards.deleted, card)
            )
        return True

    async def _send(self, card: Card) -> int:
        message = await speak(partial(self._bot.send_message, card.chat_id), card.text, card.keyboard)
        return message.message_id

    async def _edit_all(self, card: Card) -> list[int]:
        """The messages that show the card now: those that somebody deleted are left out."""
        return [message_id for message_id in card.message_ids if await self._edit(card, message_id)]

    async def _edit(self, card: Card, message_id: int) -> bool:
        edit = partial(self._bot.edit_message_text, chat_id=card.chat_id, message_id=message_id)
        try:
            await speak(edit, card.text, card.keyboard)
        except BadRequest as error:
            if is_gone(error):
                return False
            if not is_the_same(error):
                raise
        return True

    async def _note(self, card: Card, error: TelegramError) -> None:
        """What a failure says about the message. The order matters: PTB's BadRequest is a NetworkError."""
        log.warning("message %s did not go through: %s: %s", card.pk, type(error).__name__, error)
        if isinstance(error, RetryAfter):
            wait = seconds(error)
            await in_thread(cards.not_sent, card, str(error), rest=timedelta(seconds=wait))
            await self.lanes.rest(wait)
        elif isinstance(error, Forbidden | BadRequest):
            await in_thread(cards.dead, card, str(error))
        else:
            self._is_cut_off = True
            is_unsent = never_left(error) or isinstance(error, InvalidToken)
            await self.lanes.insist(cards.not_sent if is_unsent else cards.unclear, card, str(error))
