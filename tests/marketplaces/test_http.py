"""The HTTP core: what it retries, what it never retries, and what it says about an outcome."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses

from apps.marketplaces import http
from apps.marketplaces.errors import Malformed, Permanent, Temporary, Unclear, WrongCredentials
from apps.marketplaces.http import ATTEMPTS, HttpCore, parsed_object, safe_base_url

URL = "https://api.example.test/v1/things"
KEY = "key-of-anna-0001"


class Free:
    """A limiter that always has a turn; it remembers who asked and for how long they would wait."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def acquire(self, path: str, *, within: float) -> None:
        self.asked.append((path, within))


@pytest.fixture
def mock(no_backoff: None) -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def core(**options: Any) -> HttpCore:
    defaults = {"api": "Things", "base_url": "https://api.example.test/", "headers": {"Api-Key": KEY}}
    return HttpCore(**{**defaults, "limiter": Free(), **options})


class TestReading:
    def test_it_sends_the_key_and_the_body_and_parses_fractions_exactly(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, body='{"price": 30.10, "id": 12345678901234567890}')

        assert core().read("/v1/things", {"limit": 1}) == {"price": Decimal("30.10"), "id": 12345678901234567890}
        assert mock.calls[0].request.headers["Api-Key"] == KEY
        assert mock.calls[0].request.body == b'{"limit": 1}'

    def test_it_can_get(self, mock: responses.RequestsMock) -> None:
        mock.get(URL, json={"result": []})

        assert core().read("/v1/things", method="GET") == {"result": []}

    @pytest.mark.parametrize("status", [429, 408, 500, 502, 503, 504])
    def test_it_tries_again_after_a_temporary_refusal(self, mock: responses.RequestsMock, status: int) -> None:
        mock.post(URL, status=status, json={"message": "busy"})
        mock.post(URL, json={"ok": True})

        assert core().read("/v1/things") == {"ok": True}

    def test_it_tries_again_after_a_lost_connection(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, body=requests.ConnectionError("reset"))
        mock.post(URL, json={"ok": True})

        assert core().read("/v1/things") == {"ok": True}

    def test_it_tries_again_after_an_answer_that_is_not_json(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, body="<html>gateway</html>")
        mock.post(URL, json={"ok": True})

        assert core().read("/v1/things") == {"ok": True}

    def test_it_takes_a_turn_for_every_attempt(self, mock: responses.RequestsMock) -> None:
        limiter = Free()
        mock.post(URL, status=500)
        mock.post(URL, json={})

        core(limiter=limiter, patience_seconds=30).read("/v1/things")

        assert [path for path, _ in limiter.asked] == ["/v1/things", "/v1/things"]
        assert all(0 < within <= 30 for _, within in limiter.asked)

    def test_it_gives_up_and_says_what_the_api_said(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, status=503, json={"code": 14, "message": "upstream is down"})

        with pytest.raises(Temporary, match=r"^Things /v1/things: HTTP 503: upstream is down$"):
            core().read("/v1/things")
        assert len(mock.calls) == 3

    def test_a_server_error_is_never_unclear_when_reading(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, body=requests.ReadTimeout())

        with pytest.raises(Temporary, match="no complete answer in time"):
            core().read("/v1/things")

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ("", r"not JSON \(0 bytes\)"),
            ('{"a": ', "not JSON"),
            ('{"a": NaN}', "not JSON"),
            (b"\xff\xfe{}", "not JSON"),
            ("[1, 2]", "expected a JSON object, got list"),
            ("[" * 100_000, "not JSON"),
            ('{"a": ' + "9" * 5000 + "}", "not JSON"),
        ],
    )
    def test_it_names_an_answer_that_cannot_be_parsed(
        self, mock: responses.RequestsMock, body: str | bytes, reason: str
    ) -> None:
        mock.post(URL, body=body)

        with pytest.raises(Malformed, match=reason):
            core().read("/v1/things")

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(400, Permanent), (401, WrongCredentials), (403, Permanent), (404, Permanent), (409, Permanent)],
    )
    def test_it_does_not_repeat_what_is_refused_for_good(
        self, mock: responses.RequestsMock, status: int, kind: type[Exception]
    ) -> None:
        mock.post(URL, status=status, json={"message": "no"})

        with pytest.raises(kind):
            core().read("/v1/things")
        assert len(mock.calls) == 1

    def test_it_follows_no_redirect(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, status=307, headers={"Location": "https://elsewhere.example.test/"})

        with pytest.raises(Permanent, match="HTTP 307"):
            core().read("/v1/things")


class TestWaiting:
    def test_it_waits_as_long_as_the_api_asks(self) -> None:
        with responses.RequestsMock() as mock:
            mock.post(URL, status=429, json={"message": "slow down"}, headers={"Retry-After": "0.4"})
            mock.post(URL, json={"ok": True})
            started = time.monotonic()

            assert core().read("/v1/things") == {"ok": True}
            assert 0.4 <= time.monotonic() - started < 20

    def test_it_does_not_wait_longer_than_its_patience(self) -> None:
        with responses.RequestsMock() as mock:
            mock.post(URL, status=429, json={"message": "slow down"}, headers={"Retry-After": "120"})
            started = time.monotonic()

            with pytest.raises(Temporary) as caught:
                core(patience_seconds=90).read("/v1/things")
            assert caught.value.retry_after == 120
            assert time.monotonic() - started < 60
            assert len(mock.calls) == 1

    def test_it_stops_retrying_when_its_patience_is_over(self) -> None:
        with responses.RequestsMock() as mock:
            mock.post(URL, status=500)

            with pytest.raises(Temporary):
                core(patience_seconds=0.05).read("/v1/things")
            assert len(mock.calls) <= 2 < ATTEMPTS

    @pytest.mark.parametrize("value", ["soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "", "1.2.3"])
    def test_it_ignores_a_retry_after_that_is_not_seconds(self, mock: responses.RequestsMock, value: str) -> None:
        mock.post(URL, status=429, headers={"Retry-After": value})

        with pytest.raises(Temporary) as caught:
            core().write("/v1/things", {})
        assert caught.value.retry_after is None


class TestWriting:
    def test_it_returns_the_answer(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, json={"result": []})

        assert core().write("/v1/things", {"price": "1"}) == {"result": []}

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_server_error_leaves_the_outcome_unknown(self, mock: responses.RequestsMock, status: int) -> None:
        mock.post(URL, status=status, body="<html>bad gateway</html>", content_type="text/html")

        with pytest.raises(Unclear, match=rf"HTTP {status}: 24 bytes of text/html"):
            core().write("/v1/things", {})
        assert len(mock.calls) == 1

    @pytest.mark.parametrize("body", ["", "<html></html>", '{"result": [{"upd', "[]"])
    def test_an_answer_that_cannot_be_parsed_leaves_the_outcome_unknown(
        self, mock: responses.RequestsMock, body: str
    ) -> None:
        mock.post(URL, body=body)

        with pytest.raises(Unclear):
            core().write("/v1/things", {})
        assert len(mock.calls) == 1

    @pytest.mark.parametrize(
        "failure",
        [requests.ReadTimeout(), requests.ConnectionError("reset"), requests.exceptions.ChunkedEncodingError()],
    )
    def test_a_lost_answer_leaves_the_outcome_unknown(
        self, mock: responses.RequestsMock, failure: requests.RequestException
    ) -> None:
        mock.post(URL, body=failure)

        with pytest.raises(Unclear):
            core().write("/v1/things", {})
        assert len(mock.calls) == 1

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (429, Temporary),
            (408, Temporary),
            (400, Permanent),
            (401, WrongCredentials),
            (404, Permanent),
            (307, Permanent),
        ],
    )
    def test_a_refusal_is_certain_and_sent_once(
        self, mock: responses.RequestsMock, status: int, kind: type[Exception]
    ) -> None:
        mock.post(URL, status=status, json={"message": "no"})

        with pytest.raises(kind) as caught:
            core().write("/v1/things", {})
        assert not isinstance(caught.value, Unclear)
        assert len(mock.calls) == 1

    def test_a_connection_that_never_stood_is_certain(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, body=requests.ConnectTimeout())

        with pytest.raises(Temporary, match="cannot connect"):
            core().write("/v1/things", {})

    def test_the_caller_can_refuse_right_before_it_leaves(self, no_backoff: None) -> None:
        def in_a_transaction() -> None:
            raise RuntimeError("a transaction is open")

        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.post(URL, json={})
            with pytest.raises(RuntimeError, match="a transaction is open"):
                core(before_write=in_a_transaction).write("/v1/things", {})
            assert len(mock.calls) == 0

    def test_a_success_without_a_body_is_one_where_there_is_nothing_to_say(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, body=b"")

        assert core().write("/v1/things", {}, may_be_empty=True) == {}

    def test_reads_are_not_asked_for_leave_to_write(self, mock: responses.RequestsMock) -> None:
        asked: list[str] = []
        mock.post(URL, json={})

        core(before_write=lambda: asked.append("write")).read("/v1/things")

        assert asked == []

    def test_it_waits_for_its_turn_within_half_the_deadline(self, mock: responses.RequestsMock) -> None:
        limiter = Free()
        mock.post(URL, json={})

        core(limiter=limiter, deadline_seconds=20).write("/v1/things", {})

        assert limiter.asked == [("/v1/things", 10.0)]

    def test_it_is_not_sent_when_no_time_is_left(self) -> None:
        moments = iter([0.0, 20.0])

        with pytest.raises(Temporary, match="no time left to send it"):
            core(deadline_seconds=20, clock=lambda: next(moments)).write("/v1/things", {})


class TestSecrecy:
    def test_a_key_that_the_api_echoes_is_masked(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, status=400, json={"message": f"the key {KEY} is strange"})

        with pytest.raises(Permanent) as caught:
            core().write("/v1/things", {})
        assert KEY not in str(caught.value)
        assert "the key *** is strange" in str(caught.value)

    def test_a_body_is_never_part_of_an_error(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, body="customer Ivan Petrov", content_type="text/plain")

        with pytest.raises(Malformed) as caught:
            core().read("/v1/things")
        assert "Ivan" not in str(caught.value)

    def test_a_long_message_is_cut(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, status=400, json={"message": "x" * 5000})

        with pytest.raises(Permanent) as caught:
            core().read("/v1/things")
        assert len(caught.value.message) == http.LONGEST_MESSAGE

    @pytest.mark.parametrize("body", [{}, {"message": {"nested": 1}}, {"message": None, "code": [1]}])
    def test_a_refusal_without_words_is_still_one(self, mock: responses.RequestsMock, body: dict[str, Any]) -> None:
        mock.post(URL, status=400, json=body)

        with pytest.raises(Permanent, match="HTTP 400: no message"):
            core().read("/v1/things")

    def test_the_short_form_of_an_error_is_understood(self, mock: responses.RequestsMock) -> None:
        mock.post(URL, status=400, json={"error": "max statistics period: 62 days"})

        with pytest.raises(Permanent, match="max statistics period: 62 days"):
            core().read("/v1/things")


class TestBaseUrl:
    @pytest.mark.parametrize(
        "url",
        ["https://api.example.test", "http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:8000/api"],
    )
    def test_https_and_this_machine_are_allowed(self, url: str) -> None:
        assert safe_base_url(url + "/") == url

    @pytest.mark.parametrize(
        "url",
        ["http://api.example.test", "http://192.168.0.1", "ftp://localhost", "api.example.test", "", "file:///etc"],
    )
    def test_everything_else_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="base_url must be"):
            core(base_url=url)

    @pytest.mark.parametrize(
        "url", ["https://user:pw@example.test", "https://example.test?x=1", "https://example.test#x"]
    )
    def test_an_address_with_more_than_an_address_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="must be like"):
            safe_base_url(url)


def test_it_parses_numbers_without_floats() -> None:
    assert parsed_object(b'{"a": 0.1, "b": 1e2, "c": 3}') == {"a": Decimal("0.1"), "b": Decimal("1E+2"), "c": 3}


def test_a_retry_comes_up_to_a_tenth_later_than_asked_so_that_not_all_return_at_once() -> None:
    asked = core(clock=lambda: 0.0)

    waits = {float(asked._pause(Temporary("A", "/p", "busy", 429, 10.0), 90.0)) for _ in range(50)}

    assert all(10.0 <= wait <= 11.0 for wait in waits)
    assert len(waits) > 1
