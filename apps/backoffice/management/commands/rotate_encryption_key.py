"""`manage.py rotate_encryption_key`: all stored secrets under the first of CREDENTIALS_KEYS."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common.encrypted import SecretField
from apps.common.reencrypt import Reencrypted, reencrypt
from apps.shops.audit import record

TOLD_EVERY = 100


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret anew with the first key of CREDENTIALS_KEYS. Put a new key first, keep the old "
        "ones behind it, restart, then run this; it can be stopped and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = reencrypt(self._show)
        record("credential.reencrypted", changed=outcome.changed, unreadable=outcome.unreadable)
        self.stdout.write(f"{outcome.changed} encrypted anew, {outcome.fresh} had the first key already.")
        if outcome.unreadable:
            raise CommandError(_lost(outcome))
        self.stdout.write(_removable())

    def _show(self, column: SecretField, number: int, total: int) -> None:
        if number % TOLD_EVERY == 0 or number == total:
            self.stdout.write(f"{column.model._meta.label}.{column.name}: {number} of {total}")


def _lost(outcome: Reencrypted) -> str:
    lines = "\n".join(f"- {one}" for one in outcome.unreadable)
    return (
        f"No key in CREDENTIALS_KEYS opens these:\n{lines}\n"
        "Add the key they were encrypted with and run this again, or enter them anew in the admin. Until then remove "
        "no key."
    )


def _removable() -> str:
    old = len(settings.CREDENTIALS_KEYS) - 1
    if not old:
        return "CREDENTIALS_KEYS has one key, and it is in use."
    which = "number 2" if old == 1 else f"numbers 2 to {old + 1}"
    return f"Nothing needs the old keys any more: {which} of CREDENTIALS_KEYS may be removed, then restart."
