"""The memory behind the imitated Bot API: who there is, what was said, which buttons were pressed.

It knows neither HTTP nor the wording of the Bot API beyond `Refusal`. Every change is told to `publish`, which the
chat page listens to. Changes happen in the server's event loop only; tests in other threads go through the routes.
"""

import itertools
import time
from collections.abc import Callable
from typing import Any

from apps.marketplaces.standins.bodies import Upload
from apps.marketplaces.standins.telegram.keyboards import Keyboard
from apps.marketplaces.standins.telegram.markup import Formatted
from apps.marketplaces.standins.telegram.records import Attachment, Message, Notice, Person, Press
from apps.marketplaces.standins.telegram.refusals import Refusal

FIRST_PERSON_ID = 700_000_001


class Messenger:
    """People, chats and presses of one bot. Ids start at the clock, so that a restart never repeats one.

    `now` gives the moments that people read (Unix seconds); how long a press waits is real time.
    """

    def __init__(self, publish: Callable[[dict[str, Any]], None], *, now: Callable[[], float] = time.time) -> None:
        self.publish, self.now = publish, now
        self.people: dict[int, Person] = {}
        self.messages: dict[int, Message] = {}
        self.presses: dict[str, Press] = {}
        self.files: dict[str, Upload] = {}
        self.notices: list[Notice] = []
        self._ids = itertools.count(int(time.time()))

    # People

    def put_person(self, person: Person) -> Person:
        """Add a person, or change the one with this id."""
        self.people[person.id] = person
        self.publish({"type": "person", "person": person.as_json()})
        return person

    def free_person_id(self) -> int:
        return max([FIRST_PERSON_ID - 1, *self.people]) + 1

    def chat_of(self, chat_id: int) -> Person:
        """The person behind a chat; refuses as the Bot API does."""
        if chat_id not in self.people:
            raise Refusal(400, "Bad Request: chat not found")
        return self.people[chat_id]

    def reachable(self, chat_id: int) -> Person:
        """The person behind a chat that the bot may write to."""
        person = self.chat_of(chat_id)
        if person.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if not person.started:
            raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        return person

    # Messages

    def add(
        self,
        *,
        chat_id: int,
        sender: int | None,
        content: Formatted,
        keyboard: Keyboard,
        attachment: Attachment | None = None,
    ) -> Message:
        message = Message(
            id=next(self._ids),
            chat_id=chat_id,
            sender=sender,
            at=self.now(),
            text=content.text,
            entities=content.entities,
            keyboard=keyboard,
            attachment=attachment,
        )
        self.messages[message.id] = message
        self.tell(message)
        return message

    def tell(self, message: Message) -> None:
        self.publish({"type": "message", "chat_id": message.chat_id, "message": message.as_json()})

    def of_chat(self, chat_id: int) -> list[Message]:
        return [message for message in self.messages.values() if message.chat_id == chat_id]

    def find(self, chat_id: int, message_id: int) -> Message | None:
        message = self.messages.get(message_id)
        return message if message and message.chat_id == chat_id and not message.deleted else None

    def edit(self, message: Message, *, content: Formatted, keyboard: Keyboard) -> Message:
        if message.says(content, keyboard):
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        message.edit(at=self.now(), content=content, keyboard=keyboard)
        self.tell(message)
        return message

    def delete(self, message: Message) -> None:
        message.deleted = True
        self.tell(message)

    def take(self, message_id: int) -> None:
        """The bot has received this message of a person."""
        message = self.messages.get(message_id)
        if message and not message.taken:
            message.taken = True
            self.tell(message)

    # Buttons

    def press(self, *, message: Message, by: int, data: str) -> Press:
        press = Press(str(next(self._ids)), by, message.chat_id, message.id, data, time.monotonic())
        self.presses[press.id] = press
        return press

    def age(self, press: Press) -> float:
        return time.monotonic() - press.pressed_at

    def answer(self, press: Press, *, text: str, show_alert: bool, url: str) -> None:
        press.text, press.show_alert, press.url, press.answered = text, show_alert, url, True
        self.publish({"type": "answer", "chat_id": press.chat_id, "answer": press.as_json()})

    # Files and notices

    def keep(self, upload: Upload, *, size: tuple[int, int] | None = None) -> Attachment:
        file_id = f"file-{next(self._ids)}"
        self.files[file_id] = upload
        width, height = size or (None, None)
        return Attachment(file_id, upload.name, upload.content_type, len(upload.content), width, height)

    def notify(self, *, text: str, kind: str, on: str | None) -> Notice:
        notice = Notice(text, kind, self.now(), on)
        self.notices.append(notice)
        self.publish({"type": "notice", "notice": notice.as_json()})
        return notice
