"""What people say to the bot. A handler finds out who speaks, calls one function, and answers in their language."""

from __future__ import annotations

import html
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils import translation
from django.utils.translation import gettext as _
from telegram import Bot, BotCommand, CallbackQuery, Chat, Update, User
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from apps.common import clock
from apps.common.db import Pool, in_thread
from apps.common.errors import UserError
from apps.reports import answers
from apps.reports.messages import Rendered
from apps.shops.linking import link
from apps.shops.models import Language, Member, Person, active_member
from bots.actions import Outcome, press
from bots.cards import seen_in
from bots.inbox import Waiting
from bots.speech import Keyboard, is_gone, is_the_same, never_left, speak
from bots.tokens import mint

log = logging.getLogger(__name__)

Context = ContextTypes.DEFAULT_TYPE
PRIVATE = filters.ChatType.PRIVATE
MOST_TOAST_CHARACTERS = 200

_answers = Pool("answers", 4)  # a report takes longer than a press, and must not stand in its way


@dataclass(frozen=True)
class Reply:
    """What goes back into the chat: HTML and buttons."""

    text: str
    keyboard: Keyboard


ANSWERS: dict[str, Callable[[Member, datetime], Rendered]] = {
    "welcome": answers.welcome,
    "hint": answers.hint,
    "help": answers.help_text,
    "report": answers.report,
    "inventory": answers.inventory,
    "experiments": answers.experiments,
    "settings": answers.settings,
}
COMMANDS = ("report", "inventory", "experiments", "settings", "help")


def register(application: Application) -> None:
    """Only private chats are answered: what the bot says is for one person."""
    application.add_handler(CommandHandler("start", start, filters=PRIVATE))
    for name in COMMANDS:
        application.add_handler(CommandHandler(name, partial(answer, name=name), filters=PRIVATE))
    application.add_handler(CallbackQueryHandler(pressed))
    application.add_handler(MessageHandler(PRIVATE, partial(answer, name="hint")))


async def publish_commands(bot: Bot) -> None:
    """The menu of commands, in every language; English for the others."""
    for language in Language.values:
        await bot.set_my_commands(_menu(language), language_code=language)
    await bot.set_my_commands(_menu(Language.ENGLISH.value))


async def start(update: Update, context: Context) -> None:
    """`/start CODE` links; `/start` alone greets, or says how to get a code."""
    if update.effective_user and update.effective_chat:
        code = " ".join(context.args or [])
        await _say(update.effective_chat, await _answers.run(_start, update.effective_user, code))


async def answer(update: Update, context: Context, *, name: str) -> None:
    if update.effective_user and update.effective_chat:
        await _say(update.effective_chat, await _answers.run(_answer, update.effective_user, name))


async def pressed(update: Update, context: Context) -> None:
    """The press is answered in a word; what follows from it is shown by the card itself."""
    query = update.callback_query
    if query is None:
        return
    outcome = await in_thread(_press, query)
    try:
        await query.answer(outcome.words[:MOST_TOAST_CHARACTERS], show_alert=outcome.is_refusal)
    except TelegramError as error:
        # Too late to be answered, or Telegram is away: the press has counted, and its card will show it.
        log.info("a press could not be answered: %s", error)
    kind, _sep, rest = outcome.group.partition(":")
    if kind == "answer":
        await _redraw(query, rest.partition(":")[0])


async def apologise(bot: Bot, waiting: Waiting) -> None:
    """Nothing could be done with an update: say so, with the number under which its error is kept."""
    if waiting.chat_id:
        await bot.send_message(waiting.chat_id, await in_thread(_apology, waiting))


def _menu(language: str) -> list[BotCommand]:
    with translation.override(language):
        words = {
            "report": _("Yesterday's report"),
            "inventory": _("Stock and what to reorder"),
            "experiments": _("Price experiments"),
            "settings": _("Language and shop"),
            "help": _("What I can do"),
        }
        return [BotCommand(name, words[name]) for name in COMMANDS]


def _start(user: User, code: str) -> Reply:
    if code:
        with translation.override(_language(user, _person(user.id))):
            try:
                link(code=code, telegram_id=user.id, now=clock.real_now())
            except UserError as error:
                return Reply(html.escape(str(error), quote=False), [])
    return _answer(user, "welcome")


def _answer(user: User, name: str) -> Reply:
    """One of `ANSWERS`, for the seller that the person works with; strangers learn how to become none."""
    person = _person(user.id)
    member = active_member(person) if person else None
    with translation.override(_language(user, person)):
        if person is None or member is None:
            words = _("I do not know you yet. Ask the owner for a one-time code and send it to me as: /start CODE")
            return Reply(words, [])
        try:
            rendered = ANSWERS[name](member, clock.now())
        except UserError as error:
            return Reply(html.escape(str(error), quote=False), [])
        group = f"answer:{name}:{secrets.token_hex(8)}"
        keyboard = mint(rendered.rows, person=person, seller=member.seller, group=group, now=clock.real_now())
        return Reply(rendered.text, keyboard)


def _press(query: CallbackQuery) -> Outcome:
    chat_id = query.message.chat.id if query.message else None
    with translation.override(_language(query.from_user, _person(query.from_user.id))):
        outcome = press(token=query.data or "", telegram_id=query.from_user.id, chat_id=chat_id, now=clock.now())
    if query.message and outcome.group:
        seen_in(outcome.group, query.message.message_id)
    return outcome


def _apology(waiting: Waiting) -> str:
    person = _person(waiting.chat_id)
    with translation.override(person.language if person else Language.ENGLISH.value):
        return _("Something went wrong on my side. If it happens again, tell the owner this number: %(id)s") % {
            "id": waiting.update_id
        }


def _person(telegram_id: int) -> Person | None:
    return Person.objects.select_related("user").filter(telegram_id=telegram_id, user__is_active=True).first()


def _language(user: User, person: Person | None) -> str:
    """The person's own choice, else what their Telegram speaks, where we speak it too."""
    if person:
        return person.language
    spoken = (user.language_code or "")[:2]
    return spoken if spoken in Language.values else Language.ENGLISH.value


async def _say(chat: Chat, reply: Reply) -> None:
    """Answer in the chat. What may have arrived is not said again: the person asks again if they want."""
    try:
        await speak(chat.send_message, reply.text, reply.keyboard)
    except Forbidden:
        log.info("chat %s is closed to the bot", chat.id)
    except (BadRequest, RetryAfter):
        raise
    except TelegramError as error:
        if never_left(error):
            raise
        log.warning("an answer may not have arrived: %s", error)


async def _redraw(query: CallbackQuery, name: str) -> None:
    """An answer with buttons shows what its press has changed, with fresh buttons."""
    reply = await _answers.run(_answer, query.from_user, name)
    try:
        await speak(query.edit_message_text, reply.text, reply.keyboard)
    except TelegramError as error:
        if not (isinstance(error, BadRequest) and (is_gone(error) or is_the_same(error))):
            log.warning("an answer could not be redrawn: %s", error)
