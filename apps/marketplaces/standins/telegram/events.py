"""What happens, told live to every open chat page (server-sent events)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from apps.marketplaces.standins.pauses import until

KEEP_ALIVE_SECONDS = 15.0
RECONNECT_MS = 1000


class Events:
    """Hands each event to all who listen. A listener who connects again reads the state anew: nothing is replayed."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()

    def publish(self, event: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener.put_nowait(event)

    async def stream(self, request: Request) -> Response:
        return StreamingResponse(
            self._lines(request.state.closing), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def _lines(self, closing: asyncio.Event) -> AsyncIterator[str]:
        mine: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listeners.add(mine)
        try:
            yield f"retry: {RECONNECT_MS}\n\n"
            while not closing.is_set():
                event = await until(mine.get(), closing=closing, seconds=KEEP_ALIVE_SECONDS)
                yield f"data: {json.dumps(event)}\n\n" if event else ": still here\n\n"
        finally:
            self._listeners.discard(mine)
