"""The command menu of the bot: one list per scope and language, and the button beside the input."""

import re
from collections.abc import Callable
from typing import Any

from apps.marketplaces.standins.telegram.params import Params
from apps.marketplaces.standins.telegram.refusals import Refusal

NAME = re.compile(r"^[a-z0-9_]{1,32}$")
MOST = 100
Scope = tuple[str, int]  # type and chat id, 0 where the scope names no chat
PRIVATE_SCOPES = ("all_private_chats", "default")


class Commands:
    """What setMyCommands was told; `publish` hears of each change."""

    def __init__(self, publish: Callable[[dict[str, Any]], None]) -> None:
        self.publish = publish
        self._lists: dict[tuple[Scope, str], list[dict[str, str]]] = {}
        self._buttons: dict[int, dict[str, Any]] = {}

    def of_person(self, chat_id: int, language: str) -> list[dict[str, str]]:
        """The list a person sees: the narrowest scope wins, within it the person's language."""
        for scope in (("chat", chat_id), *((kind, 0) for kind in PRIVATE_SCOPES)):
            for spoken in (language, ""):
                if (scope, spoken) in self._lists:
                    return self._lists[scope, spoken]
        return []

    async def set(self, params: Params) -> Any:
        commands = params.listed("commands") or []
        if len(commands) > MOST:
            raise Refusal(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        self._lists[_key(params)] = [_command(command) for command in commands]
        self.publish({"type": "commands"})
        return True

    async def get(self, params: Params) -> Any:
        return self._lists.get(_key(params), [])

    async def delete(self, params: Params) -> Any:
        self._lists.pop(_key(params), None)
        self.publish({"type": "commands"})
        return True

    async def set_menu_button(self, params: Params) -> Any:
        button = params.data("menu_button") or {"type": "default"}
        if button.get("type") not in {"default", "commands", "web_app"}:
            raise Refusal(400, "Bad Request: can't parse menu button: Unsupported type specified")
        self._buttons[params.number("chat_id", 0)] = button
        return True

    async def get_menu_button(self, params: Params) -> Any:
        return self._buttons.get(params.number("chat_id", 0), {"type": "default"})


def _key(params: Params) -> tuple[Scope, str]:
    scope = params.data("scope") or {"type": "default"}
    return (str(scope.get("type")), int(scope.get("chat_id", 0))), params.text("language_code")


def _command(command: Any) -> dict[str, str]:
    name = str(command.get("command", "")).removeprefix("/") if isinstance(command, dict) else ""
    if not NAME.match(name):
        raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
    description = str(command.get("description", "")).strip()
    if not 1 <= len(description) <= 256:
        raise Refusal(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}
