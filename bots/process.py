"""The bot's parts under one roof: PTB's application, the leader, the consumer, the sender, and polling."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from telegram import Update
from telegram.ext import Application

from apps.common import clock
from apps.common.clock import real_now
from apps.common.db import in_thread
from apps.reports.alarms import tell_alarms
from bots import handlers, inbox, tokens
from bots.consumer import Consumer
from bots.leader import Leader
from bots.loops import forever, until_done
from bots.pace import Pace
from bots.sender import Sender

log = logging.getLogger(__name__)

os.environ.setdefault("PTB_TIMEDELTA", "1")  # the library's own switch to what its next version does

ALLOWED_UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY]
WEBHOOK_PATH = "/telegram/webhook"
POLL_SECONDS = 10
WATCH_SECONDS = 60.0
ALARM_SECONDS = 60.0
TIDY_SECONDS = 3600.0
KEPT = timedelta(days=7)  # handled updates; Telegram repeats none after a day


def require_token() -> None:
    """Ends the process, with a sentence, when there is no bot to be."""
    if not settings.TELEGRAM_BOT_TOKEN:
        sys.exit("TELEGRAM_BOT_TOKEN is missing: give the token of the bot, like 123456:AbC, from BotFather")


class BotProcess:
    """`async with BotProcess().running(): ...` runs it all.

    `polls`: ask for updates rather than wait for the webhook; by default where there is no TELEGRAM_WEBHOOK_URL.
    """

    def __init__(self, *, polls: bool | None = None) -> None:
        self._polls = not settings.TELEGRAM_WEBHOOK_URL if polls is None else polls
        self.leader = Leader()
        self._application = _application()
        self._consumer = Consumer(self._application, self.leader)
        self._sender = Sender(self._application.bot, self.leader)
        self._offset = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with _beside(self.leader.run()), _beside(self._talk()):
            yield

    async def _talk(self) -> None:
        """Meet Telegram, however long that takes, then work until cancelled; what is in hand is finished."""
        await until_done(self._application.initialize, "Telegram does not answer; trying again")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._consumer.lanes.run())
                group.create_task(self._sender.lanes.run())
                group.create_task(self._lead())
        finally:
            await asyncio.gather(self._consumer.lanes.stop(), self._sender.lanes.stop())
            await self._application.shutdown()

    async def _lead(self) -> None:
        """What one process does for all: tell Telegram where updates go, see that they come, watch the clock, tidy."""
        await self._election()
        await until_done(self._introduce, "Telegram does not take where its updates go; trying again")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._updates())
            group.create_task(forever(self._watch_the_clock, "nobody watches the clock", every=ALARM_SECONDS))
            group.create_task(forever(self._tidy, "old updates and buttons stay for now", every=TIDY_SECONDS))

    async def _election(self) -> None:
        while not self.leader.is_leading:
            await asyncio.sleep(settings.OUTBOX_POLL_SECONDS)

    async def _introduce(self) -> None:
        """What Telegram holds for us is never dropped: it may be somebody's press."""
        bot = self._application.bot
        if self._polls:
            await bot.delete_webhook()
        else:
            await bot.set_webhook(
                _webhook_address(),
                secret_token=settings.TELEGRAM_WEBHOOK_SECRET,
                allowed_updates=ALLOWED_UPDATES,
            )
        await handlers.publish_commands(bot)

    async def _updates(self) -> None:
        """See that they come, for as long as this process lives."""
        if self._polls:
            await forever(self._poll, "updates could not be fetched; they are asked for again")
        else:
            await asyncio.sleep(WATCH_SECONDS)  # it was set just now
            await forever(self._watch_the_webhook, "Telegram does not say how its webhook does", every=WATCH_SECONDS)

    async def _poll(self) -> None:
        """getUpdates into the inbox: an update is confirmed to Telegram, by the next call, only after it was stored."""
        await self._election()
        updates = await self._application.bot.get_updates(
            offset=self._offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED_UPDATES
        )
        for update in updates:
            await self._keep(update)
            self._offset = update.update_id + 1

    async def _keep(self, update: Update) -> None:
        try:
            await in_thread(inbox.store, update.to_dict())
        except inbox.BadUpdate as error:
            log.error("update %s is lost: %s", update.update_id, error)  # noqa: TRY400 - nothing to trace

    async def _watch_the_webhook(self) -> None:
        """A webhook that was taken away, or that Telegram cannot reach, must not stay unnoticed."""
        await self._election()
        found = await self._application.bot.get_webhook_info()
        if found.url != _webhook_address():
            log.warning("Telegram's updates went to %r; now they come here again", found.url)
            await self._introduce()
        elif found.last_error_date and real_now() - found.last_error_date < timedelta(seconds=WATCH_SECONDS):
            log.warning(
                "Telegram cannot deliver: %s; %s updates wait", found.last_error_message, found.pending_update_count
            )

    async def _watch_the_clock(self) -> None:
        """The clock's own tick asks the same: a clock that stands does not."""
        await self._election()
        await in_thread(_tell_alarms)

    async def _tidy(self) -> None:
        await in_thread(inbox.forget, before=real_now() - KEPT)
        await in_thread(tokens.forget, before=real_now() - KEPT)


def _tell_alarms() -> None:
    tell_alarms(now=clock.now())


def _webhook_address() -> str:
    return str(settings.TELEGRAM_WEBHOOK_URL).rstrip("/") + WEBHOOK_PATH


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work`, which never ends by itself, beside the block; cancel it at the block's end and wait for it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            log.debug("%s has ended", work.__qualname__)


def _application() -> Application:
    api = settings.TELEGRAM_API_URL.rstrip("/")
    application = (
        Application.builder()
        .token(settings.TELEGRAM_BOT_TOKEN)
        .base_url(f"{api}/bot")
        .base_file_url(f"{api}/file/bot")
        .updater(None)
        .rate_limiter(Pace())
        .build()
    )
    handlers.register(application)
    return application
