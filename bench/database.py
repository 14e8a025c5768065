"""Django over an embedded PostgreSQL that the benches share, with empty tables."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django

from config.env import state_folder
from config.new_env import write_env
from config.services import Place, ensure


@contextmanager
def empty_database(name: str) -> Iterator[None]:
    """A database of its own for one bench, dropped at the end; PostgreSQL runs with its usual durability."""
    with _django():
        from django.db import connection

        connection.settings_dict["TEST"]["NAME"] = name
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            yield
        finally:
            connection.creation.destroy_test_db("vitrina", verbosity=0)


@contextmanager
def kept_database(name: str) -> Iterator[None]:
    """A migrated database that stays for later runs, with what a bench has put there."""
    with _django():
        from django.db import connection

        connection.settings_dict["TEST"]["NAME"] = name
        connection.creation.create_test_db(verbosity=0, keepdb=True, serialize=False)
        yield


@contextmanager
def _django() -> Iterator[None]:
    place = Place(state_folder() / "bench")
    variables = place.root / "bench.env"
    write_env(variables)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VITRINA_ENV": str(variables),
        "DATABASE_URL": place.database_url,
        "REDIS_URL": place.redis_url,
        "PROCESS_ROLE": "command",
    }
    with ensure(place):
        django.setup()
        yield
