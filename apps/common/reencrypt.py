"""Encrypting every stored secret anew with the first of CREDENTIALS_KEYS, so that older keys can go.

A row is changed only while it still holds what was read, one by one: a run that is cut off has lost nothing, and the
next one goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from apps.common.encrypted import SecretField, fernet

Progress = Callable[[SecretField, int, int], None]
"""Told of a column, and how many of how many of its secrets have been looked at."""


@dataclass
class Reencrypted:
    """Secrets that were changed, that had the first key already, and those that no key opens, each in words."""

    changed: int = 0
    fresh: int = 0
    unreadable: list[str] = field(default_factory=list)


def reencrypt(progress: Progress) -> Reencrypted:
    """Go through every encrypted column of the database once."""
    outcome = Reencrypted()
    for column in secret_columns():
        rows = _stored(column)
        total = rows.count()
        for number, (pk, token) in enumerate(rows.values_list("pk", "token").iterator(), start=1):
            _renew(column, pk, token, outcome)
            progress(column, number, total)
    return outcome


def secret_columns() -> Iterator[SecretField]:
    for model in apps.get_models():
        yield from (column for column in model._meta.local_fields if isinstance(column, SecretField))


def _stored(column: SecretField) -> QuerySet[Model]:
    """The rows that hold a secret, with the bare `token`."""
    rows = column.model._default_manager.filter(**{f"{column.name}__isnull": False})
    stored: QuerySet[Model] = rows.annotate(token=Cast(column.name, TextField())).order_by("pk")
    return stored


def _renew(column: SecretField, pk: object, token: str, outcome: Reencrypted) -> None:
    if _opens(settings.CREDENTIALS_KEYS[0], token):
        outcome.fresh += 1
        return
    try:
        renewed = fernet().rotate(token.encode()).decode()
    except InvalidToken:
        row = column.model._default_manager.get(pk=pk)
        outcome.unreadable.append(f"{row._meta.verbose_name} {pk} “{row}”, {column.verbose_name}")
        return
    same = _stored(column).filter(pk=pk, token=token)
    outcome.changed += same.update(**{column.name: Value(renewed, output_field=TextField())})


def _opens(key: str, token: str) -> bool:
    try:
        Fernet(key.encode()).decrypt(token.encode())
    except InvalidToken:
        return False
    return True
