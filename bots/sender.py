"""The only sender: brings every chat up to what the outbox wants shown.

One message at a time per chat and one a second, thirty a second in all; an edit where the card is shown already. What
may have arrived is never sent again blindly.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.ext import ExtBot

from apps.common import clock
from apps.common.db import in_thread
from bots import cards
from bots.cards import Card
from bots.leader import Leader

log = logging.getLogger(__name__)

CHAT_PAUSE = 1.0
FAILURE_PAUSE = 1.0
NEVER_LEFT = "ConnectError"  # PTB names the cause in the text only
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Sender:
    def __init__(self, bot: ExtBot, leader: Leader) -> None:
        self._bot = bot
        self._leader = leader
        self._last: dict[int, float] = {}

    async def run(self) -> None:
        while True:
            await self._leader.outbox.wait()
            self._leader.outbox.clear()
            if not self._leader.is_leading:
                continue
            try:
                await self._send_due()
            except Exception:
                log.exception("the outbox could not be worked through; trying again")
                await asyncio.sleep(FAILURE_PAUSE)

    async def _send_due(self) -> None:
        """Rounds of one message per chat, until nothing is due."""
        while self._leader.is_leading:
            now = await in_thread(clock.now)
            waiting = await in_thread(cards.due, now=now)
            if not waiting:
                return
            outcomes = await asyncio.gather(*(self._take(message_id) for message_id in waiting))
            if not any(outcomes):
                return

    async def _take(self, message_id: int) -> bool:
        """Send or edit one message. False when nothing came of it, so that a round does not spin."""
        now = await in_thread(clock.now)
        card = await in_thread(cards.claim, message_id, now=now)
        if card is None:
            return False
        await self._pace(card.chat_id)
        try:
            await self._show(card)
        except TelegramError as error:
            await self._note(card, error)
            return False
        return True

    async def _note(self, card: Card, error: TelegramError) -> None:
        """What a failure says about the message. The order matters: PTB's BadRequest and TimedOut are NetworkErrors."""
        match error:
            case RetryAfter():
                await in_thread(cards.not_sent, card, "flood limit", retry_after=_seconds(error))
            case Forbidden():
                await in_thread(cards.dead, card, str(error))
            case BadRequest():
                log.error("Telegram refuses message %s: %s", card.message_id, error)
                await in_thread(cards.dead, card, str(error))
            case TimedOut():
                await in_thread(cards.unclear, card)
            case NetworkError() if NEVER_LEFT not in str(error):
                await in_thread(cards.unclear, card)
            case _:
                await in_thread(cards.not_sent, card, str(error))

    async def _show(self, card: Card) -> None:
        if not card.shown_as:
            message = await self._with_plain_fallback(
                card, lambda **words: self._bot.send_message(card.chat_id, **words)
            )
            await in_thread(cards.sent, card, message.message_id)
            return
        shown = [await self._edit(card, message_id) for message_id in card.shown_as]
        if any(shown):
            await in_thread(cards.sent, card, None)
        else:
            await in_thread(cards.gone, card)

    async def _edit(self, card: Card, message_id: int) -> bool:
        """Whether the chat shows the card under this message now."""
        try:
            await self._with_plain_fallback(
                card,
                lambda **words: self._bot.edit_message_text(chat_id=card.chat_id, message_id=message_id, **words),
            )
        except BadRequest as error:
            text = str(error).lower()
            if "not modified" in text:
                return True
            if "not found" in text or "can't be edited" in text:
                return False
            raise
        return True

    async def _with_plain_fallback(self, card: Card, call: Callable[..., Awaitable[Message | bool]]) -> Message:
        """An alert is never lost to its own markup: what cannot be parsed goes as plain text."""
        words = {"text": card.text, "reply_markup": _keyboard(card), "link_preview_options": NO_PREVIEW}
        try:
            return await call(parse_mode=ParseMode.HTML, **words)  # type: ignore[return-value]
        except BadRequest as error:
            if "can't parse entities" not in str(error).lower():
                raise
            log.exception("message %s has markup that Telegram cannot read", card.message_id)
            return await call(parse_mode=None, **words)  # type: ignore[return-value]

    async def _pace(self, chat_id: int) -> None:
        loop = asyncio.get_running_loop()
        wait = self._last.get(chat_id, 0) + CHAT_PAUSE - loop.time()
        self._last[chat_id] = loop.time() + max(wait, 0)
        if wait > 0:
            await asyncio.sleep(wait)


def _keyboard(card: Card) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(label, callback_data=token) for label, token in row] for row in card.keyboard]
    return InlineKeyboardMarkup(rows) if rows else None


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
