"""Acting as a person, and looking at what the bot did. JSON in, JSON out; an error is {"error": text}.

GET    /_telegram/people                          everybody
POST   /_telegram/people                          {first_name, id?, last_name?, username?, language_code?, started?}
                                                  adds a person, or changes the one with this id
POST   /_telegram/people/{id}/block, .../unblock  the person blocks the bot, or takes it back
GET    /_telegram/chats/{id}                      {person, messages, answers, commands}; a chat has its person's id
GET    /_telegram/chats/{id}/messages             current text, entities, buttons, history of edits, deleted, ...
POST   /_telegram/chats/{id}/messages             {text, by?}  says something; `by` is another person's id
DELETE /_telegram/chats/{id}/messages/{message}   the person deletes a message
POST   /_telegram/chats/{id}/presses              {message_id, data, by?, forged?}  presses a button; `forged` sends
                                                  data that the message does not offer
GET    /_telegram/chats/{id}/answers              presses with what answerCallbackQuery said
GET    /_telegram/updates                         what was queued for the bot, and whether it still waits
POST   /_telegram/updates/{id}/again              delivers an update once more
POST   /_telegram/settings                        {flood?: bool, answer_seconds?: number} -> both
POST   /_telegram/notice                          {text, kind: progress | ready | trouble, on?: ISO date}
GET    /_telegram/notices
GET    /_telegram/events                          server-sent events: person, message, typing, answer, commands, notice
GET    /_telegram/files/{file_id}                 a file that the bot sent
"""

import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from apps.marketplaces.standins.telegram.bot_api import BotApi
from apps.marketplaces.standins.telegram.events import Events
from apps.marketplaces.standins.telegram.markup import plain
from apps.marketplaces.standins.telegram.records import Message, Person

KICKED = {"status": "kicked", "until_date": 0}
SHOWN_INLINE = {"image/png", "image/jpeg"}


class Wrong(Exception):
    """A control request that cannot be done."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Wish(BaseModel):
    """The body of a control request."""

    model_config = ConfigDict(extra="forbid")


class PersonWish(Wish):
    first_name: str = Field(min_length=1, max_length=64)
    id: int | None = Field(default=None, gt=0)
    last_name: str = ""
    username: str = ""
    language_code: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z]+)?$")
    started: bool = True


class SayWish(Wish):
    text: str = Field(min_length=1, max_length=4096)
    by: int | None = None


class PressWish(Wish):
    message_id: int
    data: str
    by: int | None = None
    forged: bool = False


class SettingsWish(Wish):
    flood: bool | None = None
    answer_seconds: float | None = Field(default=None, ge=0)


class NoticeWish(Wish):
    text: str = Field(max_length=500)
    kind: Literal["progress", "ready", "trouble"]
    on: date | None = None


AnyWish = TypeVar("AnyWish", bound=Wish)
Act = Callable[[Request], Awaitable[Response]]


class Control:
    """The routes above, over one bot."""

    def __init__(self, api: BotApi, events: Events) -> None:
        self.api, self.messenger, self.updates, self.events = api, api.messenger, api.updates, events

    def routes(self) -> tuple[BaseRoute, ...]:
        acts: tuple[tuple[str, str, Act], ...] = (
            ("GET", "/people", self.people),
            ("POST", "/people", self.put_person),
            ("POST", "/people/{person:int}/block", self.block),
            ("POST", "/people/{person:int}/unblock", self.unblock),
            ("GET", "/chats/{person:int}", self.chat),
            ("GET", "/chats/{person:int}/messages", self.messages),
            ("POST", "/chats/{person:int}/messages", self.say),
            ("DELETE", "/chats/{person:int}/messages/{message:int}", self.delete),
            ("POST", "/chats/{person:int}/presses", self.press),
            ("GET", "/chats/{person:int}/answers", self.answers),
            ("GET", "/updates", self.list_updates),
            ("POST", "/updates/{update:int}/again", self.again),
            ("POST", "/settings", self.settings),
            ("POST", "/notice", self.notice),
            ("GET", "/notices", self.notices),
            ("GET", "/files/{file_id}", self.file),
        )
        return (
            *(Route(f"/_telegram{path}", _guarded(act), methods=[method]) for method, path, act in acts),
            Route("/_telegram/events", self.events.stream, methods=["GET"]),
            Route("/file/bot{token}/{file_id}", _guarded(self.file), methods=["GET"]),
        )

    # People

    async def people(self, request: Request) -> Response:
        return JSONResponse([person.as_json() for person in self.messenger.people.values()])

    async def put_person(self, request: Request) -> Response:
        wish = await _read(request, PersonWish)
        person_id = wish.id or self.messenger.free_person_id()
        known = self.messenger.people.get(person_id)
        fields = wish.model_dump(exclude={"id"})
        return JSONResponse(
            self.messenger.put_person(
                Person(id=person_id, blocked=known.blocked if known else False, **fields)
            ).as_json()
        )

    async def block(self, request: Request) -> Response:
        return self._set_blocked(self._person(request), blocked=True)

    async def unblock(self, request: Request) -> Response:
        return self._set_blocked(self._person(request), blocked=False)

    def _set_blocked(self, person: Person, *, blocked: bool) -> Response:
        if person.blocked != blocked:
            person.blocked = blocked
            self.messenger.put_person(person)
            standing: dict[bool, dict[str, Any]] = {False: {"status": "member"}, True: KICKED}
            user = self.api.bot()
            payload = {
                "chat": person.as_chat(),
                "from": person.as_user(),
                "date": int(time.time()),
                "old_chat_member": {"user": user, **standing[not blocked]},
                "new_chat_member": {"user": user, **standing[blocked]},
            }
            self.updates.add(chat_id=person.id, kind="my_chat_member", payload=payload)
        return JSONResponse(person.as_json())

    def _person(self, request: Request) -> Person:
        return self._known(request.path_params["person"])

    def _known(self, person_id: int) -> Person:
        if person_id not in self.messenger.people:
            raise Wrong(f"nobody has the id {person_id}", 404)
        return self.messenger.people[person_id]

    # Chats

    async def chat(self, request: Request) -> Response:
        person = self._person(request)
        return JSONResponse(
            {
                "person": person.as_json(),
                "messages": self._messages(person),
                "answers": self._answers(person),
                "commands": self.api.commands.of_person(person.id, person.language_code),
            }
        )

    async def messages(self, request: Request) -> Response:
        return JSONResponse(self._messages(self._person(request)))

    def _messages(self, person: Person) -> list[dict[str, object]]:
        return [message.as_json() for message in self.messenger.of_chat(person.id)]

    async def answers(self, request: Request) -> Response:
        return JSONResponse(self._answers(self._person(request)))

    def _answers(self, person: Person) -> list[dict[str, object]]:
        return [press.as_json() for press in self.messenger.presses.values() if press.chat_id == person.id]

    async def say(self, request: Request) -> Response:
        chat, wish = self._person(request), await _read(request, SayWish)
        speaker = self._active(chat if wish.by is None else self._known(wish.by))
        content = plain(wish.text)
        if not content.text:
            raise Wrong("text: something to read, not only spaces")
        if not speaker.started:
            speaker.started = True
            self.messenger.put_person(speaker)
        message = self.messenger.add(chat_id=chat.id, sender=speaker.id, content=content, keyboard=[])
        self.updates.add(chat_id=chat.id, kind="message", payload=self.api.as_api(message), message_id=message.id)
        return JSONResponse(message.as_json())

    def _active(self, person: Person) -> Person:
        if person.blocked:
            raise Wrong(f"{person.first_name} has blocked the bot", 409)
        return person

    def _message(self, chat: Person, message_id: int) -> Message:
        message = self.messenger.messages.get(message_id)
        if message is None or message.chat_id != chat.id:
            raise Wrong(f"message_id: no message {message_id} in this chat", 404)
        return message

    async def delete(self, request: Request) -> Response:
        message = self._message(self._person(request), request.path_params["message"])
        self.messenger.delete(message)
        return JSONResponse(message.as_json())

    async def press(self, request: Request) -> Response:
        chat, wish = self._person(request), await _read(request, PressWish)
        by = self._active(chat if wish.by is None else self._known(wish.by))
        message = self._message(chat, wish.message_id)
        offered = [button.get("callback_data") for row in message.keyboard for button in row]
        if wish.data not in offered and not wish.forged:
            raise Wrong(f"data: the message offers {offered}, not {wish.data!r}; `forged` sends it anyway", 409)
        press = self.messenger.press(message=message, by=by.id, data=wish.data)
        unseen = {"chat": chat.as_chat(), "message_id": message.id, "date": 0}
        payload = {
            "id": press.id,
            "from": by.as_user(),
            "message": unseen if message.deleted else self.api.as_api(message),
            "chat_instance": f"chat-{chat.id}",
            "data": wish.data,
        }
        self.updates.add(chat_id=chat.id, kind="callback_query", payload=payload)
        return JSONResponse(press.as_json())

    # Updates, settings, notices, files

    async def list_updates(self, request: Request) -> Response:
        waiting = {update.id for update in self.updates.waiting}
        return JSONResponse(
            [
                {"id": update.id, "chat_id": update.chat_id, "kind": update.kind, "waiting": update.id in waiting}
                for update in self.updates.seen.values()
            ]
        )

    async def again(self, request: Request) -> Response:
        if not self.updates.again(request.path_params["update"]):
            raise Wrong(f"no update {request.path_params['update']} was ever queued", 404)
        return await self.list_updates(request)

    async def settings(self, request: Request) -> Response:
        wish = await _read(request, SettingsWish)
        if wish.flood is not None:
            self.api.flood.on = wish.flood
        if wish.answer_seconds is not None:
            self.api.answer_seconds = wish.answer_seconds
        return JSONResponse({"flood": self.api.flood.on, "answer_seconds": self.api.answer_seconds})

    async def notice(self, request: Request) -> Response:
        wish = await _read(request, NoticeWish)
        on = wish.on.isoformat() if wish.on else None
        return JSONResponse(self.messenger.notify(text=wish.text, kind=wish.kind, on=on).as_json())

    async def notices(self, request: Request) -> Response:
        return JSONResponse([notice.as_json() for notice in self.messenger.notices])

    async def file(self, request: Request) -> Response:
        upload = self.messenger.files.get(request.path_params["file_id"])
        if upload is None:
            raise Wrong("no such file", 404)
        inline = upload.content_type in SHOWN_INLINE
        headers = {
            "Content-Disposition": f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(upload.name)}",
            "X-Content-Type-Options": "nosniff",
        }
        kind = upload.content_type if inline else "application/octet-stream"
        return Response(upload.content, media_type=kind, headers=headers)


def _guarded(act: Act) -> Act:
    async def guarded(request: Request) -> Response:
        try:
            return await act(request)
        except Wrong as wrong:
            return JSONResponse({"error": str(wrong)}, status_code=wrong.status)

    return guarded


async def _read(request: Request, kind: type[AnyWish]) -> AnyWish:
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Wrong(f"{field}: {first['msg']}") from None
