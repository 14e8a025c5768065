"""Parameters of a Bot API call. Clients send forms, so that numbers, booleans and objects arrive as text."""

import json
from typing import Any

from apps.marketplaces.standins.bodies import Body, Upload
from apps.marketplaces.standins.telegram.keyboards import Keyboard, parse_keyboard
from apps.marketplaces.standins.telegram.markup import BadMarkup, Formatted, parse_html, plain
from apps.marketplaces.standins.telegram.refusals import Refusal

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024


class Params:
    """Typed access to what a client sent; raises Refusal in the words of the Bot API."""

    def __init__(self, body: Body) -> None:
        if body.error:
            raise Refusal(400, f"Bad Request: {body.error}")
        self._fields, self._files = body.fields, body.files

    def text(self, name: str, default: str = "") -> str:
        value = self._fields.get(name, default)
        return value if isinstance(value, str) else str(value)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"true", "1"}

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.text(name, str(default)))
        except ValueError:
            raise Refusal(400, f"Bad Request: invalid {name} specified") from None

    def data(self, name: str) -> Any:
        """An object or list: as JSON text in a form, as itself in a JSON body; None when absent."""
        value = self._fields.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise Refusal(400, f"Bad Request: can't parse {name} JSON object") from None

    def listed(self, name: str) -> list[Any] | None:
        value = self.data(name)
        if value is not None and not isinstance(value, list):
            raise Refusal(400, f"Bad Request: can't parse {name} JSON object")
        return value

    def chat_id(self) -> int:
        value = self.text("chat_id")
        if not value:
            raise Refusal(400, "Bad Request: chat_id is empty")
        try:
            return int(value)
        except ValueError:
            raise Refusal(400, "Bad Request: chat not found") from None

    def keyboard(self) -> Keyboard:
        return parse_keyboard(self.data("reply_markup"))

    def content(self, *, too_long: str = "message is too long") -> Formatted:
        """The text of a message, 1 to 4096 characters after its tags are taken out."""
        content = self._formatted("text")
        if not content.text:
            raise Refusal(400, "Bad Request: message text is empty")
        if len(content.text) > LONGEST_TEXT:
            raise Refusal(400, f"Bad Request: {too_long}")
        return content

    def caption(self) -> Formatted:
        content = self._formatted("caption")
        if len(content.text) > LONGEST_CAPTION:
            raise Refusal(400, "Bad Request: message caption is too long")
        return content

    def _formatted(self, name: str) -> Formatted:
        mode = self.text("parse_mode")
        if not mode:
            return plain(self.text(name))
        if mode.lower() != "html":
            raise Refusal(400, "Bad Request: unsupported parse_mode (this stand-in knows HTML only)")
        try:
            return parse_html(self.text(name))
        except BadMarkup as error:
            raise Refusal(400, f"Bad Request: can't parse entities: {error}") from None

    def upload(self, name: str) -> Upload | None:
        """The file of this name; clients may also name its part by `attach://`."""
        part = self.text(name)
        return self._files.get(part.removeprefix("attach://") if part.startswith("attach://") else name)
