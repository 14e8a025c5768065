"""A fresh file of variables: `.env.example` with random keys filled in.

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

from config.env import BASE_DIR


def write_env(path: Path, values: Mapping[str, str] | None = None) -> None:
    """Create `path`, readable by its owner only. An existing file stays as it is, so that its keys last.

    Raises KeyError for a variable that `.env.example` does not have.
    """
    if path.exists():
        return
    filled = {"SECRET_KEY": secrets.token_urlsafe(50), "CREDENTIALS_KEYS": Fernet.generate_key().decode()}
    filled |= values or {}
    text = (BASE_DIR / ".env.example").read_text()
    for name, value in filled.items():
        text, found = re.subn(rf"^{name}=.*$", lambda _, line=f"{name}={value}": line, text, flags=re.MULTILINE)
        if not found:
            raise KeyError(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


if __name__ == "__main__":
    write_env(Path(sys.argv[1]), dict(argument.split("=", 1) for argument in sys.argv[2:]))
