"""Personal tokens: made, known again, and revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.models import Q

from apps.dashboard.models import ApiToken
from apps.shops.audit import record
from apps.shops.models import Member, Person, Seller, Shop

MARK = "vt_"  # so that a scanner of secrets finds one that has leaked
SHOWN = 10
LONGEST_LIFE = timedelta(days=365)
USE_IS_NOTED_EVERY = timedelta(hours=1)
WHO_SHOWS = Path(__file__).with_name("token.sql").read_text()


@transaction.atomic
def issue_token(*, member: Member, name: str, scope: str, life: timedelta, now: datetime) -> tuple[ApiToken, str]:
    """A token and its text, which is told this once. `now` is real time. Raises ValueError for too long a life."""
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise ValueError(f"a token lives at most {LONGEST_LIFE.days} days")
    text = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        member=member,
        name=name,
        prefix=text[:SHOWN],
        digest=_digest(text),
        scope=scope,
        created_at=now,
        expires_at=now + life,
    )
    record(
        "api_token.issued",
        actor=member.person,
        seller=member.seller,
        subject=token,
        name=name,
        scope=scope,
        expires_at=token.expires_at.isoformat(),
    )
    return token, text


@transaction.atomic
def revoke_token(*, token: ApiToken, by: Person | None, now: datetime) -> None:
    """End a token from now on. Twice does no harm. `now` is real time."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        record("api_token.revoked", actor=by, seller=token.member.seller, subject=token, name=token.name)


@dataclass(frozen=True)
class Shown:
    """A token that was shown, with its member, person and seller, and the seller's shops by number.

    Of these rows no more is there than the columns that `token.sql` reads.
    """

    token: ApiToken
    shops: tuple[Shop, ...]


def find_token(text: str, *, now: datetime) -> Shown | None:
    """The open token of this text, of somebody whose login is open; its use is noted, to the hour."""
    row = _row_of(_digest(text), now)
    if row is None:
        return None
    shown = _shown(row)
    if shown.token.used_at is None or shown.token.used_at <= now - USE_IS_NOTED_EVERY:
        stale = Q(used_at=None) | Q(used_at__lte=now - USE_IS_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=shown.token.pk).update(used_at=now)
    return shown


def _row_of(digest: str, now: datetime) -> tuple[Any, ...] | None:
    """Planning this statement takes longer than its answer: each connection prepares it once."""
    with connection.cursor() as kept, connection.wrap_database_errors, psycopg.Cursor(kept.connection) as cursor:
        return cursor.execute(WHO_SHOWS, {"digest": digest, "now": now}, prepare=True).fetchone()


def _shown(row: tuple[Any, ...]) -> Shown:
    token, scope, used_at, member, role, seller, active_shop, person, language, shops = row
    whose = Member(
        pk=member,
        role=role,
        seller=Seller(pk=seller),
        active_shop_id=active_shop,
        person=Person(pk=person, language=language),
    )
    return Shown(
        ApiToken(pk=token, scope=scope, used_at=used_at, member=whose),
        tuple(
            Shop(pk=pk, seller_id=seller, currency=currency, timezone=timezone, is_active=is_active)
            for pk, currency, timezone, is_active in shops
        ),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
