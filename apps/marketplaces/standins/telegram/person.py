"""A person at the chat, driven by a program: says things, reads what the bot answers, presses buttons."""

import time
from collections.abc import Callable
from typing import Any

import requests

POLL_SECONDS = 0.05
CALL_SECONDS = 10.0
Said = dict[str, Any]


class Silence(AssertionError):
    """The bot did not do what was waited for."""


class Person:
    """One person in the private chat with the bot, over the control routes at `url`."""

    def __init__(self, url: str, person_id: int) -> None:
        self.url, self.id = url, person_id
        self._session = requests.Session()

    @classmethod
    def joins(cls, url: str, *, first_name: str, language: str = "en", person_id: int | None = None) -> "Person":
        """Add a person to the stand-in."""
        wish: dict[str, Any] = {"first_name": first_name, "language_code": language}
        if person_id is not None:
            wish["id"] = person_id
        answer = requests.post(f"{url}/_telegram/people", json=wish, timeout=CALL_SECONDS)
        answer.raise_for_status()
        return cls(url, answer.json()["id"])

    def says(self, text: str) -> Said:
        return self._post("messages", {"text": text})

    def presses(self, message: Said, label: str) -> Said:
        """Press the button whose text contains `label`; returns the press as the stand-in knows it."""
        for button in (button for row in message["buttons"] for button in row):
            if label in button["text"]:
                return self._post("presses", {"message_id": message["id"], "data": button["callback_data"]})
        raise Silence(f"no button {label!r} on: {message['text']!r}")

    def forges(self, message_id: int, data: str) -> Said:
        """Press a button that the message does not have."""
        return self._post("presses", {"message_id": message_id, "data": data, "forged": True})

    def blocks(self) -> None:
        requests.post(f"{self.url}/_telegram/people/{self.id}/block", timeout=CALL_SECONDS).raise_for_status()

    def deletes(self, message: Said) -> None:
        self._session.delete(f"{self._chat}/messages/{message['id']}", timeout=CALL_SECONDS).raise_for_status()

    def messages(self) -> list[Said]:
        """What the bot has written and nobody has deleted, oldest first."""
        rows: list[Said] = self._get("messages")
        return [row for row in rows if row["sender"] is None and not row["deleted"]]

    def waits_for(self, wanted: Callable[[Said], bool], *, seconds: float = 40.0, after: int = 0) -> Said:
        """The newest message of the bot with an id above `after` that is as wanted; raises Silence."""
        until = time.monotonic() + seconds
        while True:
            messages = [message for message in self.messages() if message["id"] > after]
            for message in reversed(messages):
                if wanted(message):
                    return message
            if time.monotonic() > until:
                raise Silence(f"not within {seconds} s; the chat says: {[m['text'] for m in messages]}")
            time.sleep(POLL_SECONDS)

    def sees(self, words: str, *, seconds: float = 40.0, after: int = 0) -> Said:
        """The newest message that holds these words."""
        return self.waits_for(lambda message: words in message["text"], seconds=seconds, after=after)

    def hears(self, press: Said, *, seconds: float = 40.0) -> Said:
        """The bot's answer to a press: {text, show_alert, ...}; raises Silence."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for answer in self._get("answers"):
                if answer["id"] == press["id"] and answer["answered"]:
                    return dict(answer)
            time.sleep(POLL_SECONDS)
        raise Silence(f"the press was not answered within {seconds} s")

    @property
    def _chat(self) -> str:
        return f"{self.url}/_telegram/chats/{self.id}"

    def _post(self, path: str, body: dict[str, Any]) -> Said:
        answer = self._session.post(f"{self._chat}/{path}", json=body, timeout=CALL_SECONDS)
        if not answer.ok:
            raise Silence(f"{path} {body}: {answer.text}")
        return dict(answer.json())

    def _get(self, path: str) -> Any:
        answer = self._session.get(f"{self._chat}/{path}", timeout=CALL_SECONDS)
        answer.raise_for_status()
        return answer.json()
