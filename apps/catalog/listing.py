"""Products as OZON lists them: each line of the list with its card, its brand and its price beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from apps.jobs.sync_runs import Batch, Doubtful
from apps.marketplaces.ozon_seller import schemas
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.paging import BadRow, Page


class OfProduct(Protocol):
    @property
    def product_id(self) -> int: ...


Detail = TypeVar("Detail", bound=OfProduct)


@dataclass(frozen=True)
class Listed:
    """One product. `card`, `brand` and `price` are None where OZON gave none, or one that could not be read."""

    ref: schemas.ProductRef
    card: schemas.Product | None
    brand: str | None
    price: schemas.ProductPrice | None


def listed(client: OzonSeller, *, visibility: str, cursor: str) -> Iterator[Batch[Listed]]:
    """The list from `cursor` on. Raises `Doubtful` when OZON lists a product and then does not know it."""
    for page in client.products(visibility=visibility, cursor=cursor):
        yield _with_details(client, page)


def _with_details(client: OzonSeller, page: Page[schemas.ProductRef]) -> Batch[Listed]:
    ids = [ref.product_id for ref in page.rows]
    bad_rows = list(page.bad_rows)
    cards: dict[int, schemas.Product] = {}
    brands: dict[int, schemas.ProductAttributes] = {}
    prices: dict[int, schemas.ProductPrice] = {}
    if ids:
        cards = _by_product(client.product_info(ids), bad_rows)
        unread = len(bad_rows) - len(page.bad_rows)
        if len(cards) + unread < len(set(ids)):
            raise Doubtful(f"{len(cards)} cards came for {len(set(ids))} listed products")
        brands = _by_product(client.attributes(ids), bad_rows)
        prices = _by_product(client.prices(product_ids=ids), bad_rows)
    rows = [
        Listed(
            ref=ref,
            card=cards.get(ref.product_id),
            brand=brands[ref.product_id].brand if ref.product_id in brands else None,
            price=prices.get(ref.product_id),
        )
        for ref in page.rows
    ]
    return Batch(rows, bad_rows, page.received, page.cursor, page.last, page.announced)


def _by_product(pages: Iterable[Page[Detail]], bad_rows: list[BadRow]) -> dict[int, Detail]:
    found: dict[int, Detail] = {}
    for page in pages:
        found |= {row.product_id: row for row in page.rows}
        bad_rows += page.bad_rows
    return found
