"""Personal tokens: made, known again, and revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from apps.dashboard.models import ApiToken
from apps.shops.audit import record
from apps.shops.models import Member, Person

MARK = "vt_"  # so that a scanner of secrets finds one that has leaked
SHOWN = 10
LONGEST_LIFE = timedelta(days=365)
USE_IS_NOTED_EVERY = timedelta(hours=1)


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


def find_token(text: str, *, now: datetime) -> ApiToken | None:
    """The open token of this text, of somebody whose login is open; its use is noted, to the hour."""
    found = (
        ApiToken.objects.select_related("member__person__user", "member__seller")
        .filter(digest=_digest(text), revoked_at=None, expires_at__gt=now, member__person__user__is_active=True)
        .first()
    )
    if found and (found.used_at is None or found.used_at <= now - USE_IS_NOTED_EVERY):
        stale = Q(used_at=None) | Q(used_at__lte=now - USE_IS_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=found.pk).update(used_at=now)
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
