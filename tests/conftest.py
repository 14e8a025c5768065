"""Fixtures for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from apps.shops.models import Member
from config.env import state_folder
from tests import database
from tests.cast import anna
from tests.inventory.shelf import Shelf

# How fast examples are made says how busy the machine is.
hypothesis_settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("tests")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Migrating takes each process as long as hundreds of tests."""
    with django_db_blocker.unblock():
        database.use_template(state_folder() / "test" / "template.lock")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """What tests commit is deleted after each; the audit trail must be truncated, which it refuses everywhere else.

    Autovacuum would give the pages of deleted rows back, with the whole table locked, while the next test writes to it.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("alter table logs disable trigger logs_no_truncate")
        name = sql.Identifier(connection.settings_dict["NAME"])
        cursor.execute(sql.SQL("alter database {} set vacuum_truncate = off").format(name))
    TransactionTestCase._fixture_teardown = lambda _case: database.empty()  # type: ignore[attr-defined]


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_when_asked_for() -> None:
    """Otherwise every test client has all of them listed first."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _the_next_test_reads_english() -> Iterator[None]:
    """A door speaks the language of whoever asked last, in the same thread as the test."""
    yield
    translation.deactivate()


@pytest.fixture
def empty_redis() -> Iterator[redis.Redis]:
    """This worker's own Redis database, empty before and after."""
    with redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def owner() -> Member:
    return anna()


@pytest.fixture
def shelf(owner: Member) -> Shelf:
    """Anna's shop, synced this morning; nothing on it yet."""
    shelf = Shelf(owner.seller.shops.get())
    shelf.synced()
    return shelf
