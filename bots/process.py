"""The bot's parts under one roof: PTB's application, the leader, the consumer, the sender; polling without a webhook."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from django.conf import settings
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import AIORateLimiter, Application

from apps.common.db import in_thread
from bots import handlers, inbox
from bots.consumer import Consumer
from bots.leader import Leader
from bots.sender import Sender

log = logging.getLogger(__name__)

ALLOWED_UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY]
WEBHOOK_PATH = "/telegram/webhook"
POLL_SECONDS = 10
PAUSE_AFTER_FAILURE = 2.0


class BotProcess:
    """`async with BotProcess.running(): ...` runs it all."""

    def __init__(self) -> None:
        self.application = _application()
        self.leader = Leader()
        self._consumer = Consumer(self.application, self.leader)
        self._sender = Sender(self.application.bot, self.leader)  # type: ignore[arg-type]

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[BotProcess]:
        process = cls()
        parts: list[Coroutine[Any, Any, None]] = [process.leader.run(), process._talk()]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in parts]
            try:
                yield process
            finally:
                for task in tasks:
                    task.cancel()

    async def _talk(self) -> None:
        """Meet Telegram, however long that takes, then work until cancelled."""
        await self._meet()
        try:
            await self._introduce()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._consumer.run())
                group.create_task(self._sender.run())
                if not settings.TELEGRAM_WEBHOOK_URL:
                    group.create_task(self._poll())
        finally:
            await self._consumer.stop()
            await self.application.shutdown()

    async def _meet(self) -> None:
        while True:
            try:
                await self.application.initialize()
            except TelegramError as error:
                log.warning("Telegram does not answer (%s); trying again", error)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
            else:
                return

    async def _introduce(self) -> None:
        """Tell Telegram where updates go. What it holds for us is never dropped: it may be somebody's press."""
        bot = self.application.bot
        with suppress(TelegramError):
            await handlers.publish_commands(bot)
        while True:
            try:
                if settings.TELEGRAM_WEBHOOK_URL:
                    await bot.set_webhook(
                        settings.TELEGRAM_WEBHOOK_URL.rstrip("/") + WEBHOOK_PATH,
                        secret_token=settings.TELEGRAM_WEBHOOK_SECRET,
                        allowed_updates=ALLOWED_UPDATES,
                    )
                else:
                    await bot.delete_webhook()
            except TelegramError as error:
                log.warning("Telegram does not take the webhook (%s); trying again", error)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
            else:
                return

    async def _poll(self) -> None:
        """getUpdates into the same inbox: an update is confirmed to Telegram only after it was stored."""
        offset = 0
        while True:
            if not self.leader.is_leading:
                await asyncio.sleep(settings.OUTBOX_POLL_SECONDS)
                continue
            try:
                updates = await self.application.bot.get_updates(
                    offset=offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED_UPDATES
                )
                for update in updates:
                    await in_thread(inbox.store, update.to_dict())
                    offset = update.update_id + 1
            except TelegramError as error:
                log.warning("Telegram could not be asked: %s", error)
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
            except Exception:
                log.exception("updates could not be stored; they are asked for again")
                await asyncio.sleep(PAUSE_AFTER_FAILURE)


def _application() -> Application:
    api = settings.TELEGRAM_API_URL.rstrip("/")
    application = (
        Application.builder()
        .token(settings.TELEGRAM_BOT_TOKEN)
        .base_url(f"{api}/bot")
        .base_file_url(f"{api}/file/bot")
        .updater(None)
        .rate_limiter(AIORateLimiter(max_retries=0))
        .build()
    )
    handlers.register(application)
    return application
