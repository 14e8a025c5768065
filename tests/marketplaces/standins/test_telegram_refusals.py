"""What the imitated Bot API and its control routes refuse, word for word."""

import json

import pytest
import requests
import telegram
from telegram.error import InvalidToken

from tests.marketplaces.standins.conftest import TOKEN, quick

pytestmark = pytest.mark.flow


def refused(url: str, method: str, fields: dict[str, object]) -> str:
    """What the Bot API says no with."""
    answer = requests.post(f"{url}/bot{TOKEN}/{method}", data=fields, timeout=60).json()
    assert (answer["ok"], answer["error_code"]) == (False, 400)
    return str(answer["description"])


@pytest.mark.parametrize(("token", "status"), [("100000001:another-token-entirely", 401), ("oops", 404)])
async def test_it_refuses_a_wrong_token(shared_telegram_url: str, token: str, status: int) -> None:
    assert requests.post(f"{shared_telegram_url}/bot{token}/getMe", timeout=60).json()["error_code"] == status
    with pytest.raises(InvalidToken):
        await telegram.Bot(token, base_url=f"{shared_telegram_url}/bot", request=quick()).initialize()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<h1>no</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("ж<b>open", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>crossed</i>", 'Unmatched end tag at byte offset 10, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("ж < 5", 'Unsupported start tag "" at byte offset 3'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ('<a href="x', 'Unclosed start tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_markup_that_telegram_cannot_parse_is_refused(shared_telegram_url: str, text: str, said: str) -> None:
    description = refused(shared_telegram_url, "sendMessage", {"chat_id": 1, "text": text, "parse_mode": "HTML"})
    assert description == f"Bad Request: can't parse entities: {said}"


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ({"text": "x", "callback_data": "ж" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": " ", "callback_data": "1"}, "BUTTON_TEXT_INVALID"),
        ({"text": "x"}, "Text buttons are unallowed in the inline keyboard"),
        ({"text": "x", "url": "ftp://a.b"}, "Unsupported URL protocol"),
        ({"text": "x", "url": "http://localhost:8000"}, "Wrong HTTP URL"),
        ({"text": "x", "web_app": {"url": "http://127.0.0.1"}}, "Only HTTPS links are allowed"),
        ({"text": "x", "copy_text": {"text": ""}}, "BUTTON_COPY_TEXT_INVALID"),
        ({"text": "x", "callback_data": "1", "style": "pink"}, "BUTTON_STYLE_INVALID"),
        ({"callback_data": "1"}, "must be of type String"),
    ],
)
def test_a_bad_button_is_refused(shared_telegram_url: str, button: dict[str, object], said: str) -> None:
    markup = json.dumps({"inline_keyboard": [[button]]})
    assert said in refused(shared_telegram_url, "sendMessage", {"chat_id": 1, "text": "?", "reply_markup": markup})


@pytest.mark.parametrize(
    ("webhook_url", "secret", "said"),
    [
        ("http://example.com/hook", "", "An HTTPS URL must be provided"),
        ("https://example.com/hook", "with spaces", "secret token contains unallowed characters"),
    ],
)
def test_a_bad_webhook_is_refused(shared_telegram_url: str, webhook_url: str, secret: str, said: str) -> None:
    assert said in refused(shared_telegram_url, "setWebhook", {"url": webhook_url, "secret_token": secret})


@pytest.mark.parametrize(
    ("method", "fields", "said"),
    [
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": "@nobody", "text": "x"}, "chat not found"),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": "{"}, "can't parse reply_markup JSON object"),
        ("editMessageText", {"chat_id": 1, "message_id": "x", "text": "x"}, "invalid message_id specified"),
        ("getUpdates", {"allowed_updates": "{}"}, "can't parse allowed_updates JSON object"),
        ("setWebhook", {"url": "https://a.b/c", "max_connections": 0}, "max_connections must be between 1 and 100"),
        ("setChatMenuButton", {"menu_button": '{"type": "magic"}'}, "Unsupported type specified"),
        ("setMyCommands", {"commands": json.dumps([{}] * 101)}, "BOT_COMMANDS_TOO_MUCH"),
        ("getFile", {"file_id": "none"}, "invalid file_id"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(
    shared_telegram_url: str, method: str, fields: dict[str, object], said: str
) -> None:
    assert said in refused(shared_telegram_url, method, fields)


def test_json_bodies_are_understood_too(shared_telegram_url: str) -> None:
    markup = {"inline_keyboard": [[{"text": "Apply", "callback_data": "1"}]]}
    address = f"{shared_telegram_url}/bot{TOKEN}/sendMessage"
    sent = requests.post(address, json={"chat_id": 1, "text": "x", "reply_markup": markup}, timeout=60).json()
    assert sent["result"]["reply_markup"] == markup
    for body in (b"[1]", b"{", b"\xff"):
        answer = requests.post(address, data=body, timeout=60).json()
        assert answer["description"].startswith("Bad Request: the body is not")


@pytest.mark.parametrize(
    ("asked", "body", "status", "said"),
    [
        ("POST /people", {}, 400, "first_name: Field required"),
        ("POST /people", {"first_name": "A", "language_code": "Русский"}, 400, "language_code: "),
        ("POST /people", {"first_name": "A", "age": 3}, 400, "age: Extra inputs are not permitted"),
        ("POST /people", ["A"], 400, "the body: Input should be an object"),
        ("GET /chats/42", None, 404, "nobody has the id 42"),
        ("POST /chats/1/presses", {"message_id": 42, "data": "x"}, 404, "message_id: no message 42 in this chat"),
        ("POST /updates/42/again", None, 404, "no update 42 was ever queued"),
        ("GET /files/none", None, 404, "no such file"),
        ("POST /notice", {"text": "x", "kind": "shout"}, 400, "kind: Input should be 'progress', 'ready'"),
    ],
)
def test_a_control_route_names_what_is_wrong(
    shared_telegram_url: str, asked: str, body: object, status: int, said: str
) -> None:
    method, path = asked.split()
    answer = requests.request(method, f"{shared_telegram_url}/_telegram{path}", json=body, timeout=60)
    assert answer.status_code == status
    assert said in answer.json()["error"]
