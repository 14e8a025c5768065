"""Updates on their way to the bot: kept until taken, by long poll or by webhook, in order within each chat."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from apps.marketplaces.standins.pauses import until
from apps.marketplaces.standins.telegram.refusals import Refusal

NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
WEBHOOK_SECONDS = 60.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 10.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 the name of a header


@dataclass(frozen=True)
class Update:
    """One update; `message_id` is the person's message that it carries, if any."""

    id: int
    chat_id: int
    kind: str
    payload: dict[str, Any]
    message_id: int | None = None

    def as_api(self) -> dict[str, Any]:
        return {"update_id": self.id, self.kind: self.payload}


@dataclass
class Webhook:
    """Where updates are delivered, and what went wrong last."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error_at: float | None = None
    last_error: str = ""


@dataclass
class _Lane:
    """A chat's place in delivery: one update at a time, later again after a failure."""

    busy: bool = False
    not_before: float = 0.0
    failures: int = 0


@dataclass
class Updates:
    """The queue of one bot. `taken` is called once for each update that reached the bot."""

    taken: Callable[[Update], None]
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    allowed: tuple[str, ...] | None = None
    webhook: Webhook | None = None
    waiting: list[Update] = field(default_factory=list)
    seen: dict[int, Update] = field(default_factory=dict)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(int(time.time())))
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _lanes: dict[int, _Lane] = field(default_factory=dict)
    _sending: set["asyncio.Task[None]"] = field(default_factory=set)
    _poll: int = 0

    def add(self, *, chat_id: int, kind: str, payload: dict[str, Any], message_id: int | None = None) -> Update | None:
        """Queue an update; None when the bot did not ask for this kind."""
        if not self._asked_for(kind):
            return None
        update = Update(next(self._ids), chat_id, kind, payload, message_id)
        self.seen[update.id] = update
        self.waiting.append(update)
        self.wake()
        return update

    def again(self, update_id: int) -> bool:
        """Deliver a known update once more, as Telegram does when it missed the bot's answer."""
        if update_id not in self.seen:
            return False
        self.waiting.append(self.seen[update_id])
        self.wake()
        return True

    def _asked_for(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT

    def wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def done(self, update: Update) -> None:
        self.waiting.remove(update)
        self.taken(update)

    # Long poll

    async def poll(self, *, offset: int, limit: int, timeout: float) -> list[Update]:
        """Updates from `offset` on, waiting up to `timeout` seconds for the first; a newer poll ends this one."""
        self._poll += 1
        mine, until = self._poll, time.monotonic() + timeout
        self.wake()
        self._forget_before(offset)
        while not self.waiting and not self.closing.is_set() and time.monotonic() < until:
            await self._change(until - time.monotonic())
            if self._poll != mine:
                raise Refusal(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
        return self.waiting[:limit]

    def _forget_before(self, offset: int) -> None:
        first = offset if offset >= 0 else min((u.id for u in self.waiting[offset:]), default=0)
        for update in [update for update in self.waiting if update.id < first]:
            self.done(update)

    async def _change(self, seconds: float) -> None:
        await until(self._changed.wait(), closing=self.closing, seconds=seconds)

    # Webhook

    async def deliver(self) -> None:
        """Post updates to the webhook until the server stops: in order within a chat, again when refused."""
        async with httpx.AsyncClient(timeout=WEBHOOK_SECONDS, trust_env=False) as client:
            while not self.closing.is_set():
                pause = self._start_sending(client)
                await self._change(pause)

    def _start_sending(self, client: httpx.AsyncClient) -> float:
        """Start what may be sent now; the seconds until there may be more without a change."""
        pause, now, passed = 3600.0, time.monotonic(), set()
        for update in list(self.waiting) if self.webhook else []:
            lane = self._lanes.setdefault(update.chat_id, _Lane())
            if lane.busy or update.chat_id in passed:
                continue
            passed.add(update.chat_id)
            if lane.not_before > now:
                pause = min(pause, lane.not_before - now)
            elif self.webhook and len(self._sending) < self.webhook.max_connections:
                lane.busy = True
                task = asyncio.create_task(self._send(client, update, lane))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
        return pause

    async def _send(self, client: httpx.AsyncClient, update: Update, lane: _Lane) -> None:
        webhook = self.webhook
        problem = await _post(client, webhook, update) if webhook else "no webhook"
        if problem is None:
            lane.failures = 0
            if update in self.waiting:
                self.done(update)
        elif webhook:
            webhook.last_error, webhook.last_error_at = problem, time.time()
            lane.not_before = time.monotonic() + min(FIRST_RETRY_SECONDS * 2**lane.failures, LONGEST_RETRY_SECONDS)
            lane.failures += 1
        lane.busy = False
        self.wake()


async def _post(client: httpx.AsyncClient, webhook: Webhook, update: Update) -> str | None:
    """What went wrong, in the words of getWebhookInfo, or None."""
    headers = {SECRET_HEADER: webhook.secret} if webhook.secret else {}
    try:
        answer = await client.post(webhook.url, json=update.as_api(), headers=headers)
    except httpx.TimeoutException:
        return "Read timeout expired"
    except httpx.ConnectError:
        return "Connection refused"
    except httpx.HTTPError as error:
        return f"Connection failed: {type(error).__name__}"
    if answer.is_success:
        return None
    return f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
