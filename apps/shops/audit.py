"""The audit trail: one row beside each change of price, access, key or switch, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.common.clock import real_now
from apps.shops.models import AuditEntry, Person, Seller, Shop


@dataclass(frozen=True)
class Deed:
    """Something that happened to `subject`; `data` must be JSON."""

    subject: models.Model
    data: dict[str, Any]


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
    name = _name(subject) if isinstance(subject, models.Model) else subject
    return AuditEntry.objects.create(
        at=real_now(),
        action=action,
        actor=actor,
        seller=seller or (shop.seller if shop else None),
        shop=shop,
        subject=name,
        data=data,
    )


def record_each(action: str, deeds: Iterable[Deed], *, actor: Person | None, shop: Shop) -> None:
    """One row per deed, as `record` would write it, in few statements."""
    at = real_now()
    AuditEntry.objects.bulk_create(
        (
            AuditEntry(
                at=at,
                action=action,
                actor=actor,
                seller=shop.seller,
                shop=shop,
                subject=_name(deed.subject),
                data=deed.data,
            )
            for deed in deeds
        ),
        batch_size=2000,
    )


def _name(row: models.Model) -> str:
    return f"{row._meta.label_lower}:{row.pk}"
