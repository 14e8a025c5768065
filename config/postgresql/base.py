"""Django's backend for PostgreSQL, but for how it finds out that a kept connection has ended."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether a kept connection still leads to the server. Django asks before the first statement of each request.

        A server that ends a connection says so, or its kernel does: there is something to read then. Only such a
        connection is asked, or one on which something has failed; to ask each would be a round trip for every request.
        """
        if self.errors_occurred or self.connection is None or self.connection.closed or _is_readable(self.connection):
            return super().is_usable()
        return True


def _is_readable(connection: psycopg.Connection[Any]) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
