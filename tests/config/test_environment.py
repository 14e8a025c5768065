"""What the tests run in: nothing of a real shop, and no way out of this machine."""

from __future__ import annotations

import os
import socket

import psycopg
import pytest
import redis
import requests
from django.conf import settings

from config.env import forget_process_variables
from tests import environment


@pytest.mark.parametrize("host", ["93.184.216.34", "10.0.0.1", "2606:2800:220:1:248:1893:25c8:1946"])
def test_a_socket_does_not_leave_this_machine(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as outside, pytest.raises(RuntimeError, match=f"tried to reach {host}"):
        outside.connect((host, 443))


def test_a_name_is_not_even_looked_up() -> None:
    with pytest.raises(RuntimeError, match="tried to reach api-seller"):
        requests.post("https://api-seller.ozon.ru/v3/product/list", json={}, timeout=1)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_the_apis_of_the_settings_lead_nowhere() -> None:
    for address in (settings.OZON_API_URL, settings.TELEGRAM_API_URL):
        with pytest.raises(requests.ConnectionError):
            requests.get(address, timeout=1)


def test_what_the_shell_says_about_a_real_shop_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as shell:
        for name in ("OZON_API_KEY", "ozon_client_id", "BOT_TOKEN", "DASHBOARD_URL"):
            shell.setenv(name, "real")
        shell.setenv("DATABASE_URL", "postgres://here/vitrina")
        kept = dict(os.environ)
        try:
            forget_process_variables()
            left = {name for name, value in os.environ.items() if value == "real"}
            assert left == set()
            assert os.environ["DATABASE_URL"] == "postgres://here/vitrina"
        finally:
            os.environ.update(kept)


@pytest.mark.parametrize(
    ("worker", "given", "own"),
    [
        (None, "unix:///tmp/vitrina-1/redis.sock?db=0", "unix:///tmp/vitrina-1/redis.sock?db=0"),
        ("gw0", "unix:///tmp/vitrina-1/redis.sock?db=0", "unix:///tmp/vitrina-1/redis.sock?db=1"),
        ("gw1", "redis://:word@cache:6379/0", "redis://:word@cache:6379/2"),
    ],
)
def test_each_worker_has_its_own_redis_database(
    monkeypatch: pytest.MonkeyPatch, worker: str | None, given: str, own: str
) -> None:
    monkeypatch.setenv("REDIS_URL", given)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    if worker:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    environment._use_own_redis_database()
    assert os.environ["REDIS_URL"] == own


@pytest.mark.django_db
def test_the_servers_are_real() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.info.server_version >= 180_000
    with redis.from_url(settings.REDIS_URL) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
