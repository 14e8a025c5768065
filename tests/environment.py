"""What every test runs in: random keys, no outside address, and real servers. Loaded by pytest before Django."""

from __future__ import annotations

import fcntl
import gc
import os
import secrets
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from config.env import forget_process_variables, state_folder
from config.services import Place, ensure, locked

CLOSED = "http://127.0.0.1:9"  # the discard port of the loopback: nothing listens there
LOOPBACK = ("127.0.0.1", "::1", "localhost")

_servers = ExitStack()


def values() -> dict[str, str]:
    """The variables of a test run: keys that exist nowhere else, addresses that lead nowhere."""
    return {
        "VITRINA_ENV": os.devnull,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
        "OZON_API_URL": CLOSED,
        "KEYCRM_API_URL": CLOSED,
        "KEYCRM_CALLS_A_MINUTE": "1000000",
        "TELEGRAM_API_URL": CLOSED,
        "TELEGRAM_BOT_TOKEN": f"1:{secrets.token_urlsafe(16)}",
        "DEFAULT_LANGUAGE": "en",
        "LOG_LEVEL": "WARNING",
        "SETTLE_SECONDS": "0.5",
        "KEY_ASK_SECONDS": "1",
    }


def refuse_the_outside(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook, so that no library slips past: sockets lead to this machine or nowhere."""
    if event == "socket.getaddrinfo":
        host: object = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host is not None and host not in LOOPBACK:
        raise RuntimeError(f"a test tried to reach {host}: tests stay on this machine")


def _is_worker() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before pytest-django loads the settings. Workers of xdist inherit what the first process found."""
    gc.disable()
    if not _is_worker():
        forget_process_variables()
        os.environ.update(values())
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it, and hands that on
        _use_servers()
    _use_own_redis_database()
    sys.addaudithook(refuse_the_outside)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: to search it for garbage again and again takes a tenth of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def pytest_collection() -> None:
    """A password of a test need not withstand anybody; how often it was hashed is written in each hash."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    PBKDF2PasswordHasher.iterations = 1_000


def _use_servers() -> None:
    place = Place(state_folder() / "test")
    if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
        _wait_for_other_runs(place)
        _servers.enter_context(ensure(place, scratch=True))
    os.environ.setdefault("DATABASE_URL", place.database_url)
    os.environ.setdefault("REDIS_URL", place.redis_url)


def _wait_for_other_runs(place: Place) -> None:
    """Two runs would drop each other's databases."""
    try:
        _servers.enter_context(locked(place.root / "run.lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
    except BlockingIOError:
        sys.stderr.write(f"Waiting for another test run in {place.root}; VITRINA_STATE names a folder of your own.\n")
        _servers.enter_context(locked(place.root / "run.lock", fcntl.LOCK_EX))


def _use_own_redis_database() -> None:
    """Database 0 is for a run without workers; worker gw0 takes 1, and so on."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
    url = os.environ["REDIS_URL"].partition("?")[0]
    parts = urlsplit(url)
    own = f"{url}?db={number}" if parts.scheme == "unix" else f"{parts.scheme}://{parts.netloc}/{number}"
    os.environ["REDIS_URL"] = own


def pytest_unconfigure() -> None:
    _servers.close()


@pytest.fixture(scope="session")
def state() -> Path:
    """The folder that tests may write to."""
    return state_folder() / "test"
