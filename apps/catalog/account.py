"""What the marketplace says of the shop's own account: until when the key lives, and in which money it sells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.jobs.sync_runs import Batch, Doubtful, Reading, Stored, Work, follow
from apps.shops.clients import note_success
from apps.shops.models import Credential


@dataclass(frozen=True)
class Account:
    key_expires_at: datetime
    currency: str


def sync_account(work: Work) -> bool:
    """Check the key and the currency before anything else is read: rows in other money could only be thrown away."""

    def fetch(cursor: str) -> Iterator[Batch[Account]]:
        account = Account(work.client.roles().expires_at, work.client.seller_info().company.currency)
        if account.currency and account.currency != work.shop.currency:
            raise Doubtful(f"the account sells in {account.currency}, the shop is set to {work.shop.currency}")
        yield Batch((account,), (), received=1, cursor="", last=True, announced=None)

    def store(rows: Sequence[Account]) -> Stored:
        keys = Credential.objects.filter(shop=work.shop, api=Credential.Api.OZON_SELLER)
        written = keys.exclude(expires_at=rows[0].key_expires_at).update(expires_at=rows[0].key_expires_at)
        note_success(work.shop, Credential.Api.OZON_SELLER)
        return Stored(written)

    return follow(work, Reading("account", fetch, store))
