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
    """The person whose code this is, now tied to `telegram_id`; saying the code twice does no harm. `now` is real time.

    Raises `Refused` in words that reveal nothing of the code.
    """
    if _is_guessing(telegram_id, now):
        raise Refused(_("Too many wrong codes. Try again in a quarter of an hour."))
    person = _link(code, telegram_id, now)
    if person is None:
        record(FAILED, subject=f"telegram:{telegram_id}")
        raise Refused(_("This code is wrong, used or expired. Ask for a new one in the admin, under People."))
    return person


@transaction.atomic
def _link(code: str, telegram_id: int, now: datetime) -> Person | None:
    held = LinkCode.objects.select_for_update(of=("self",)).select_related("person__user", "person__active_seller")
    found = held.filter(digest=_digest(code)).first()
    if found is None or not found.person.user.is_active:
        return None
    person: Person = found.person
    if found.used_at is not None or found.expires_at <= now:
        return person if found.used_at and person.telegram_id == telegram_id else None
    LinkCode.objects.filter(pk=found.pk).update(used_at=now)
    Person.objects.filter(telegram_id=telegram_id).exclude(pk=person.pk).update(telegram_id=None)
    Person.objects.filter(pk=person.pk).update(telegram_id=telegram_id)
    person.telegram_id = telegram_id
    record("telegram.linked", actor=person, seller=person.active_seller, subject=person)
    return person


def _is_guessing(telegram_id: int, now: datetime) -> bool:
    tries = AuditEntry.objects.filter(action=FAILED, subject=f"telegram:{telegram_id}", at__gt=now - ATTEMPTS_WINDOW)
    return tries.count() >= MAX_ATTEMPTS


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().encode()).hexdigest()
