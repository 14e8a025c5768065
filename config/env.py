"""Every setting of an installation, read once and typed; what is wrong is named and nothing starts.

The process environment wins over the file. Which file: the one `VITRINA_ENV` names (`/dev/null`: none, as in a
container), else `.env`, else the demo's.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cryptography.fernet import Fernet
from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ValidationInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE_SCHEMES = ("postgres", "postgresql", "postgresql+asyncpg")
DEMO_FILE = "demo.env"
REDIS_SCHEMES = ("redis", "rediss", "unix")

Role = Literal["web", "bot", "worker", "fast", "money", "beat", "command"]


class EnvError(Exception):
    """The installation's variables are not usable; the text names each of them and what is accepted."""


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _fernet_keys(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not keys:
        raise ValueError("is empty")
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key.get_secret_value())
        except ValueError:
            raise ValueError(f"key number {position} is not a Fernet key") from None
    return keys


def _address(value: str) -> str:
    """`http(s)://host...` without a trailing slash, or empty."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise ValueError("is not an address")
    return value.rstrip("/")


def _database(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in DATABASE_SCHEMES:
        raise ValueError(f"has the scheme {parts.scheme!r}")
    if not parts.path.strip("/"):
        raise ValueError("names no database")
    return value


def _redis(value: SecretStr) -> SecretStr:
    scheme = urlsplit(value.get_secret_value()).scheme
    if scheme not in REDIS_SCHEMES:
        raise ValueError(f"has the scheme {scheme!r}")
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is not a time zone")
    return value


Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Seconds = Annotated[float, Field(gt=0, le=86_400, description="a number of seconds above 0, at most 86400")]
Port = Annotated[int, Field(ge=1, le=65_535, description="a port from 1 to 65535")]
Web = Annotated[str, AfterValidator(_address), Field(description="an address like https://shop.example.com")]

# Variables that make sense only together: the second is checked against the first.
PAIRS = {
    "ozon_api_key": "ozon_client_id",
    "ozon_performance_api_key": "ozon_performance_client_id",
    "admin_password": "admin_username",
    "flower_password": "flower_user",
}


class Env(BaseSettings):
    """One field per variable; its description says what is accepted. Secrets are masked in every repr."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    # The installation
    secret_key: Annotated[SecretStr, Field(min_length=50, description="at least 50 random characters")]
    credentials_keys: Annotated[
        tuple[SecretStr, ...],
        NoDecode,
        BeforeValidator(_split),
        AfterValidator(_fernet_keys),
        Field(description="comma-separated Fernet keys, the newest first"),
    ]
    debug: bool = Field(default=False, description="true or false")
    dashboard_url: Web = "http://127.0.0.1:8000"
    allowed_hosts: Texts = Field(default=(), description="comma-separated host names; empty: that of DASHBOARD_URL")
    csrf_trusted_origins: Texts = Field(default=(), description="comma-separated origins; empty: DASHBOARD_URL")
    behind_proxy: bool = Field(default=False, description="true or false: trust the proxy's X-Forwarded-Proto")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="Europe/Moscow", description="a time zone of the IANA list, such as Europe/Moscow or Europe/Kyiv"
    )
    # Not LANGUAGE: on many machines that is a list for gettext (en_US:en).
    default_language: Literal["ru", "uk", "en"] = Field(default="ru", description="ru, uk or en")
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        BeforeValidator(lambda value: str(value).upper()),
        Field(description="DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    ] = "INFO"
    release: str = Field(default="dev", description="the name of this build, shown by /healthz")
    process_role: Role = Field(default="command", description="web, bot, worker, fast, money, beat or command")
    vitrina_state: str = Field(default=".vitrina", description="the folder of the embedded servers and the demo")
    store_folder: str = Field(default="", description="the folder of the read store; empty: store in VITRINA_STATE")

    # Servers: empty means the embedded ones
    database_url: Annotated[SecretStr, AfterValidator(_database)] | None = Field(
        default=None, description=f"{', '.join(f'{scheme}://' for scheme in DATABASE_SCHEMES)} and a database's name"
    )
    redis_url: Annotated[SecretStr, AfterValidator(_redis)] | None = Field(
        default=None, description=", ".join(f"{scheme}://" for scheme in REDIS_SCHEMES)
    )
    web_port: Port = 8000
    bot_port: Port = 8001
    flower_port: Port = 5555
    flower_user: str = Field(default="", description="a name, together with FLOWER_PASSWORD")
    flower_password: SecretStr = Field(default=SecretStr(""), description="a password, together with FLOWER_USER")

    # The first shop and its people; afterwards the admin is the truth
    admin_username: str = Field(default="", description="the first owner's name, together with ADMIN_PASSWORD")
    admin_password: SecretStr = Field(default=SecretStr(""), description="a password, together with ADMIN_USERNAME")
    admin_user_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(), description="comma-separated Telegram user ids (whole numbers)"
    )
    ozon_client_id: str = Field(default="", description="the Client-Id, together with OZON_API_KEY")
    ozon_api_key: SecretStr = Field(default=SecretStr(""), description="the Api-Key, together with OZON_CLIENT_ID")
    ozon_performance_client_id: str = Field(default="", description="together with OZON_PERFORMANCE_API_KEY")
    ozon_performance_api_key: SecretStr = Field(
        default=SecretStr(""), description="the client secret, together with OZON_PERFORMANCE_CLIENT_ID"
    )
    keycrm_api_key: SecretStr = Field(default=SecretStr(""), description="the API key of a KeyCRM account")
    anthropic_api_key: SecretStr = Field(default=SecretStr(""), description="the API key for Claude")

    # Outside addresses
    ozon_api_url: Web = "https://api-seller.ozon.ru"
    keycrm_api_url: Web = "https://openapi.keycrm.app/v1"
    keycrm_calls_a_minute: Annotated[
        int, Field(gt=0, le=1_000_000, description="calls a minute with one key (whole); KeyCRM allows 60")
    ] = 50
    world_url: Web = Field(default="", description="the address of the demo's world; empty elsewhere")
    deadman_url: Web = Field(
        default="", description="an address that calls for help when the clock stops asking for it; may be empty"
    )

    # Telegram
    telegram_api_url: Web = "https://api.telegram.org"
    telegram_bot_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("telegram_bot_token", "bot_token"),
        description="the token of the bot, like 123456:AbC (BOT_TOKEN is accepted too)",
    )
    telegram_admin_chat_id: int | None = Field(default=None, description="a chat's id (a whole number)")
    telegram_webhook_url: Web = Field(
        default="", description="the public address for Telegram's calls; empty: the bot asks by itself"
    )
    telegram_webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="32 to 256 of A-Z a-z 0-9 _ and -; required when TELEGRAM_WEBHOOK_URL is set",
    )

    # The API
    api_calls_per_minute: Annotated[int, Field(ge=1, description="a whole number above 0")] = 600  # of one person

    # Guards
    held_change_rate: Annotated[Decimal, Field(gt=0, le=10, description="a share above 0, such as 0.2")] = Decimal(
        "0.2"
    )  # of a figure from a file, before a person has to confirm it

    # Waits
    http_deadline_seconds: Seconds = 20  # one whole call to a marketplace
    lease_margin_seconds: Seconds = 15  # a command's lease = deadline + margin
    settle_seconds: Seconds = 60  # from a write to its first read-back
    key_ask_seconds: Seconds = 5  # asking a marketplace about a key, with a person waiting
    key_probe_seconds: Seconds = 600  # between two questions about a key that is refused or could not be checked
    job_lease_seconds: Seconds = 900  # a scheduled run, before another may take it over
    tick_alert_seconds: Seconds = 180  # the clock's last tick, before the watchdog calls
    outbox_poll_seconds: Seconds = 1  # behind LISTEN/NOTIFY
    chat_seconds: Seconds = 1  # between two messages into one chat, after a burst of three
    outbox_repeat_seconds: Seconds = 120  # an unknown Telegram send, before a marked repeat
    later_seconds: Seconds = 7200  # a card put off with "Later"
    soft_shutdown_seconds: Seconds = 25  # a stopping worker waits so long for its tasks

    @field_validator("telegram_bot_token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not re.fullmatch(r"\d+:[\w-]+", value.get_secret_value()):
            raise ValueError("is not a token")
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _guards_the_webhook(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        secret = value.get_secret_value()
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{32,256}", secret):
            raise ValueError("is too short or has other characters")
        if not secret and info.data.get("telegram_webhook_url"):
            raise ValueError("is missing")
        return value

    @field_validator(*PAIRS)
    @classmethod
    def _stands_with_its_partner(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        partner = PAIRS[str(info.field_name)]
        if bool(value.get_secret_value()) != bool(info.data.get(partner)):
            raise ValueError(f"and {partner.upper()} must be given together")
        return value

    def secrets(self) -> tuple[str, ...]:
        """Every secret value that is set, and the passwords inside addresses: what no log line may hold."""
        values = [getattr(self, name) for name in type(self).model_fields]
        texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        texts += [key.get_secret_value() for key in self.credentials_keys]
        texts += [urlsplit(text).password or "" for text in texts if "://" in text]
        return tuple(text for text in texts if text)


def state_folder(named: str = "") -> Path:
    """The folder of the embedded servers and the demo; a relative one lies in the project's folder."""
    return BASE_DIR / (named or os.environ.get("VITRINA_STATE", "") or ".vitrina")


def demo_file() -> Path:
    """The demo's variables. Its folder is also the demo's own state: it empties its servers, not a real shop's."""
    return state_folder() / "demo" / DEMO_FILE


def is_demo() -> bool:
    return env_file().name == DEMO_FILE


def forget_process_variables() -> None:
    """Drop what the shell says about an installation: a demo or a test must not meet a real shop's keys.

    The servers stay, for a machine where the embedded ones cannot run.
    """
    for name in [*Env.model_fields, "bot_token"]:
        if name not in ("database_url", "redis_url", "vitrina_state"):
            os.environ.pop(name, None)
            os.environ.pop(name.upper(), None)


def env_file() -> Path:
    """The file of variables to read. Raises EnvError when there is none."""
    named = os.environ.get("VITRINA_ENV")
    if named:
        if not (BASE_DIR / named).exists():
            raise EnvError(f"VITRINA_ENV is wrong: the file {named} does not exist. Accepted: the path of a file.")
        return BASE_DIR / named
    for candidate in (BASE_DIR / ".env", demo_file()):
        if candidate.is_file():
            return candidate
    raise EnvError("There are no settings yet: copy .env.example to .env and fill it in, or run `make demo`.")


@cache
def load() -> Env:
    """The variables of this process. Raises EnvError with one line for each that is missing or wrong."""
    path = env_file()
    own_state: dict[str, Any] = {"vitrina_state": str(path.parent)} if is_demo() else {}
    try:
        return Env(_env_file=path, **own_state)
    except ValidationError as error:
        lines = [_sentence(detail) for detail in error.errors()]
        raise EnvError("\n".join([f"Wrong settings in the environment or in {path}:", *lines])) from None


def _sentence(detail: ErrorDetails) -> str:
    name = _field_name(str(detail["loc"][0]))
    field = Env.model_fields[name]
    problem = "is missing" if detail["type"] == "missing" else "is wrong"
    if detail["type"] == "value_error":
        problem = detail["msg"].removeprefix("Value error, ")
    if "Secret" not in str(field.annotation) and detail["type"] != "missing":
        problem += f" (got {detail['input']!r})"
    accepted = field.description or next((m.description for m in field.metadata if hasattr(m, "description")), None)
    return f"- {name.upper()} {problem}. Accepted: {accepted}."


def _field_name(location: str) -> str:
    """The field of an error; an alias leads to its field."""
    name = location.lower()
    return "telegram_bot_token" if name == "bot_token" else name
