"""Inline keyboards as Telegram accepts them."""

import re
from typing import Any
from urllib.parse import urlsplit

from apps.marketplaces.standins.telegram.refusals import Refusal

Keyboard = list[list[dict[str, Any]]]

LONGEST_DATA = 64  # bytes, not characters
MOST_BUTTONS = 100
STYLES = ("primary", "success", "danger")
ACTIONS = ("callback_data", "url", "web_app", "copy_text")


def parse_keyboard(markup: Any) -> Keyboard:
    """The rows of an InlineKeyboardMarkup; raises Refusal. Other keyboards are not imitated, and said to be so."""
    if markup is None:
        return []
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise Refusal(400, "Bad Request: object expected as reply markup (this stand-in knows inline_keyboard only)")
    keyboard = [[_button(button) for button in row] for row in rows if row]
    if sum(len(row) for row in keyboard) > MOST_BUTTONS:
        raise Refusal(400, "Bad Request: REPLY_MARKUP_TOO_LONG")
    return keyboard


def _button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise Refusal(400, 'Bad Request: can\'t parse inline keyboard button: Field "text" must be of type String')
    if not button["text"].strip():
        raise Refusal(400, "Bad Request: BUTTON_TEXT_INVALID")
    actions = [action for action in ACTIONS if action in button]
    if not actions:
        raise Refusal(
            400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if button.get("style") not in (None, *STYLES):
        raise Refusal(400, "Bad Request: BUTTON_STYLE_INVALID")
    {"callback_data": _check_data, "url": _check_url, "web_app": _check_web_app, "copy_text": _check_copy}[actions[0]](
        button
    )
    return {key: button[key] for key in ("text", actions[0], "style") if button.get(key) is not None}


def _check_data(button: dict[str, Any]) -> None:
    data = button["callback_data"]
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= LONGEST_DATA:
        raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")


def _check_url(button: dict[str, Any]) -> None:
    url = button["url"]
    if not re.match(r"^(https?|tg)://", url):
        raise Refusal(400, f"Bad Request: inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")
    if not url.startswith("tg://") and "." not in (urlsplit(url).hostname or ""):
        raise Refusal(400, f"Bad Request: inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _check_web_app(button: dict[str, Any]) -> None:
    url = button["web_app"].get("url", "") if isinstance(button["web_app"], dict) else ""
    if not url.startswith("https://"):
        raise Refusal(
            400,
            f"Bad Request: inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed",
        )


def _check_copy(button: dict[str, Any]) -> None:
    copied = button["copy_text"].get("text") if isinstance(button["copy_text"], dict) else None
    if not isinstance(copied, str) or not 1 <= len(copied) <= 256:
        raise Refusal(400, "Bad Request: BUTTON_COPY_TEXT_INVALID")
