"""Updates on their way to python-telegram-bot: by poll and by webhook."""

import asyncio
import time
from collections.abc import Iterator

import pytest
import requests
import telegram
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram.error import Conflict
from telegram.ext import Application, ApplicationBuilder, CallbackQueryHandler, CommandHandler, ContextTypes

from apps.marketplaces.standins.frame import Frame
from apps.marketplaces.standins.server import serving
from apps.marketplaces.standins.telegram.person import Person
from tests.marketplaces.standins.conftest import TOKEN, buttons

pytestmark = pytest.mark.flow

SECRET = "a-secret_of-32-characters-or-more"


# Polling


async def test_a_long_poll_ends_with_the_first_update(bot: telegram.Bot, anna: Person) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=60))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    said = await asyncio.to_thread(anna.says, "/report now")
    (update,) = await poll
    assert time.monotonic() - started < 40
    assert update.message is not None
    assert update.message.text == "/report now"
    assert update.message.entities[0].type == "bot_command"
    assert [again.update_id for again in await bot.get_updates()] == [update.update_id]
    assert await bot.get_updates(offset=update.update_id + 1) == ()
    chat = requests.get(f"{anna.url}/_telegram/chats/{anna.id}", timeout=60).json()
    assert [(message["id"], message["taken"]) for message in chat["messages"]] == [(said["id"], True)]


async def test_update_ids_grow_and_a_negative_offset_takes_the_last(bot: telegram.Bot, anna: Person) -> None:
    for text in ("one", "two", "three"):
        anna.says(text)
    ids = [update.update_id for update in await bot.get_updates(limit=2)]
    assert ids[1] == ids[0] + 1
    (last,) = await bot.get_updates(offset=-1)
    assert last.message is not None
    assert last.message.text == "three"


async def test_a_second_poll_ends_the_first(bot: telegram.Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=60))
    async with telegram.Bot(TOKEN, base_url=bot.base_url.removesuffix(TOKEN)) as second:
        while not first.done():  # it may not have begun when the second asks
            assert await second.get_updates() == ()
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await first


async def test_only_asked_for_kinds_are_queued(bot: telegram.Bot, anna: Person) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    anna.says("unheard")
    await bot.send_message(anna.id, "?", reply_markup=buttons("Apply"))
    anna.presses(anna.sees("?"), "Apply")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert (await bot.get_webhook_info()).allowed_updates == ("callback_query",)


async def test_an_application_polls_answers_and_edits(telegram_url: str, anna: Person) -> None:
    async def start(update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_html("<b>Card</b>", reply_markup=buttons("Apply"))

    async def apply(update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.callback_query is not None
        await update.callback_query.answer("accepted")
        await update.callback_query.edit_message_text("verified")

    application = ApplicationBuilder().token(TOKEN).base_url(f"{telegram_url}/bot").build()
    application.add_handler(CommandHandler("start", start))
    application.add_handler(CallbackQueryHandler(apply))
    async with application:
        assert application.updater is not None
        await application.updater.start_polling()
        await application.start()
        heard = await asyncio.to_thread(_start_and_apply, anna)
        await application.updater.stop()
        await application.stop()
    assert heard == ["accepted", "verified"]


def _start_and_apply(person: Person) -> list[str]:
    person.says("/start")
    press = person.presses(person.sees("Card"), "Apply")
    return [person.hears(press)["text"], person.sees("verified")["text"]]


# Webhook


class Inbox:
    """A tiny webhook of a bot: keeps what comes, says no as often as it is told to, keeps its answers while `held`."""

    def __init__(self) -> None:
        self.updates: list[dict[str, object]] = []
        self.secrets: list[str | None] = []
        self.refusals = 0
        self.held = False
        self.running = self.most_at_once = 0

    async def take(self, request: Request) -> Response:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        await asyncio.sleep(0.05)
        while self.held:
            await asyncio.sleep(0.01)
        self.running -= 1
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        if self.refusals:
            self.refusals -= 1
            return Response(status_code=503)
        self.updates.append(await request.json())
        return Response()

    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.updates]  # type: ignore[index]


class Bare(Frame):
    """A server without stand-ins that hosts the bot's own app."""

    def __init__(self, app: Starlette) -> None:
        super().__init__([])
        self.app = app


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def webhook(inbox: Inbox) -> Iterator[str]:
    with serving(Bare(Starlette(routes=[Route("/hook", inbox.take, methods=["POST"])]))) as base:
        yield f"{base}/hook"


async def until(check: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not check():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


async def delivered(bot: telegram.Bot) -> telegram.WebhookInfo:
    """What is said of the webhook once nothing waits: an answer of the inbox is heard a moment after it was given."""
    while (info := await bot.get_webhook_info()).pending_update_count:
        await asyncio.sleep(0.02)
    return info


async def test_a_webhook_gets_updates_with_its_secret(
    bot: telegram.Bot, anna: Person, inbox: Inbox, webhook: str
) -> None:
    anna.says("before the webhook")
    await bot.set_webhook(webhook, secret_token=SECRET, allowed_updates=["message"], max_connections=4)
    await until(lambda: inbox.texts() == ["before the webhook"])
    assert inbox.secrets == [SECRET]
    info = await delivered(bot)
    assert (info.url, info.max_connections) == (webhook, 4)
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    anna.says("kept for a poll")
    assert len(await bot.get_updates()) == 1


async def test_a_refused_update_comes_again_and_keeps_its_place(
    bot: telegram.Bot, anna: Person, inbox: Inbox, webhook: str
) -> None:
    inbox.refusals = 2
    await bot.set_webhook(webhook)
    for text in ("one", "two", "three"):
        anna.says(text)
    await until(lambda: len(inbox.updates) == 3)
    assert inbox.texts() == ["one", "two", "three"]
    assert inbox.most_at_once == 1
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 503 Service Unavailable"


async def test_chats_do_not_wait_for_each_other(
    telegram_url: str, bot: telegram.Bot, inbox: Inbox, webhook: str
) -> None:
    people = [Person.joins(telegram_url, first_name=f"P{number}") for number in range(4)]
    await bot.get_updates()
    for person in people:
        person.says("hello")
    inbox.held = True
    await bot.set_webhook(webhook, max_connections=3)
    await until(lambda: inbox.running == 3)
    inbox.held = False
    await until(lambda: len(inbox.updates) == 4)
    assert inbox.most_at_once == 3


async def test_a_dead_webhook_is_told_and_dropped_updates_are_gone(bot: telegram.Bot, anna: Person) -> None:
    await bot.set_webhook("http://127.0.0.1:9/hook")
    anna.says("hello")
    info = await bot.get_webhook_info()
    while info.last_error_message is None:
        info = await bot.get_webhook_info()
    assert (info.last_error_message, info.pending_update_count) == ("Connection refused", 1)
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()


async def test_an_update_can_be_delivered_again(
    telegram_url: str, bot: telegram.Bot, anna: Person, inbox: Inbox, webhook: str
) -> None:
    await bot.set_webhook(webhook)
    anna.says("once")
    await delivered(bot)
    (update,) = requests.get(f"{telegram_url}/_telegram/updates", timeout=60).json()
    assert (update["kind"], update["waiting"]) == ("message", False)
    requests.post(f"{telegram_url}/_telegram/updates/{update['id']}/again", timeout=60).raise_for_status()
    await until(lambda: len(inbox.updates) == 2)
    assert inbox.updates[0] == inbox.updates[1]


async def test_an_application_answers_through_its_webhook(telegram_url: str, anna: Person) -> None:
    application: Application = ApplicationBuilder().token(TOKEN).base_url(f"{telegram_url}/bot").updater(None).build()
    ours = asyncio.get_running_loop()

    async def hook(request: Request) -> Response:
        """Called in the server's own thread and loop."""
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == SECRET
        update = telegram.Update.de_json(await request.json(), application.bot)
        ours.call_soon_threadsafe(application.update_queue.put_nowait, update)
        return Response()

    async def apply(update: telegram.Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.callback_query is not None
        await update.callback_query.answer()
        await update.callback_query.edit_message_text("verified")

    application.add_handler(CallbackQueryHandler(apply))
    with serving(Bare(Starlette(routes=[Route("/hook", hook, methods=["POST"])]))) as base:
        async with application:
            await application.start()
            await application.bot.set_webhook(f"{base}/hook", secret_token=SECRET)
            await application.bot.send_message(anna.id, "Card", reply_markup=buttons("Apply"))
            await asyncio.to_thread(lambda: anna.presses(anna.sees("Card"), "Apply"))
            verified = await asyncio.to_thread(anna.sees, "verified")
            await application.stop()
    assert verified["buttons"] == []
