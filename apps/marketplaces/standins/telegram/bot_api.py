"""The methods of the Bot API (10.0) that python-telegram-bot 22.8 needs for a bot with cards and buttons.

Parameters outside this subset are ignored, as Telegram ignores what it does not know.
"""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.frame import Imitated, Incoming
from apps.marketplaces.standins.telegram.commands import Commands
from apps.marketplaces.standins.telegram.flood import Flood
from apps.marketplaces.standins.telegram.images import image_size
from apps.marketplaces.standins.telegram.messenger import Messenger
from apps.marketplaces.standins.telegram.params import Params
from apps.marketplaces.standins.telegram.records import Message
from apps.marketplaces.standins.telegram.refusals import Refusal
from apps.marketplaces.standins.telegram.updates import Updates, Webhook

TOKEN = re.compile(r"^(\d{1,20}):[\w-]{10,}$")
SECRET = re.compile(r"^[\w-]{0,256}$")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LONGEST_POLL = 50
LONGEST_ANSWER = 200
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip

Method = Callable[[Params], Awaitable[Any]]


class BotApi:
    """One bot. `token` None lets every well-formed token in as this bot."""

    def __init__(self, *, messenger: Messenger, updates: Updates, commands: Commands, token: str | None) -> None:
        self.messenger, self.updates, self.commands, self.token = messenger, updates, commands, token
        self.flood = Flood()
        self.answer_seconds = 15.0
        self.methods: dict[str, Method] = {
            "getMe": self.get_me,
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.delete_webhook,
            "getWebhookInfo": self.get_webhook_info,
            "getUpdates": self.get_updates,
            "sendMessage": self.send_message,
            "editMessageText": self.edit_message_text,
            "editMessageReplyMarkup": self.edit_message_reply_markup,
            "deleteMessage": self.delete_message,
            "answerCallbackQuery": self.answer_callback_query,
            "sendPhoto": self.send_photo,
            "sendDocument": self.send_document,
            "getFile": self.get_file,
            "sendChatAction": self.send_chat_action,
            "getChat": self.get_chat,
            "setMyCommands": commands.set,
            "getMyCommands": commands.get,
            "deleteMyCommands": commands.delete,
            "setChatMenuButton": commands.set_menu_button,
            "getChatMenuButton": commands.get_menu_button,
        }

    def routes(self) -> tuple[Imitated, ...]:
        named = {**self.methods, "unknown": self.unknown}
        return tuple(
            Imitated(
                name=f"telegram:{name}",
                path="/bot{token}/{method}" if name == "unknown" else f"/bot{{token}}/{name}",
                endpoint=partial(self.call, method),
                methods=("GET", "POST"),
                plays=frozenset({Kind.REVOKED_KEY}),
            )
            for name, method in named.items()
        )

    async def call(self, method: Method, call: Incoming) -> Response:
        try:
            self.check_token(call.request.path_params["token"], revoked=call.suffers(Kind.REVOKED_KEY))
            return JSONResponse({"ok": True, "result": await method(Params(call.body))})
        except Refusal as refusal:
            return refusal.response()

    def check_token(self, token: str, *, revoked: bool) -> None:
        if not TOKEN.match(token):
            raise Refusal(404, "Not Found")
        if revoked or self.token not in (None, token):
            raise Refusal(401, "Unauthorized")

    async def unknown(self, params: Params) -> Any:
        raise Refusal(404, "Not Found: method not found")

    # The bot itself

    def bot(self) -> dict[str, Any]:
        number = int(self.token.split(":")[0]) if self.token else 100_000_001
        return {"id": number, "is_bot": True, "first_name": "Vitrina", "username": "vitrina_demo_bot"}

    async def get_me(self, params: Params) -> Any:
        return {
            **self.bot(),
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    async def get_chat(self, params: Params) -> Any:
        person = self.messenger.chat_of(params.chat_id())
        kinds = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        gifts = dict.fromkeys(kinds, False)
        return {**person.as_chat(), "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}

    # Updates

    async def get_updates(self, params: Params) -> Any:
        if self.updates.webhook:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        self._allow(params)
        batch = await self.updates.poll(
            offset=params.number("offset", 0),
            limit=min(max(params.number("limit", 100), 1), 100),
            timeout=min(max(params.number("timeout", 0), 0), LONGEST_POLL),
        )
        return [update.as_api() for update in batch]

    def _allow(self, params: Params) -> None:
        kinds = params.listed("allowed_updates")
        if kinds is not None:
            self.updates.allowed = tuple(kinds)

    async def set_webhook(self, params: Params) -> Any:
        url = params.text("url")
        if not url:
            return await self.delete_webhook(params)
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if not SECRET.match(params.text("secret_token")):
            raise Refusal(400, "Bad Request: secret token contains unallowed characters")
        connections = params.number("max_connections", 40)
        if not 1 <= connections <= 100:
            raise Refusal(400, "Bad Request: bad webhook: max_connections must be between 1 and 100")
        self._allow(params)
        self._drop_pending(params)
        self.updates.webhook = Webhook(url, params.text("secret_token"), connections)
        self.updates.wake()
        return True

    async def delete_webhook(self, params: Params) -> Any:
        self._drop_pending(params)
        self.updates.webhook = None
        self.updates.wake()
        return True

    def _drop_pending(self, params: Params) -> None:
        if params.flag("drop_pending_updates"):
            self.updates.waiting.clear()

    async def get_webhook_info(self, params: Params) -> Any:
        webhook = self.updates.webhook
        info: dict[str, Any] = {
            "url": webhook.url if webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.updates.waiting),
        }
        if self.updates.allowed:
            info["allowed_updates"] = list(self.updates.allowed)
        if webhook:
            info["max_connections"] = webhook.max_connections
        if webhook and webhook.last_error_at:
            info |= {"last_error_date": int(webhook.last_error_at), "last_error_message": webhook.last_error}
        return info

    # Messages

    def as_api(self, message: Message) -> dict[str, Any]:
        chat = self.messenger.chat_of(message.chat_id)
        sender = self.bot() if message.sender is None else self.messenger.people[message.sender].as_user()
        return message.as_api(sender=sender, chat=chat.as_chat())

    async def send_message(self, params: Params) -> Any:
        chat = self.messenger.reachable(params.chat_id())
        content, keyboard = params.content(), params.keyboard()
        self.flood.check(chat.id)
        return self.as_api(self.messenger.add(chat_id=chat.id, sender=None, content=content, keyboard=keyboard))

    async def send_photo(self, params: Params) -> Any:
        return self._send_file(params, "photo")

    async def send_document(self, params: Params) -> Any:
        return self._send_file(params, "document")

    def _send_file(self, params: Params, name: str) -> dict[str, Any]:
        chat = self.messenger.reachable(params.chat_id())
        caption, keyboard, upload = params.caption(), params.keyboard(), params.upload(name)
        if upload is None:
            raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified (this stand-in takes uploads)")
        if not upload.content:
            raise Refusal(400, "Bad Request: file must be non-empty")
        size = image_size(upload.content) if name == "photo" else None
        if name == "photo" and size is None:
            raise Refusal(400, "Bad Request: IMAGE_PROCESS_FAILED")
        self.flood.check(chat.id)
        attachment = self.messenger.keep(upload, size=size)
        return self.as_api(
            self.messenger.add(chat_id=chat.id, sender=None, content=caption, keyboard=keyboard, attachment=attachment)
        )

    async def get_file(self, params: Params) -> Any:
        file_id = params.text("file_id")
        if file_id not in self.messenger.files:
            raise Refusal(400, "Bad Request: invalid file_id")
        size = len(self.messenger.files[file_id].content)
        return {"file_id": file_id, "file_unique_id": file_id[-12:], "file_size": size, "file_path": file_id}

    def _own(self, params: Params, deed: str) -> Message:
        chat = self.messenger.reachable(params.chat_id())
        message = self.messenger.find(chat.id, params.number("message_id", 0))
        if message is None:
            raise Refusal(400, f"Bad Request: message to {deed} not found")
        if message.sender is not None:
            raise Refusal(400, f"Bad Request: message can't be {deed}{'d' if deed.endswith('e') else 'ed'}")
        return message

    async def edit_message_text(self, params: Params) -> Any:
        message = self._own(params, "edit")
        if message.attachment:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        content, keyboard = params.content(too_long="MESSAGE_TOO_LONG"), params.keyboard()
        self.flood.check(message.chat_id)
        return self.as_api(self.messenger.edit(message, content=content, keyboard=keyboard))

    async def edit_message_reply_markup(self, params: Params) -> Any:
        message = self._own(params, "edit")
        self.flood.check(message.chat_id)
        return self.as_api(self.messenger.edit(message, content=message.content, keyboard=params.keyboard()))

    async def delete_message(self, params: Params) -> Any:
        self.messenger.delete(self._own(params, "delete"))
        return True

    async def send_chat_action(self, params: Params) -> Any:
        chat, action = self.messenger.reachable(params.chat_id()), params.text("action")
        if action not in ACTIONS:
            raise Refusal(400, "Bad Request: wrong parameter action in request")
        self.messenger.publish({"type": "typing", "chat_id": chat.id, "action": action})
        return True

    async def answer_callback_query(self, params: Params) -> Any:
        press = self.messenger.presses.get(params.text("callback_query_id"))
        if press is None or self.messenger.age(press) > self.answer_seconds:
            raise Refusal(
                400,
                "Bad Request: query is too old and response timeout expired or query ID is invalid",
            )
        if len(params.text("text")) > LONGEST_ANSWER:
            raise Refusal(400, "Bad Request: MESSAGE_TOO_LONG")
        self.messenger.answer(
            press, text=params.text("text"), show_alert=params.flag("show_alert"), url=params.text("url")
        )
        return True
