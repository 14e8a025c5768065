from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from tests.backoffice.fill import Filled, fill


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Hundreds of refusals are asked for here; a line with a traceback for each takes longer than the refusal."""
    log = logging.getLogger("django.request")
    level = log.level
    log.setLevel(logging.ERROR)
    yield
    log.setLevel(level)


@pytest.fixture(scope="module")
def _sellers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Filled, Filled]]:
    """Filled once for all tests of a file; each test's own changes are rolled back around it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield fill("Anna", telegram_id=1001), fill("Boris", telegram_id=2002)
        transaction.set_rollback(True)


@pytest.fixture
def anna(_sellers: tuple[Filled, Filled], db: None) -> Filled:
    return _sellers[0]


@pytest.fixture
def boris(_sellers: tuple[Filled, Filled], db: None) -> Filled:
    return _sellers[1]
