from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from config.servers import Postgres, Redis
from tests.faults.harness import Fleet, server_of_its_own


@pytest.fixture
def fleet(transactional_db: None, tmp_path: Path) -> Iterator[Fleet]:
    """Processes over the test's database and a Redis of their own."""
    with server_of_its_own(Redis, scratch=False) as redis, closing(Fleet(tmp_path, redis)) as fleet:
        yield fleet


@pytest.fixture
def own_postgres(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Postgres]:
    """A migrated PostgreSQL that this test may `crash()`, in use by Django. Name it before `fleet`."""
    address = connection.settings_dict
    usual = {"HOST": address["HOST"], "NAME": address["NAME"]}
    with server_of_its_own(Postgres, scratch=False) as postgres, django_db_blocker.unblock():
        connection.close()
        address.update(HOST=str(postgres.sockets), NAME="vitrina")
        try:
            call_command("migrate", verbosity=0)
            with connection.cursor() as cursor:
                cursor.execute("alter table logs disable trigger logs_no_truncate")  # as in the test's usual database
            yield postgres
        finally:
            connection.close()
            address.update(usual)
