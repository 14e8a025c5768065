"""What the marketplace says of the shop's own account: what its key may do, and in which money it sells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apps.jobs.sync_runs import Batch, Doubtful, Reading, Stored, Work, follow
from apps.marketplaces.ozon_seller.schemas import Company


def sync_account(work: Work) -> bool:
    """Check the key and the currency before anything else is read: rows in other money could only be thrown away."""

    def fetch(cursor: str) -> Iterator[Batch[Company]]:
        work.client.roles()  # its client writes down what is said of the key
        company = work.client.seller_info().company
        if company.currency and company.currency != work.shop.currency:
            raise Doubtful(f"the account sells in {company.currency}, the shop is set to {work.shop.currency}")
        yield Batch((company,), (), received=1, cursor="", last=True, announced=None)

    def store(rows: Sequence[Company]) -> Stored:
        return Stored(written=0)

    return follow(work, Reading("account", fetch, store))
