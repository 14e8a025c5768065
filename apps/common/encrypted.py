"""Secrets at rest: Fernet tokens in the database, `Secret` in memory, never in a repr."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class Secret:
    """A text that shows itself only when asked by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself. A secret from the database raises `UnreadableSecret` where no key opens it."""
        return self._value

    @property
    def masked(self) -> str:
        """The last four characters of a long secret, for a person to recognise it."""
        value = self.reveal()
        return f"••••{value[-4:]}" if len(value) >= 12 else "••••"

    def __repr__(self) -> str:
        return "Secret(••••)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash(self.reveal())


class SealedSecret(Secret):
    """A secret as it lies in the database, opened when it is asked for: one lost key spoils no list of many."""

    __slots__ = ("_column",)

    def __init__(self, token: str, column: str) -> None:
        super().__init__(token)
        self._column = column

    def reveal(self) -> str:
        try:
            return fernet().decrypt(self._value.encode()).decode()
        except InvalidToken as error:
            raise UnreadableSecret(f"{self._column} cannot be opened with the keys in CREDENTIALS_KEYS") from error


class UnreadableSecret(Exception):
    """None of the keys in CREDENTIALS_KEYS opens a stored secret."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.encode()) for key in keys])


def fernet() -> MultiFernet:
    """The first of the settings' keys encrypts, all of them decrypt."""
    return _fernet(tuple(settings.CREDENTIALS_KEYS))


class SecretField(models.TextField):
    """A column that holds a Fernet token and reads as `Secret`."""

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        text = value.reveal() if isinstance(value, Secret) else str(value)
        return fernet().encrypt(text.encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret | None:
        return None if value is None else SealedSecret(value, f"{self.model._meta.label}.{self.name}")

    def to_python(self, value: Any) -> Secret | None:
        return value if value is None or isinstance(value, Secret) else Secret(str(value))

    def value_to_string(self, obj: models.Model) -> str:
        return "••••"
