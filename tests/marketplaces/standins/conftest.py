"""Telegram's stand-in, its people and the real library in front of it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.request import HTTPXRequest

from apps.marketplaces.standins.frame import Frame
from apps.marketplaces.standins.server import serving
from apps.marketplaces.standins.telegram import Telegram
from apps.marketplaces.standins.telegram.person import Person

TOKEN = "100000001:test-token-of-the-stand-in"


@pytest.fixture
def telegram_url() -> Iterator[str]:
    with serving(Frame([Telegram(token=TOKEN).stand_in()])) as base:
        yield base


@pytest.fixture(scope="module")
def shared_telegram_url() -> Iterator[str]:
    """One server for tests that only look at refusals."""
    with serving(Frame([Telegram(token=TOKEN).stand_in()])) as base:
        Person.joins(base, first_name="Anna", person_id=1)
        yield base


@pytest.fixture
def anna(telegram_url: str) -> Person:
    return Person.joins(telegram_url, first_name="Anna", language="ru")


@pytest.fixture
async def bot(telegram_url: str) -> AsyncIterator[telegram.Bot]:
    async with telegram.Bot(
        TOKEN,
        base_url=f"{telegram_url}/bot",
        base_file_url=f"{telegram_url}/file/bot",
        request=quick(),
        get_updates_request=quick(),
    ) as bot:
        yield bot


def quick() -> HTTPXRequest:
    """The library's own transport, without loading certificates that loopback never shows."""
    return HTTPXRequest(connection_pool_size=64, httpx_kwargs={"verify": False, "trust_env": False})


def buttons(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=f"do:{label}") for label in labels]])
