"""What people say to the bot. A handler finds out who speaks, calls one function, and answers in their language."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils import translation
from django.utils.translation import gettext as _
from telegram import Bot, BotCommand, CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Update, User
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from apps.common import clock
from apps.common.db import in_thread
from apps.common.errors import UserError
from apps.reports import answers
from apps.reports.messages import Rendered
from apps.shops.linking import link
from apps.shops.models import Language, Member, Person, active_member
from bots.actions import press
from bots.cards import shown_too
from bots.inbox import Waiting
from bots.tokens import mint

log = logging.getLogger(__name__)

Context = ContextTypes.DEFAULT_TYPE
MOST_ALERT_CHARACTERS = 200

Answer = Callable[[Member, datetime], Rendered]


@dataclass(frozen=True)
class Reply:
    """What goes back into the chat: HTML and rows of (label, token)."""

    text: str
    keyboard: list[list[tuple[str, str]]]


COMMANDS: dict[str, Answer] = {
    "help": answers.help_text,
    "report": answers.report,
    "inventory": answers.inventory,
    "experiments": answers.experiments,
    "settings": answers.settings,
}


def register(application: Application) -> None:
    application.add_handler(CommandHandler("start", start))
    for name, answer in COMMANDS.items():
        application.add_handler(CommandHandler(name, partial(command, answer=answer)))
    application.add_handler(CallbackQueryHandler(pressed))
    application.add_handler(MessageHandler(filters.TEXT, chatter))


async def publish_commands(bot: Bot) -> None:
    """The menu of commands, in every language."""
    for language in Language.values:
        menu = await in_thread(_menu, language)
        await bot.set_my_commands(menu, language_code=language)
    await bot.set_my_commands(await in_thread(_menu, Language.ENGLISH.value))


def _menu(language: str) -> list[BotCommand]:
    with translation.override(language):
        words = {
            "report": _("Yesterday's report"),
            "inventory": _("Stock and what to reorder"),
            "experiments": _("Price experiments"),
            "settings": _("Language and shop"),
            "help": _("What I can do"),
        }
        return [BotCommand(name, text) for name, text in words.items()]


async def start(update: Update, context: Context) -> None:
    """`/start CODE` links; `/start` alone greets, or says how to get a code."""
    code = " ".join(context.args or [])
    await _reply(update, await in_thread(_start, _sender(update), code))


async def command(update: Update, context: Context, *, answer: Answer) -> None:
    await _reply(update, await in_thread(_command, _sender(update), answer))


async def chatter(update: Update, context: Context) -> None:
    await _reply(update, await in_thread(_hint, _sender(update)))


async def pressed(update: Update, context: Context) -> None:
    """Answered at once; what follows is shown by the card itself."""
    query = update.callback_query
    if query is None:
        return
    text, is_alert = await in_thread(_press, query)
    try:
        await query.answer(text[:MOST_ALERT_CHARACTERS], show_alert=is_alert)
    except BadRequest as error:
        # The question is too old to be answered; the press itself has counted, and the card shows it.
        log.info("a press could not be answered: %s", error)


async def apologise(bot: Bot, waiting: Waiting) -> None:
    """Nothing could be done with an update: say so, with the number under which its error is kept."""
    if waiting.chat_id:
        await bot.send_message(waiting.chat_id, await in_thread(_apology, waiting))


def _start(user: User, code: str) -> Reply:
    person = _person(user.id)
    if code:
        try:
            person = link(code=code, telegram_id=user.id, now=clock.real_now())
        except UserError as error:
            with translation.override(_language(user, person)):
                return Reply(str(error), [])
    if person is None:
        return _stranger(user)
    return _command(user, answers.welcome)


def _command(user: User, answer: Answer) -> Reply:
    person = _person(user.id)
    member = active_member(person) if person else None
    if person is None or member is None:
        return _stranger(user)
    with translation.override(person.language):
        try:
            rendered = answer(member, clock.now())
        except UserError as error:
            return Reply(str(error), [])
        group = f"answer:{person.pk}:{clock.real_now().timestamp()}"
        keyboard = mint(rendered.rows, person=person, seller=member.seller, group=group, now=clock.real_now())
        return Reply(rendered.text, keyboard)


def _hint(user: User) -> Reply:
    return _command(user, answers.hint)


def _stranger(user: User) -> Reply:
    with translation.override(_language(user, None)):
        return Reply(
            _("I do not know you yet. Ask the owner for a one-time code and send it to me as: /start CODE"), []
        )


def _press(query: CallbackQuery) -> tuple[str, bool]:
    """A short answer, and whether it must be noticed."""
    with translation.override(_language(query.from_user, _person(query.from_user.id))):
        try:
            done, words = press(token=query.data or "", telegram_id=query.from_user.id, now=clock.now())
        except UserError as error:
            return str(error), True
    if query.message:
        shown_too(done.group, query.message.message_id)
    return words, False


def _apology(waiting: Waiting) -> str:
    person = _person(waiting.chat_id)
    with translation.override(person.language if person else Language.ENGLISH.value):
        return _("Something went wrong on my side. If it happens again, tell the owner this number: %(id)s") % {
            "id": waiting.update_id
        }


def _person(telegram_id: int) -> Person | None:
    return Person.objects.select_related("user").filter(telegram_id=telegram_id).first()


def _language(user: User, person: Person | None) -> str:
    """The person's own choice, else what their Telegram speaks, where we speak it too."""
    if person:
        return person.language
    spoken = (user.language_code or "")[:2]
    return spoken if spoken in Language.values else Language.ENGLISH.value


def _sender(update: Update) -> User:
    if update.effective_user is None:
        raise ValueError("an update without a person reached a handler for people")
    return update.effective_user


async def _reply(update: Update, reply: Reply) -> None:
    if update.effective_chat is None:
        return
    rows = [[InlineKeyboardButton(label, callback_data=token) for label, token in row] for row in reply.keyboard]
    await update.effective_chat.send_message(
        reply.text, parse_mode=ParseMode.HTML, reply_markup=InlineKeyboardMarkup(rows) if rows else None
    )
