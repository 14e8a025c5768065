"""The door for Telegram: nobody else comes in, and nothing is said to be taken that is not kept."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
from pytest_django import Settings

from bots import inbox
from bots.asgi import MOST_BYTES, SECRET_HEADER
from bots.models import TelegramUpdate
from bots.process import WEBHOOK_PATH
from tests.bots.telegram import Messenger, webhook_bot
from tests.bots.test_inbox import said

SECRET = "s" * 40
JSON = {"content-type": "application/json"}


@pytest.fixture
def door(surroundings: None) -> Iterator[str]:
    with webhook_bot() as url:
        yield url


def post(door: str, body: bytes | str, *, secret: str | None = SECRET, headers: dict[str, str] = JSON) -> int:
    given = headers if secret is None else headers | {SECRET_HEADER: secret}
    return requests.post(door + WEBHOOK_PATH, data=body, headers=given, timeout=60).status_code


def test_only_who_knows_the_secret_comes_in(door: str) -> None:
    update = json.dumps(said(1))

    for wrong in (None, "", "wrong", SECRET[:-1], SECRET + "s", "s" * 39 + "\u00ff"):
        assert post(door, update, secret=wrong) == 403
    assert not TelegramUpdate.objects.exists()

    assert post(door, update) == 200
    assert TelegramUpdate.objects.get().raw == said(1)


def test_without_a_secret_the_door_stays_shut(surroundings: None, settings: Settings) -> None:
    settings.TELEGRAM_WEBHOOK_SECRET = ""
    with webhook_bot() as door:
        assert post(door, json.dumps(said(1)), secret="") == 403
        assert post(door, json.dumps(said(1)), secret=None) == 403


GARBAGE: dict[str, tuple[bytes, dict[str, str], int]] = {
    "nothing": (b"", JSON, 400),
    "no JSON": (b"update_id=1", JSON, 400),
    "half of it": (json.dumps(said(1))[:20].encode(), JSON, 400),
    "no object": (b"[1, 2]", JSON, 400),
    "no update": (b'{"ok": true}', JSON, 400),
    "no number": (b'{"update_id": "1"}', JSON, 400),
    "too large a number": (b'{"update_id": 99999999999999999999999}', JSON, 400),
    "no UTF-8": (b'{"update_id": 1, "x": "\xff"}', JSON, 400),
    "a NUL": (json.dumps(said(1, text="a\x00b")).encode(), JSON, 400),
    "half a surrogate": (b'{"update_id": 1, "x": "\\ud800"}', JSON, 400),
    "a tower of brackets": (b"[" * 100_000, JSON, 400),
    "a form": (json.dumps(said(1)).encode(), {"content-type": "application/x-www-form-urlencoded"}, 400),
    "ten megabytes": (b" " * (10 * MOST_BYTES), JSON, 413),
}


def test_garbage_is_refused_and_kept_nowhere(door: str) -> None:
    statuses = {what: post(door, body, headers=headers) for what, (body, headers, _status) in GARBAGE.items()}

    assert statuses == {what: status for what, (_body, _headers, status) in GARBAGE.items()}
    assert not TelegramUpdate.objects.exists()


def test_other_methods_and_paths_are_none_of_its_business(door: str) -> None:
    assert requests.get(door + WEBHOOK_PATH, timeout=60).status_code == 405
    assert requests.post(f"{door}/telegram", timeout=60).status_code == 404


def test_an_update_that_could_not_be_kept_is_not_taken(
    door: str, messenger: Messenger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram hears no 200, so it brings the update again."""

    def power_cut(raw: object) -> None:
        raise SystemError("the power went off")

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "store", power_cut)
        assert post(door, json.dumps(said(1))) == 500

    assert post(door, json.dumps(said(1))) == 200


def test_a_burst_of_one_chat_does_not_fill_the_table(
    door: str, messenger: Messenger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_MESSAGES_WAITING", 5)
    monkeypatch.setattr(inbox, "take", lambda chat_id: None)  # nobody answers

    assert {post(door, json.dumps(said(number))) for number in range(20)} == {200}
    assert TelegramUpdate.objects.count() == 5


def test_it_says_that_it_is_healthy(door: str) -> None:
    assert requests.get(f"{door}/healthz", timeout=60).json()["status"] == "healthy"
