"""A database address as Django wants it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# PostgreSQL's own limits per kind of process, in milliseconds; a command (migrate) may take as long as it needs.
STATEMENT_TIMEOUT_MS = {
    **dict.fromkeys(("web", "bot", "fast", "money", "beat"), 30_000),
    "worker": 600_000,
}
LOCK_TIMEOUT_MS = 3_000
IDLE_IN_TRANSACTION_MS = 60_000


def django_database(url: str, *, role: str) -> dict[str, Any]:
    """The `DATABASES` entry of `postgresql://user:password@host:port/name?host=/socket/folder&sslmode=...`.

    `?host=` names a host or the folder of a unix socket, as libpq does; `ssl=` is asyncpg's word for `sslmode=`.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if "ssl" in query:
        query["sslmode"] = query.pop("ssl")
    return {
        "ENGINE": "config.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # Django's own cursors prepare nothing; who asks for a prepared statement gets it.
        "OPTIONS": {**query, "prepare_threshold": 5, "options": _session_options(role)},
    }


def _session_options(role: str) -> str:
    limits = {"lock_timeout": LOCK_TIMEOUT_MS}
    if role in STATEMENT_TIMEOUT_MS:
        limits["statement_timeout"] = STATEMENT_TIMEOUT_MS[role]
        limits["idle_in_transaction_session_timeout"] = IDLE_IN_TRANSACTION_MS
    return " ".join(f"-c {name}={value}" for name, value in limits.items())
