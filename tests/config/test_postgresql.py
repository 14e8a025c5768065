"""A connection that is kept between requests: used again without a word, and replaced when it has ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection

from config.postgresql.base import DatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept() -> Iterator[DatabaseWrapper]:
    """A connection as one request leaves it to the next."""
    own: DatabaseWrapper = connection.copy()  # type: ignore[assignment]
    number_of(own)
    next_request(own)
    yield own
    own.close()


def number_of(own: DatabaseWrapper) -> int:
    with own.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return int(cursor.fetchone()[0])


def next_request(own: DatabaseWrapper) -> None:
    own.close_if_unusable_or_obsolete()


def last_statement_of(pid: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select query from pg_stat_activity where pid = %s", [pid])
        return str(cursor.fetchone()[0])


def test_a_silent_one_is_used_without_asking(kept: DatabaseWrapper) -> None:
    pid = number_of(kept)
    next_request(kept)
    kept.close_if_health_check_failed()
    assert last_statement_of(pid) == "select pg_backend_pid()"
    assert number_of(kept) == pid


def test_one_that_the_server_has_ended_is_replaced(kept: DatabaseWrapper) -> None:
    pid = number_of(kept)
    next_request(kept)
    with connection.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s, 5000)", [pid])
    assert number_of(kept) != pid


def test_one_with_news_is_asked_and_kept(kept: DatabaseWrapper) -> None:
    pid = number_of(kept)
    with kept.cursor() as cursor:
        cursor.execute("listen unread")
    next_request(kept)
    with connection.cursor() as cursor:
        cursor.execute("notify unread")
    assert number_of(kept) == pid


def test_one_on_which_something_has_failed_is_asked(kept: DatabaseWrapper) -> None:
    pid = number_of(kept)
    with pytest.raises(DatabaseError), kept.cursor() as cursor:
        cursor.execute("select nothing")
    next_request(kept)
    assert last_statement_of(pid) == "SELECT 1"
    assert number_of(kept) == pid
