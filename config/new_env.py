"""Fresh files of variables: `.env.example` with random keys filled in.

python -m config.new_env PATH [NAME=VALUE ...]
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from config.env import BASE_DIR, demo_file


def write_env(path: Path, values: Mapping[str, str] | None = None) -> None:
    """Create `path` unless it exists, so that its keys last. Raises KeyError for an unknown variable."""
    if not path.exists():
        keys = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
            "POSTGRES_PASSWORD": secrets.token_hex(16),
            "REDIS_PASSWORD": secrets.token_hex(16),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        _save(path, (BASE_DIR / ".env.example").read_text(), keys | dict(values or {}))


def update_env(path: Path, values: Mapping[str, str]) -> None:
    """Give variables of an existing file other values; one that an older release did not know is added to it.

    Raises KeyError for an unknown variable.
    """
    text = f"{path.read_text().rstrip()}\n"  # whoever edited it by hand may have left its last line open
    missing = [f"{name}=\n" for name in values if _is_known(name) and not _named(name, text)]
    _save(path, text + "".join(missing), values)


def demo_env() -> Path:
    """The demo's file, written on its first start: random secrets, short waits, nothing of a real shop."""
    path = demo_file()
    keys = {
        "OZON_CLIENT_ID": "100001",
        "OZON_API_KEY": secrets.token_urlsafe(24),
        "KEYCRM_API_KEY": secrets.token_urlsafe(24),
        "ADMIN_USERNAME": "demo",
        "ADMIN_USER_IDS": "1001",
        "ADMIN_PASSWORD": secrets.token_urlsafe(9),
        "FLOWER_USER": "demo",
        "FLOWER_PASSWORD": secrets.token_urlsafe(9),
        "TELEGRAM_BOT_TOKEN": f"{secrets.randbelow(10**9)}:{secrets.token_urlsafe(26)}",
        "TELEGRAM_WEBHOOK_SECRET": secrets.token_urlsafe(32),
    }
    waits = {"LOG_LEVEL": "WARNING", "SETTLE_SECONDS": "0.5", "SOFT_SHUTDOWN_SECONDS": "2"}
    write_env(path, keys | waits)
    update_env(path, {name: keys[name] for name in _empty(path) if name in keys})  # of a file from an older release
    return path


def _empty(path: Path) -> list[str]:
    return re.findall(r"^(\w+)=$", path.read_text(), re.MULTILINE)


def _is_known(name: str) -> bool:
    return _named(name, (BASE_DIR / ".env.example").read_text()) is not None


def _named(name: str, text: str) -> re.Match[str] | None:
    """The line that gives the variable its value."""
    return re.search(rf"^{name}=.*$", text, re.MULTILINE)


def _save(path: Path, text: str, values: Mapping[str, str]) -> None:
    """Replace the file at once, readable by its owner only."""
    for name, value in values.items():
        found = _named(name, text)
        if not found:
            raise KeyError(name)
        text = f"{text[: found.start()]}{name}={value}{text[found.end() :]}"
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


if __name__ == "__main__":
    write_env(Path(sys.argv[1]), dict(argument.split("=", 1) for argument in sys.argv[2:]))
