from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import Settings

from apps.shops.models import Member
from bots import leader, loops
from bots.process import BotProcess
from tests.bots.cards import cards
from tests.bots.telegram import Messenger, polling_bot, running_messenger
from tests.cast import anna
from tests.decisions.markets import market

__all__ = ["cards", "market"]


@pytest.fixture
def messenger() -> Iterator[Messenger]:
    with running_messenger() as messenger:
        yield messenger


@pytest.fixture
def quick(transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits of a fraction of a second. At the end the connections of the bot's threads are cut."""
    settings.OUTBOX_POLL_SECONDS = 0.2
    settings.OUTBOX_REPEAT_SECONDS = 0.5
    monkeypatch.setattr(leader, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(loops, "PAUSE_AFTER_FAILURE", 0.1)
    settings.CHAT_SECONDS = 0.01
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


@pytest.fixture
def surroundings(messenger: Messenger, quick: None, settings: Settings) -> None:
    """A database, a Telegram and a clock at noon for a bot that a test starts itself."""
    settings.TELEGRAM_API_URL = settings.WORLD_URL = messenger.url
    settings.TELEGRAM_WEBHOOK_SECRET = "s" * 40


@pytest.fixture
def bot(surroundings: None) -> Iterator[BotProcess]:
    with polling_bot() as bot:
        yield bot


@pytest.fixture
def owner(db: None) -> Member:
    """Anna, who owns a shop and is linked to Telegram."""
    return anna()
