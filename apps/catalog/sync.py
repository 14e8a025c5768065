"""Products, brands and prices, as the marketplace lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from apps.catalog.categories import category_ids
from apps.catalog.listing import Listed, listed
from apps.catalog.models import Brand, Product
from apps.catalog.prices import (
    FEES,
    PriceColumns,
    SeenPrice,
    Terms,
    doubt_untold,
    known_better,
    known_terms,
    price_columns,
    record_changes,
)
from apps.common.bulk import Upserted, upsert
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow, unread_ids
from apps.marketplaces.paging import BadRow
from apps.shops.models import Shop

LONGEST_NAME, LONGEST_BRAND, LONGEST_OFFER_ID = 500, 200, 200
KEY = ("shop_id", "external_id")

AtEnd = Callable[[], None]


class Card(NamedTuple):
    """Columns of `Product` that do not come from the price list, in order."""

    offer_id: str
    sku: int | None
    name: str
    brand_id: int | None
    category_id: int | None
    is_archived: bool
    currency: str
    changed_at: datetime | None


ENRICHED = ("sku", "brand_id", "category_id", "changed_at")  # a null from OZON does not erase them


def sync_products(work: Work) -> bool:
    """Products on sale or hidden; the archive is a list of its own, read after this one."""
    return _follow(work, "products", visibility="ALL", steady=True)


def sync_archive(work: Work) -> bool:
    """Archived products, then what has vanished: a product in neither list of this job is archived, never deleted."""
    at_end = partial(_archive_vanished, work)
    return _follow(work, "archived_products", visibility="ARCHIVED", at_end=at_end)


def _follow(work: Work, source: str, *, visibility: str, steady: bool = False, at_end: AtEnd | None = None) -> bool:
    def fetch(cursor: str) -> Iterator[Batch[Listed]]:
        return listed(work.client, visibility=visibility, cursor=cursor)

    return follow(work, Reading(source, fetch, partial(_store, work), at_end, steady=steady))


def _archive_vanished(work: Work) -> None:
    """A row that could not be read is no proof of absence: one without an id spares every product."""
    unread = unread_ids(work.job_run, ("products", "archived_products"))
    if unread is not None:
        vanished = Product.objects.filter(shop=work.shop, is_archived=False, synced_at__lt=work.as_of)
        vanished.exclude(external_id__in=unread).exclude(offer_id__in=unread).update(is_archived=True)


def _store(work: Work, rows: Sequence[Listed]) -> Stored:
    """Cards and prices of a page. A row in other money than the shop's, or older than what is stored, is left out, but
    its product was seen."""
    before = known_terms(work.shop, _ids(rows))
    flaws = [(*_in_other_money(work, index, row), *_old(before, index, row)) for index, row in enumerate(rows)]
    bad_rows = [bad for of_row in flaws for bad in of_row]
    left_out = {bad.id for bad in bad_rows}
    good = [row for row in rows if row.card is not None and str(row.ref.product_id) not in left_out]
    doubt_untold(before, {str(row.ref.product_id): price_columns(row.price) for row in good if row.price})
    written = _write(work, good)
    prices = {external_id: terms["price"] for external_id, terms in before.items()}
    record_changes(work.shop, work.as_of, prices, (SeenPrice(*row) for row in written.rows))
    Product.objects.filter(shop=work.shop, external_id__in=_ids(rows)).update(synced_at=work.as_of)
    return Stored(written.written, bad_rows)


def _write(work: Work, rows: Sequence[Listed]) -> Upserted:
    """Two statements: a product whose price is not known now keeps the price, and everything else of it is written."""
    brands = brand_ids(work.shop, (fit(row.brand, LONGEST_BRAND) for row in rows if row.brand))
    categories = category_ids(work.shop.pk)
    untouched = known_better(work.shop, work.as_of, _ids(rows))
    priced: list[tuple[Any, ...]] = []
    plain: list[tuple[Any, ...]] = []
    for row in rows:
        key = (work.shop.pk, str(row.ref.product_id))
        card = _card(work, row, brands, categories)
        if row.price is None or key[1] in untouched:
            plain.append((*key, *card))
        else:
            priced.append((*key, *card, *price_columns(row.price)))
    columns = (*Card._fields, *PriceColumns._fields)
    return _upsert(plain, Card._fields) + _upsert(priced, columns)


def _upsert(rows: Iterable[tuple[Any, ...]], columns: Sequence[str]) -> Upserted:
    return upsert(
        Product,
        rows,
        key=KEY,
        columns=columns,
        keep_known=(*ENRICHED, *FEES),
        returning=("id", "external_id", "price"),
    )


def _card(work: Work, row: Listed, brands: dict[str, int], categories: dict[str, int]) -> Card:
    card = row.card
    assert card is not None  # noqa: S101 - only such rows get here
    return Card(
        offer_id=fit(row.ref.offer_id, LONGEST_OFFER_ID),
        sku=card.sku or row.ref.sku,
        name=fit(card.name or row.ref.offer_id, LONGEST_NAME),
        brand_id=brands.get(fit(row.brand, LONGEST_BRAND)) if row.brand else None,
        category_id=categories.get(str(card.description_category_id)),
        is_archived=bool(row.ref.archived or card.is_archived),
        currency=work.shop.currency,
        changed_at=card.updated_at,
    )


def brand_ids(shop: Shop, names: Iterable[str]) -> dict[str, int]:
    """Our ids of these brands, by their names; new ones are added."""
    wanted = set(filter(None, names))
    upsert(Brand, ((shop.pk, name) for name in wanted), key=("shop_id", "name"), columns=())
    return dict(Brand.objects.filter(shop=shop, name__in=wanted).values_list("name", "id"))


def _in_other_money(work: Work, index: int, row: Listed) -> Iterator[BadRow]:
    card, price = row.card, row.price
    for currency in {card.currency_code if card else "", price.price.currency_code if price else ""}:
        if currency not in ("", work.shop.currency):
            yield BadRow(index, str(row.ref.product_id), f"in {currency}, the shop's money is {work.shop.currency}")


def _old(before: Mapping[str, Terms], index: int, row: Listed) -> Iterator[BadRow]:
    """A part of the marketplace that lags behind may tell what we know better; `before` is what is stored, by id."""
    stored = before.get(str(row.ref.product_id))
    known, told = stored and stored["changed_at"], row.card.updated_at if row.card else None
    if known and told and told < known:
        yield BadRow(index, str(row.ref.product_id), f"as of {told:%d.%m.%Y %H:%M}, what is stored is newer")


def _ids(rows: Sequence[Listed]) -> list[str]:
    return [str(row.ref.product_id) for row in rows]
