"""How the bot speaks: HTML with buttons, and what a failure says about whether the words arrived."""

from __future__ import annotations

import html
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import httpx
from django.utils.html import strip_tags
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import MessageLimit, ParseMode
from telegram.error import BadRequest, RetryAfter

log = logging.getLogger(__name__)

T = TypeVar("T")
Keyboard = list[list[tuple[str, str]]]
"""Rows of (label, token)."""

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
UNREADABLE = ("can't parse entities", "too long", "too_long")
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


async def speak(call: Callable[..., Awaitable[T]], text: str, keyboard: Keyboard) -> T:
    """Call a method of the bot with HTML and buttons.

    What Telegram cannot read goes as plain words: a message is never lost to its own markup.
    """
    given = {"reply_markup": _markup(keyboard), "link_preview_options": NO_PREVIEW}
    try:
        return await call(text=text, parse_mode=ParseMode.HTML, **given)
    except BadRequest as error:
        if not any(words in str(error).lower() for words in UNREADABLE):
            raise
        log.exception("Telegram cannot read a message")
        plain = html.unescape(strip_tags(text))[: MessageLimit.MAX_TEXT_LENGTH]
        return await call(text=plain, **given)


def never_left(error: Exception) -> bool:
    """Whether a failed call certainly did not reach Telegram."""
    return isinstance(error.__cause__, NEVER_LEFT)


def is_gone(error: BadRequest) -> bool:
    """Whether an edit failed because its message is not there any more."""
    return any(words in str(error).lower() for words in ("not found", "can't be edited"))


def is_the_same(error: BadRequest) -> bool:
    """Whether an edit failed because the message reads so already."""
    return "not modified" in str(error).lower()


def seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _markup(keyboard: Keyboard) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(label, callback_data=token) for label, token in row] for row in keyboard]
    return InlineKeyboardMarkup(rows) if rows else None
