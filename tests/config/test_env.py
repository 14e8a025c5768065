"""The reader of variables: what is wrong is named, and nothing starts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config import env, new_env
from config.env import BASE_DIR, Env, EnvError

NEEDED = {"SECRET_KEY": "s" * 50, "CREDENTIALS_KEYS": Fernet.generate_key().decode()}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that holds what is needed and nothing else."""
    for name in [*Env.model_fields, "BOT_TOKEN"]:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VITRINA_ENV", os.devnull)
    return monkeypatch


def read() -> Env:
    return env.load.__wrapped__()


def test_it_starts_with_the_two_keys_alone(variables: pytest.MonkeyPatch) -> None:
    read_values = read()
    assert read_values.timezone == "Europe/Moscow"
    assert read_values.default_language == "ru"
    assert read_values.ozon_api_url == "https://api-seller.ozon.ru"
    assert read_values.database_url is None


def test_it_names_each_missing_variable_and_what_it_accepts(variables: pytest.MonkeyPatch) -> None:
    variables.delenv("SECRET_KEY")
    variables.delenv("CREDENTIALS_KEYS")
    with pytest.raises(EnvError) as refusal:
        read()
    assert "SECRET_KEY is missing. Accepted: at least 50 random characters." in str(refusal.value)
    assert "CREDENTIALS_KEYS is missing. Accepted: comma-separated Fernet keys" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("SECRET_KEY", "short", "at least 50 random characters"),
        ("CREDENTIALS_KEYS", "not-a-key", "Fernet keys"),
        ("DATABASE_URL", "mysql://u:p@h/d", "postgres://, postgresql://, postgresql+asyncpg://"),
        ("DATABASE_URL", "postgres://u:p@h/", "a database's name"),
        ("REDIS_URL", "amqp://h", "redis://, rediss://, unix://"),
        ("DASHBOARD_URL", "shop.example.com", "https://shop.example.com"),
        ("TIMEZONE", "Mars/Base", "Europe/Moscow"),
        ("DEFAULT_LANGUAGE", "fr", "ru, uk or en"),
        ("LOG_LEVEL", "chatty", "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("DEBUG", "maybe", "true or false"),
        ("ADMIN_USER_IDS", "1,anna", "Telegram user ids"),
        ("TELEGRAM_ADMIN_CHAT_ID", "anna", "a whole number"),
        ("TELEGRAM_BOT_TOKEN", "no-token", "123456:AbC"),
        ("BOT_TOKEN", "no-token", "123456:AbC"),
        ("TELEGRAM_WEBHOOK_SECRET", "short", "32 to 256"),
        ("WEB_PORT", "70000", "a port from 1 to 65535"),
        ("SETTLE_SECONDS", "0", "a number of seconds above 0"),
        ("PROCESS_ROLE", "cook", "web, bot, worker"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(
    variables: pytest.MonkeyPatch, name: str, value: str, accepted: str
) -> None:
    variables.setenv(name, value)
    with pytest.raises(EnvError) as refusal:
        read()
    (line,) = [line for line in str(refusal.value).splitlines() if line.startswith("- ")]
    assert line.startswith(f"- {name.replace('BOT_TOKEN', 'TELEGRAM_BOT_TOKEN') if name == 'BOT_TOKEN' else name} ")
    assert accepted in line


@pytest.mark.parametrize("name", ["SECRET_KEY", "CREDENTIALS_KEYS", "DATABASE_URL", "TELEGRAM_BOT_TOKEN"])
def test_a_refusal_never_shows_a_secret(variables: pytest.MonkeyPatch, name: str) -> None:
    variables.setenv(name, "canary-value")
    with pytest.raises(EnvError) as refusal:
        read()
    assert name in str(refusal.value)
    assert "canary-value" not in str(refusal.value)


def test_secrets_are_masked_in_its_repr(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("DATABASE_URL", "postgres://anna:canary-word@db/shop")
    variables.setenv("OZON_CLIENT_ID", "1")
    variables.setenv("OZON_API_KEY", "canary-key")
    read_values = read()
    assert "canary" not in repr(read_values)
    assert NEEDED["CREDENTIALS_KEYS"] not in repr(read_values)
    assert {"canary-key", "canary-word", *NEEDED.values()} <= set(read_values.secrets())


def test_a_webhook_needs_its_secret(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("TELEGRAM_WEBHOOK_URL", "https://shop.example.com/telegram")
    with pytest.raises(EnvError, match="TELEGRAM_WEBHOOK_SECRET is missing"):
        read()
    variables.setenv("TELEGRAM_WEBHOOK_SECRET", "a_-9" * 8)
    assert read().telegram_webhook_url == "https://shop.example.com/telegram"


@pytest.mark.parametrize("lone", ["OZON_CLIENT_ID", "OZON_API_KEY", "FLOWER_USER", "ADMIN_PASSWORD"])
def test_a_pair_comes_together_or_not_at_all(variables: pytest.MonkeyPatch, lone: str) -> None:
    variables.setenv(lone, "half")
    with pytest.raises(EnvError, match="must be given together"):
        read()


def test_the_older_name_of_the_bots_token_is_read(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("BOT_TOKEN", "12:abc")
    assert read().telegram_bot_token.get_secret_value() == "12:abc"


def test_lists_are_comma_separated(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("ADMIN_USER_IDS", "7, 8,")
    variables.setenv("ALLOWED_HOSTS", "a.example.com,b.example.com")
    assert read().admin_user_ids == (7, 8)
    assert read().allowed_hosts == ("a.example.com", "b.example.com")


def test_the_environment_wins_over_the_file_and_an_empty_value_is_none(
    variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "shop.env"
    file.write_text("TIMEZONE=Europe/Kyiv\nDEFAULT_LANGUAGE=uk\nLOG_LEVEL=\n")
    variables.setenv("VITRINA_ENV", str(file))
    variables.setenv("TIMEZONE", "Europe/Samara")
    variables.setenv("DEFAULT_LANGUAGE", "")
    assert (read().timezone, read().default_language, read().log_level) == ("Europe/Samara", "uk", "INFO")


def test_a_named_file_that_is_not_there_is_refused(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("VITRINA_ENV", "/nowhere/shop.env")
    with pytest.raises(EnvError, match=r"VITRINA_ENV is wrong: the file /nowhere/shop.env does not exist"):
        read()


def test_the_files_are_looked_for_in_order(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    variables.delenv("VITRINA_ENV")
    variables.setattr(env, "BASE_DIR", tmp_path)
    variables.setenv("VITRINA_STATE", "state")
    with pytest.raises(EnvError, match=r"copy \.env\.example to \.env and fill it in, or run `make demo`"):
        env.env_file()
    demo = tmp_path / "state" / "demo" / "demo.env"
    demo.parent.mkdir(parents=True)
    demo.touch()
    assert env.env_file() == demo
    assert env.is_demo()
    (tmp_path / ".env").touch()
    assert env.env_file() == tmp_path / ".env"
    assert not env.is_demo()


def test_the_demo_has_a_state_of_its_own_inside(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It empties its servers, which must never be those of a real shop, whatever VITRINA_STATE says."""
    variables.setenv("VITRINA_STATE", str(tmp_path))
    file = new_env.demo_env()
    variables.setenv("VITRINA_ENV", str(file))
    assert Path(read().vitrina_state) == tmp_path / "demo" == file.parent
    variables.setenv("VITRINA_STATE", str(tmp_path / "demo"))  # as a process of the demo has it
    assert Path(read().vitrina_state) == tmp_path / "demo"


def test_a_demo_of_an_older_release_gets_the_keys_that_it_lacks_and_keeps_the_others(
    variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variables.setenv("VITRINA_STATE", str(tmp_path))
    file = new_env.demo_env()
    variables.setenv("VITRINA_ENV", str(file))
    before = read()
    new_env.update_env(file, {"KEYCRM_API_KEY": "", "LOG_LEVEL": "ERROR"})
    new_env.demo_env()
    after = read()
    assert after.keycrm_api_key.get_secret_value()
    assert (after.ozon_api_key, after.admin_password, after.log_level) == (
        before.ozon_api_key, before.admin_password, "ERROR",
    )  # fmt: skip


def test_a_variable_that_an_older_file_lacks_is_added_to_it(tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    new_env.write_env(file, {"LATER_SECONDS": "60"})
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("CHAT_SECONDS=")) + "LAST=1")
    new_env.update_env(file, {"CHAT_SECONDS": "0.01"})
    text = file.read_text()
    assert "\nLAST=1\nCHAT_SECONDS=0.01\n" in text
    assert "\nLATER_SECONDS=60\n" in text
    with pytest.raises(KeyError, match="CHAT_SECOND"):
        new_env.update_env(file, {"CHAT_SECOND": "1"})
    assert file.read_text() == text


def test_a_command_with_a_wrong_variable_says_so_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "check"],
        env=os.environ | {"TIMEZONE": "Mars/Base"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "TIMEZONE is not a time zone (got 'Mars/Base')" in done.stderr
    assert "Traceback" not in done.stderr


def example_names() -> list[str]:
    return re.findall(r"^([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.MULTILINE)


def test_the_example_holds_every_variable_once() -> None:
    for_compose = ["POSTGRES_PASSWORD", "REDIS_PASSWORD"]
    assert sorted(example_names()) == sorted([*(name.upper() for name in Env.model_fields), *for_compose])


def test_the_example_shows_the_defaults(variables: pytest.MonkeyPatch) -> None:
    default = read()
    variables.setenv("VITRINA_ENV", str(BASE_DIR / ".env.example"))
    assert read() == default


def test_a_new_file_has_keys_of_its_own_and_lasts(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NEEDED:
        variables.delenv(name)
    first, second = tmp_path / "new" / "first.env", tmp_path / "second.env"
    new_env.write_env(first, {"TIMEZONE": "Europe/Kyiv"})
    new_env.write_env(second)
    variables.setenv("VITRINA_ENV", str(first))
    assert read().timezone == "Europe/Kyiv"
    assert first.stat().st_mode & 0o777 == 0o600
    kept = first.read_text()
    assert kept.split("CREDENTIALS_KEYS=")[1][:44] != second.read_text().split("CREDENTIALS_KEYS=")[1][:44]
    new_env.write_env(first, {"TIMEZONE": "Europe/Moscow"})
    assert first.read_text() == kept


def test_a_new_file_refuses_a_variable_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="OZON_KEY"):
        new_env.write_env(tmp_path / "x.env", {"OZON_KEY": "1"})
