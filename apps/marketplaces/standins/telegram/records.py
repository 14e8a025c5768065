"""People, messages and button presses as the stand-in remembers them."""

from dataclasses import asdict, dataclass, field
from typing import Any

from apps.marketplaces.standins.telegram.keyboards import Keyboard
from apps.marketplaces.standins.telegram.markup import Entity, Formatted


@dataclass
class Person:
    """A Telegram user and the private chat with the bot, which has the same id."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = "en"
    started: bool = True  # has pressed "Start": before that a bot may not write
    blocked: bool = False

    def as_user(self) -> dict[str, Any]:
        names = {"last_name": self.last_name, "username": self.username}
        given = {key: value for key, value in names.items() if value}
        return {
            "id": self.id,
            "is_bot": False,
            "first_name": self.first_name,
            **given,
            "language_code": self.language_code,
        }

    def as_chat(self) -> dict[str, Any]:
        user = self.as_user()
        kept = {key: user[key] for key in ("id", "first_name", "last_name", "username") if key in user}
        return {**kept, "type": "private"}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message. Width and height are those of a photo, in pixels."""

    file_id: str
    name: str
    content_type: str
    size: int
    width: int | None = None
    height: int | None = None

    def as_api(self) -> dict[str, Any]:
        known = {"file_id": self.file_id, "file_unique_id": self.file_id[-12:], "file_size": self.size}
        if self.width is not None:
            return {"photo": [{**known, "width": self.width, "height": self.height}]}
        return {"document": {**known, "file_name": self.name, "mime_type": self.content_type}}


@dataclass
class Message:
    """One message; `sender` None is the bot. Moments are Unix seconds. `text` is the caption when a file came along."""

    id: int
    chat_id: int
    sender: int | None
    at: float
    text: str
    entities: list[Entity]
    keyboard: Keyboard = field(default_factory=list)
    attachment: Attachment | None = None
    edited_at: float | None = None
    history: list[dict[str, Any]] = field(default_factory=list)  # what it said before each edit
    deleted: bool = False
    taken: bool = False  # a person's message that the bot has received

    @property
    def content(self) -> Formatted:
        return Formatted(self.text, self.entities)

    def edit(self, *, at: float, content: Formatted, keyboard: Keyboard) -> None:
        self.history.append({"at": self.edited_at or self.at, "text": self.text, "buttons": self.keyboard})
        self.text, self.entities, self.keyboard, self.edited_at = content.text, content.entities, keyboard, at

    def says(self, content: Formatted, keyboard: Keyboard) -> bool:
        return (self.text, self.entities, self.keyboard) == (content.text, content.entities, keyboard)

    def as_api(self, *, sender: dict[str, Any], chat: dict[str, Any]) -> dict[str, Any]:
        words = ("caption", "caption_entities") if self.attachment else ("text", "entities")
        message: dict[str, Any] = {"message_id": self.id, "from": sender, "chat": chat, "date": int(self.at)}
        if self.edited_at:
            message["edit_date"] = int(self.edited_at)
        if self.attachment:
            message |= self.attachment.as_api()
        message |= {name: value for name, value in zip(words, (self.text, self.entities), strict=True) if value}
        if self.keyboard:
            message["reply_markup"] = {"inline_keyboard": self.keyboard}
        return message

    def as_json(self) -> dict[str, Any]:
        """What the chat page and tests read: `buttons` are rows of {text, callback_data | url | ..., style?}."""
        data = asdict(self)
        data["buttons"] = data.pop("keyboard")
        return data


@dataclass
class Press:
    """A button press (callback query) and what answerCallbackQuery said. `pressed_at` is on the monotonic clock."""

    id: str
    by: int
    chat_id: int
    message_id: int
    data: str
    pressed_at: float
    answered: bool = False
    text: str = ""
    show_alert: bool = False
    url: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Notice:
    """A word of the demo's clock to everybody who looks at the page. Kinds: `progress`, `ready`, `trouble`.

    `on` is the world's day as an ISO date, when the sender knows it.
    """

    text: str
    kind: str
    at: float
    on: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
