"""What the settings make of the variables, seen from a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.database import django_database
from config.env import BASE_DIR

pytestmark = pytest.mark.process

QUIET = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "os.mkdir"):
        raise SystemExit(f"importing settings did {event}")
sys.addaudithook(watch)
import config.settings as settings
"""


def fresh(names: list[str], **variables: str) -> dict[str, Any]:
    """Some settings of a process that starts with these variables, and does nothing but import them."""
    found = f"{{name: getattr(settings, name, None) for name in {names!r}}}"
    code = f"{QUIET}\nimport json; print(json.dumps({found}, default=str))"
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=BASE_DIR,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_importing_them_starts_nothing_and_makes_no_folder(tmp_path: Path) -> None:
    found = fresh(["REDIS_URL", "EMBEDDED"], VITRINA_STATE=str(tmp_path / "state"))
    assert str(found["REDIS_URL"]).startswith("unix:///tmp/vitrina-")
    assert found["EMBEDDED"] is True
    assert not (tmp_path / "state").exists()


def test_servers_that_are_named_are_used() -> None:
    found = fresh(
        ["REDIS_URL", "EMBEDDED", "DATABASES"], DATABASE_URL="postgres://u:p@db/shop", REDIS_URL="redis://cache:6379/2"
    )
    assert found["REDIS_URL"] == "redis://cache:6379/2"
    assert found["EMBEDDED"] is False
    assert found["DATABASES"]["default"]["HOST"] == "db"


def test_the_variables_of_a_first_shop_are_read_by_their_names() -> None:
    given = {
        "OZON_CLIENT_ID": "101",
        "OZON_API_KEY": "key-1",
        "OZON_PERFORMANCE_CLIENT_ID": "ads-101",
        "OZON_PERFORMANCE_API_KEY": "key-2",
        "KEYCRM_API_KEY": "key-3",
        "ANTHROPIC_API_KEY": "key-4",
        "TELEGRAM_BOT_TOKEN": "12:abc",
        "DASHBOARD_URL": "https://shop.example.com",
    }
    found = fresh(
        [*given, "ADMIN_USER_IDS", "TELEGRAM_ADMIN_CHAT_ID", "TIME_ZONE", "LOGGING", "DATABASES"],
        **given,
        ADMIN_USER_IDS="1001, 1002",
        TELEGRAM_ADMIN_CHAT_ID="-100200300",
        TIMEZONE="Asia/Omsk",
        LOG_LEVEL="debug",
        DATABASE_URL="postgresql+asyncpg://anna:word@db:6432/shop",
    )
    assert {name: found[name] for name in given} == given
    assert (found["ADMIN_USER_IDS"], found["TELEGRAM_ADMIN_CHAT_ID"]) == ([1001, 1002], -100200300)
    assert (found["TIME_ZONE"], found["LOGGING"]["root"]["level"]) == ("Asia/Omsk", "DEBUG")
    assert (found["DATABASES"]["default"]["HOST"], found["DATABASES"]["default"]["NAME"]) == ("db", "shop")


def test_https_switches_on_what_protects_it() -> None:
    names = ["SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"]
    names += ["ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS"]
    safe = fresh(names, DASHBOARD_URL="https://shop.example.com")
    assert [safe[name] for name in names[:4]] == [True, 31_536_000, True, True]
    assert safe["ALLOWED_HOSTS"] == ["shop.example.com", "127.0.0.1", "localhost"]
    assert safe["CSRF_TRUSTED_ORIGINS"] == ["https://shop.example.com"]
    local = fresh(names, DASHBOARD_URL="http://127.0.0.1:8000")
    assert [local[name] for name in names[:4]] == [None, None, None, None]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_each_spelling_of_an_address_is_one_database(scheme: str) -> None:
    found = django_database(f"{scheme}://anna:p%40ss@db.example.com:6432/shop?ssl=require", role="web")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "anna",
        "p@ss",
        "db.example.com",
        "6432",
        "shop",
    )
    assert found["OPTIONS"]["sslmode"] == "require"


def test_an_address_may_name_the_folder_of_a_socket() -> None:
    found = django_database("postgresql://postgres@/vitrina?host=/tmp/vitrina-1", role="web")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("/tmp/vitrina-1", "", "vitrina")
    assert "host" not in found["OPTIONS"]


@pytest.mark.parametrize(
    ("role", "limit"), [("web", "30000"), ("bot", "30000"), ("worker", "600000"), ("command", None)]
)
def test_a_statement_may_take_as_long_as_its_process_allows(role: str, limit: str | None) -> None:
    options = django_database("postgres://u@h/d", role=role)["OPTIONS"]["options"]
    assert ("lock_timeout=3000" in options) is True
    assert (f"statement_timeout={limit}" in options) is (limit is not None)
    assert ("idle_in_transaction_session_timeout=60000" in options) is (limit is not None)


@pytest.mark.django_db
def test_postgres_takes_the_limits() -> None:
    from django.conf import settings
    from django.db import connection
    from psycopg import connect

    found = settings.DATABASES["default"]
    limits = django_database("postgres://u@h/d", role="web")["OPTIONS"]["options"]
    name = connection.settings_dict["NAME"]
    with connect(
        host=found["HOST"], port=found["PORT"] or None, user=found["USER"], password=found["PASSWORD"], dbname=name,
        options=limits,
    ) as session:  # fmt: skip
        shown = [session.execute(f"show {name}").fetchone() for name in ("statement_timeout", "lock_timeout")]
    assert shown == [("30s",), ("3s",)]
