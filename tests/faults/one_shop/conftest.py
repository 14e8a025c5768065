"""One shop for all tests of a module, with its fleet: each test changes products of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from pytest_django.plugin import DjangoDbBlocker

from config.servers import Redis
from tests import database
from tests.faults.harness import Fleet, server_of_its_own
from tests.faults.trade import Trade, trade_of


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Here committed rows last until the end of the module."""
    with django_db_blocker.unblock():
        yield
        database.empty()


@pytest.fixture(scope="module")
def shared_trade(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    with (
        server_of_its_own(Redis, scratch=False) as redis,
        closing(Fleet(tmp_path_factory.mktemp("fleet"), redis)) as fleet,
        trade_of(fleet, skus=60) as trade,
    ):
        yield trade


@pytest.fixture
def trade(shared_trade: Trade) -> Iterator[Trade]:
    yield shared_trade
    shared_trade.heal()
