"""Work that outlives what goes wrong in it: the one place where the bot's long loops meet an error.

An outage of Telegram or PostgreSQL is told in a line, for it passes by itself; anything else is a defect and is told
with its traceback. Either way the work is tried again: a bot that ends over one defect does nothing of the rest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from django.db import InterfaceError, OperationalError
from psycopg.errors import QueryCanceled
from telegram.error import InvalidToken, TelegramError

log = logging.getLogger(__name__)

DATABASE_IS_AWAY = (OperationalError, InterfaceError)
PAUSE_AFTER_FAILURE = 0.5
LONGEST_PAUSE = 60.0

Step = Callable[[], Awaitable[Any]]


def is_outage(error: Exception | None) -> bool:
    """The database is away, or somebody holds a lock on it. A question that takes it too long is a defect of ours."""
    return isinstance(error, DATABASE_IS_AWAY) and not isinstance(error.__cause__, QueryCanceled)


async def attempt(step: Step, complaint: str) -> bool:
    """Whether `step` went through; if not, `complaint` and the error are in the log."""
    try:
        await step()
    except InvalidToken:
        log.error("Telegram refuses TELEGRAM_BOT_TOKEN: is it the token that BotFather gave?")  # noqa: TRY400
    except (TelegramError, *DATABASE_IS_AWAY) as error:
        log.warning("%s: %s", complaint, str(error).strip())
    except Exception:
        log.exception(complaint)
    else:
        return True
    return False


async def forever(step: Step, complaint: str, *, every: float = 0.0) -> NoReturn:
    """`step` again and again until cancelled, with so many seconds between the end of one and the next."""
    while True:
        has_worked = await attempt(step, complaint)
        await asyncio.sleep(every if has_worked else max(every, PAUSE_AFTER_FAILURE))


async def until_done(step: Step, complaint: str) -> None:
    """Through an outage of any length, with growing pauses."""
    pause = PAUSE_AFTER_FAILURE
    while not await attempt(step, complaint):
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
