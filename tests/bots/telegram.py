"""A Telegram to talk through, a world's clock, and the bot in a thread, for tests that look from the chat."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
import uvicorn
from django.conf import settings
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from apps.marketplaces.standins.frame import Frame, StandIn
from apps.marketplaces.standins.server import serving
from apps.marketplaces.standins.telegram import Telegram
from apps.marketplaces.standins.telegram.person import Person
from apps.marketplaces.standins.telegram.refusals import error
from apps.shops.models import Member
from bots.process import BotProcess
from tests.decisions.markets import NOON

START_SECONDS = 60


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@dataclass
class Messenger:
    """A running stand-in of Telegram, and the business time that the bot is told at the same address."""

    url: str = ""
    moment: datetime = NOON

    def joins(self, who: Member) -> Person:
        """The member's own chat with the bot."""
        assert who.person.telegram_id
        return self.stranger(str(who.person), person_id=who.person.telegram_id, language=who.person.language)

    def stranger(self, name: str, *, person_id: int, language: str = "en") -> Person:
        return Person.joins(self.url, first_name=name, language=language, person_id=person_id)

    def presses(self, message: dict[str, Any], label: str, *, by: int, chat: int) -> dict[str, Any]:
        """Press a button of a message, or its data, in any chat, in anybody's name."""
        data = next((b["callback_data"] for row in message["buttons"] for b in row if label in b["text"]), label)
        wish = {"message_id": message["id"], "data": data, "by": by, "forged": True}
        answer = requests.post(f"{self.url}/_telegram/chats/{chat}/presses", json=wish, timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    def suffers(self, method: str, kind: str, **script: Any) -> None:
        """Script a fault of one method of the Bot API; `*` for all."""
        fault = {"route": f"telegram:{method}", "kind": kind, **script}
        requests.post(f"{self.url}/_faults", json=fault, timeout=60).raise_for_status()

    def recovers(self) -> None:
        requests.delete(f"{self.url}/_faults", timeout=60).raise_for_status()

    def calls(self, method: str) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/_calls", params={"route": f"telegram:{method}"}, timeout=60).json())

    def sets(self, **wishes: Any) -> None:
        requests.post(f"{self.url}/_telegram/settings", json=wishes, timeout=60).raise_for_status()

    def sets_webhook(self, url: str, secret: str) -> None:
        """What the bot tells Telegram when it leads."""
        wish = {"url": url, "secret_token": secret}
        requests.post(
            f"{self.url}/bot{settings.TELEGRAM_BOT_TOKEN}/setWebhook", data=wish, timeout=10
        ).raise_for_status()

    def updates(self) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/_telegram/updates", timeout=60).json())

    def delivers_again(self, update_id: int) -> None:
        requests.post(f"{self.url}/_telegram/updates/{update_id}/again", timeout=60).raise_for_status()


@contextmanager
def running_messenger() -> Iterator[Messenger]:
    messenger = Messenger()

    async def clock(request: Request) -> Response:
        return JSONResponse({"moment": messenger.moment.isoformat()})

    world = StandIn("clock", routes=(), error=error, controls=(Route("/world/clock", clock),))
    with serving(Frame([Telegram().stand_in(), world])) as messenger.url:
        yield messenger


@contextmanager
def polling_bot() -> Iterator[BotProcess]:
    """The bot in a thread of its own, asking for its updates; stopped, with everything in hand finished, at the end."""
    started = threading.Event()
    box: dict[str, Any] = {}

    async def live() -> None:
        box["stop"], box["loop"] = asyncio.Event(), asyncio.get_running_loop()
        box["bot"] = BotProcess(polls=True)
        async with box["bot"].running():
            started.set()
            await box["stop"].wait()

    with _thread(lambda: asyncio.run(live()), stop=lambda: box["loop"].call_soon_threadsafe(box["stop"].set)):
        assert started.wait(START_SECONDS), "the bot did not start"
        yield box["bot"]


@contextmanager
def webhook_bot() -> Iterator[str]:
    """The bot behind its webhook, served by uvicorn; yields its address, which TELEGRAM_WEBHOOK_URL names meanwhile."""
    from bots.asgi import app

    before = settings.TELEGRAM_WEBHOOK_URL
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.TELEGRAM_WEBHOOK_URL = url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))

        def stop() -> None:
            server.should_exit = True

        try:
            with _thread(lambda: server.run(sockets=[listener]), stop=stop):
                requests.get(f"{url}/healthz", timeout=START_SECONDS).raise_for_status()
                yield url
        finally:
            settings.TELEGRAM_WEBHOOK_URL = before


@contextmanager
def _thread(live: Callable[[], None], *, stop: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=live, name="bot", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(START_SECONDS)
    assert not thread.is_alive(), "the bot did not stop"
