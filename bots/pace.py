"""Telegram's flood limits, kept by everything that this process says: 30 messages a second, one a second in a chat."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from aiolimiter import AsyncLimiter
from django.conf import settings
from telegram.ext import BaseRateLimiter

BURST = 3  # in one chat, before it is one message every `CHAT_SECONDS`
IN_ALL = (5, 0.2)  # never more than 30 in any second
MOST_CHATS_REMEMBERED = 1000


class Pace(BaseRateLimiter[None]):
    """Holds back what goes into a chat; anything else passes at once. A refusal (429) is for the caller to heed."""

    def __init__(self) -> None:
        self._all = AsyncLimiter(*IN_ALL)
        self._chats: dict[int, AsyncLimiter] = {}

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def process_request(  # noqa: PLR0917 - the library's own signature
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Any:
        chat_id = data.get("chat_id")
        if chat_id is not None:
            await self._chat(chat_id).acquire()
            await self._all.acquire()
        return await callback(*args, **kwargs)

    def _chat(self, chat_id: int) -> AsyncLimiter:
        if len(self._chats) > MOST_CHATS_REMEMBERED:
            self._chats = {key: one for key, one in self._chats.items() if not one.has_capacity(one.max_rate)}
        return self._chats.setdefault(chat_id, AsyncLimiter(BURST, BURST * settings.CHAT_SECONDS))
