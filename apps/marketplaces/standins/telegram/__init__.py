"""Telegram: the Bot API, the people who talk to the bot, and the chat page where they do it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from apps.marketplaces.standins.frame import StandIn
from apps.marketplaces.standins.telegram.bot_api import BotApi
from apps.marketplaces.standins.telegram.commands import Commands
from apps.marketplaces.standins.telegram.control import Control
from apps.marketplaces.standins.telegram.events import Events
from apps.marketplaces.standins.telegram.messenger import Messenger
from apps.marketplaces.standins.telegram.page import page_routes
from apps.marketplaces.standins.telegram.refusals import error
from apps.marketplaces.standins.telegram.updates import Update, Updates


class Telegram:
    """One bot and its people. `token` None lets every well-formed token in as this bot; `now` stamps messages."""

    def __init__(self, *, token: str | None = None, now: Callable[[], float] = time.time) -> None:
        self.events = Events()
        self.messenger = Messenger(self.events.publish, now=now)
        self.updates = Updates(taken=self._taken)
        self.api = BotApi(
            messenger=self.messenger, updates=self.updates, commands=Commands(self.events.publish), token=token
        )
        self.control = Control(self.api, self.events)

    def _taken(self, update: Update) -> None:
        if update.message_id is not None:
            self.messenger.take(update.message_id)

    def stand_in(self) -> StandIn:
        return StandIn(
            name="telegram",
            routes=self.api.routes(),
            error=error,
            controls=(*self.control.routes(), *page_routes()),
            running=self._running,
        )

    @asynccontextmanager
    async def _running(self, closing: asyncio.Event) -> AsyncIterator[None]:
        self.updates.closing = closing
        delivery = asyncio.create_task(self.updates.deliver())
        yield
        await delivery
