"""Telegram's flood limits, counted over a sliding second."""

import math
from collections import deque
from time import monotonic

from apps.marketplaces.standins.telegram.refusals import Refusal

PER_SECOND = 30
PER_CHAT_AND_SECOND = 1


class Flood:
    """Refuses what comes faster than the limits. Off at first: only a test of pacing wants it."""

    def __init__(self) -> None:
        self.on = False
        self._sent: deque[float] = deque(maxlen=PER_SECOND)
        self._chats: dict[int, deque[float]] = {}

    def check(self, chat_id: int) -> None:
        """Count one message to a chat; raises Refusal 429 with the seconds to wait."""
        if not self.on:
            return
        now = monotonic()
        chat = self._chats.setdefault(chat_id, deque(maxlen=PER_CHAT_AND_SECOND))
        for window in (self._sent, chat):
            if len(window) == window.maxlen and now - window[0] < 1:
                wait = math.ceil(1 - (now - window[0]))
                raise Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        self._sent.append(now)
        chat.append(now)
