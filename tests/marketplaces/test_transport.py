"""The wire, with a real server that misbehaves: deadlines hold, and what is known about an outcome is right."""

from __future__ import annotations

import gzip
import socket
import time
from pathlib import Path

import pytest
import requests

from apps.marketplaces import http, transport
from apps.marketplaces.errors import Malformed, Temporary, Unclear
from apps.marketplaces.http import HttpCore
from tests.marketplaces.wire import Script, closed_port, drips, hangs, hangs_up, says, wire

DEADLINE = 0.5  # of calls that nobody answers
LONGER = 2.0  # of those that are answered, on a busy machine too
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Free:
    def acquire(self, path: str, *, within: float) -> None:
        """Always a turn."""


def core(base_url: str, *, session: requests.Session | None = None, deadline: float = LONGER) -> HttpCore:
    return HttpCore(
        api="Things",
        base_url=base_url,
        headers={"Api-Key": "key-of-anna-0001"},
        limiter=Free(),
        deadline_seconds=deadline,
        patience_seconds=5,
        session=session,
    )


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(hangs, id="silence"),
        pytest.param(drips(OK, every=0.1), id="a drip of headers"),
        pytest.param(drips(OK.replace(b"2", b"2000") + b" " * 1998, every=0.05), id="a drip in the body"),
        pytest.param(says(b"{}", length=2000, headers=b"Connection: keep-alive\r\n"), id="a body that breaks off"),
    ],
)
def test_a_write_without_a_whole_answer_is_unclear_within_the_deadline(script: Script) -> None:
    with wire(script) as server:
        started = time.monotonic()

        with pytest.raises(Unclear):
            core(server.base_url, deadline=DEADLINE).write("/v1/things", {"price": "1"})
        assert time.monotonic() - started < 20 * DEADLINE
        assert len(server.requests) == 1


def test_a_drip_that_ends_in_time_is_an_answer() -> None:
    with wire(drips(OK, every=0.005)) as server:
        assert core(server.base_url).write("/v1/things", {}) == {}


def test_a_read_without_a_whole_answer_is_temporary(no_backoff: None) -> None:
    with wire(drips(OK, every=0.1)) as server:
        with pytest.raises(Temporary, match="no complete answer in time"):
            core(server.base_url, deadline=DEADLINE).read("/v1/things")
        assert len(server.requests) == 3


def test_a_connection_that_closes_after_the_request_is_unclear() -> None:
    with wire(hangs_up) as server:
        with pytest.raises(Unclear, match="the connection was lost"):
            core(server.base_url).write("/v1/things", {})
        assert len(server.requests) == 1


def test_bytes_that_are_not_http_are_unclear() -> None:
    with wire(drips(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", every=0)) as server, pytest.raises(Unclear):
        core(server.base_url).write("/v1/things", {})


def test_a_refused_connection_is_certain() -> None:
    with pytest.raises(Temporary, match=r"no answer: cannot connect$"):
        core(closed_port()).write("/v1/things", {})


def test_a_failed_handshake_is_certain() -> None:
    with wire(says(b"this is not TLS")) as server, pytest.raises(Temporary, match="cannot connect"):
        core(server.base_url.replace("http://", "https://")).write("/v1/things", {})


def test_a_session_of_somebody_else_is_used_as_it_is() -> None:
    session = requests.Session()
    with wire(says(b'{"a": 1}')) as server:
        assert core(server.base_url, session=session).read("/v1/things") == {"a": 1}
    assert session.headers["Api-Key"] == "key-of-anna-0001"


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch, no_backoff: None) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1000)
    with wire(says(b"x" * 2000)) as server:
        with pytest.raises(Temporary, match="larger than 1000 bytes"):
            core(server.base_url).read("/v1/things")
        with pytest.raises(Unclear, match="larger than 1000 bytes"):
            core(server.base_url).write("/v1/things", {})


def test_a_small_answer_that_unpacks_to_a_large_one_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, no_backoff: None
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1000)
    packed = gzip.compress(b" " * 1_000_000)
    with (
        wire(says(packed, headers=b"Content-Encoding: gzip\r\n")) as server,
        pytest.raises(Temporary, match="larger than 1000 bytes"),
    ):
        core(server.base_url).read("/v1/things")


def test_an_answer_that_cannot_be_unpacked_is_unclear() -> None:
    with wire(says(b"not gzip", headers=b"Content-Encoding: gzip\r\n")) as server, pytest.raises(Unclear):
        core(server.base_url).write("/v1/things", {})


def test_half_a_json_is_malformed(no_backoff: None) -> None:
    with wire(says(b'{"items": [{"pri')) as server, pytest.raises(Malformed, match=r"not JSON \(16 bytes\)"):
        core(server.base_url).read("/v1/things")


def test_one_connection_serves_many_calls_and_each_has_its_own_deadline() -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(LONGER * 0.4)
        says(b"{}")(connection)

    with wire(slow) as server:
        client = core(server.base_url)
        for _ in range(3):
            assert client.write("/v1/things", {}) == {}
        assert len(server.requests) == 3


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", closed_port())
    monkeypatch.delenv("NO_PROXY", raising=False)
    with wire(says(b"{}")) as server:
        assert core(server.base_url).read("/v1/things") == {}


def test_a_netrc_file_does_not_replace_our_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login anna password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    session = transport.session(use_proxies=True)
    request = session.prepare_request(requests.Request("POST", "https://localhost/x"))

    assert "Authorization" not in request.headers
