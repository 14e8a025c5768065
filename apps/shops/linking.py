"""Tying a Telegram user to a person: a one-time code, given in the admin, said to the bot."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.common.errors import Refused
from apps.shops.audit import record
from apps.shops.models import AuditEntry, LinkCode, Person

CODE_LIFE = timedelta(hours=24)
MAX_ATTEMPTS, ATTEMPTS_WINDOW = 5, timedelta(minutes=15)
FAILED = "telegram.link_failed"


@transaction.atomic
def issue_code(*, person: Person, by: Person | None, now: datetime) -> str:
    """A fresh code, shown once; earlier ones of the person end. `now` is real time."""
    code = secrets.token_urlsafe(9)
    person.link_codes.filter(used_at=None).update(used_at=now)
    LinkCode.objects.create(person=person, digest=_digest(code), expires_at=now + CODE_LIFE)
    record("telegram.code_issued", actor=by, seller=person.active_seller, subject=person)
    return code


def link(*, code: str, telegram_id: int, now: datetime) -> Person:
    """The person whose code this is, now tied to `telegram_id`. Raises `Refused` in words that reveal nothing else."""
    with transaction.atomic():
        found = _claim(code, telegram_id, now)
        if found is None:
            record(FAILED, subject=f"telegram:{telegram_id}")
        else:
            Person.objects.filter(telegram_id=telegram_id).exclude(pk=found.pk).update(telegram_id=None)
            Person.objects.filter(pk=found.pk).update(telegram_id=telegram_id)
            found.telegram_id = telegram_id
            record("telegram.linked", actor=found, seller=found.active_seller, subject=found)
    if found is None:
        raise Refused(_("This code is wrong, used or expired. Ask for a new one in the admin, under People."))
    return found


def _claim(code: str, telegram_id: int, now: datetime) -> Person | None:
    if _is_guessing(telegram_id, now):
        return None
    unused = LinkCode.objects.filter(digest=_digest(code), used_at=None, expires_at__gt=now)
    if not unused.update(used_at=now):
        return None
    return Person.objects.select_related("user", "active_seller").get(link_codes__digest=_digest(code))


def _is_guessing(telegram_id: int, now: datetime) -> bool:
    tries = AuditEntry.objects.filter(action=FAILED, subject=f"telegram:{telegram_id}", at__gt=now - ATTEMPTS_WINDOW)
    return tries.count() >= MAX_ATTEMPTS


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().encode()).hexdigest()
