"""The audit trail: one row beside each change of price, access, key or switch, in the same transaction."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.common.clock import real_now
from apps.shops.models import AuditEntry, Person, Seller, Shop


def record(
    action: str,
    *,
    actor: Person | None = None,
    seller: Seller | None = None,
    shop: Shop | None = None,
    subject: models.Model | str = "",
    **data: Any,
) -> AuditEntry:
    """Write that `action` (a dotted name such as "proposal.approved") happened; `data` must be JSON."""
    name = f"{subject._meta.label_lower}:{subject.pk}" if isinstance(subject, models.Model) else subject
    return AuditEntry.objects.create(
        at=real_now(),
        action=action,
        actor=actor,
        seller=seller or (shop.seller if shop else None),
        shop=shop,
        subject=name,
        data=data,
    )
