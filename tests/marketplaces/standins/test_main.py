"""The stand-ins as one process: they start, serve and stop."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

pytestmark = pytest.mark.flow

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 30


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def process(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "apps.marketplaces.standins", "--port", str(port), "--skus", "5", "--seed", "7"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT)
    yield started
    started.kill()
    started.communicate()


def until_it_answers(url: str) -> requests.Response:
    end = time.monotonic() + SECONDS
    while True:
        try:
            return requests.get(url, timeout=60)
        except requests.ConnectionError:
            assert time.monotonic() < end, "it did not start"
            time.sleep(0.05)


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_with_a_page_open(
    process: "subprocess.Popen[bytes]", port: int, way: signal.Signals
) -> None:
    page = until_it_answers(f"http://127.0.0.1:{port}/chat")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    with requests.get(f"http://127.0.0.1:{port}/_telegram/events", stream=True, timeout=60) as events:
        assert next(events.iter_lines()) == b"retry: 1000"
        process.send_signal(way)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode == 0
    assert complaints == b""


def test_every_imitated_api_is_served(process: "subprocess.Popen[bytes]", port: int) -> None:
    routes = until_it_answers(f"http://127.0.0.1:{port}/_routes").json()
    assert {name.split(":")[0] for name in routes} >= {"ozon", "telegram"}
    assert "no_effect" in routes["ozon:/v1/product/import/prices"]
