"""A CRM's catalogue: its variants are our products, the product that a variant belongs to is the family.

Variants come first, with prices and names; then the products say of their families what they are: brand, category,
archived or not. What a shop calls the brand is one of its custom fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from apps.catalog.categories import category_ids
from apps.catalog.models import Category, Product
from apps.catalog.prices import SeenPrice, record_changes
from apps.catalog.sync import LONGEST_BRAND, LONGEST_NAME, LONGEST_OFFER_ID, brand_ids
from apps.common.bulk import upsert
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow_daily, unread_ids
from apps.marketplaces.keycrm import schemas
from apps.marketplaces.keycrm.client import KeyCrm
from apps.marketplaces.paging import Model, Page
from apps.shops.models import CrmRules

KEY = ("shop_id", "external_id")
PAGES_AT_ONCE = 10  # of 50 rows


class Variant(NamedTuple):
    """Columns of `Product` that come with the variant, in order."""

    offer_id: str
    family: str
    name: str
    currency: str
    price: Decimal | None


class FamilyTraits(NamedTuple):
    """Columns that come with the product."""

    brand_id: int | None
    category_id: int | None
    is_archived: bool


def sync_crm_categories(work: Work[KeyCrm]) -> bool:
    """The tree, read whole: a parent may come after its children."""

    def store(rows: Sequence[schemas.Category]) -> Stored:
        shop_id = work.shop.pk
        named = [(shop_id, str(row.category_id), fit(row.name, LONGEST_NAME)) for row in rows]
        written = upsert(Category, named, key=KEY, columns=("name",)).written
        ids = category_ids(shop_id)
        placed = [(*name, ids.get(str(row.parent_id))) for name, row in zip(named, rows, strict=True)]
        return Stored(written + upsert(Category, placed, key=KEY, columns=("name", "parent_id")).updated)

    def fetch(cursor: str) -> Iterator[Batch[schemas.Category]]:
        return Batch.joined(work.client.categories(cursor=cursor), most=1_000)

    return follow_daily(work, Reading("categories", fetch, store))


def sync_offers(work: Work[KeyCrm]) -> bool:
    reading = Reading(
        "offers",
        _several(work.client.offers),
        partial(_store_offers, work),
        partial(_archive_vanished, work),
        steady=True,
    )
    return follow_daily(work, reading)


def sync_families(work: Work[KeyCrm]) -> bool:
    """After the variants, whose rows it completes."""
    return follow_daily(work, Reading("families", _several(work.client.products), partial(_store_families, work)))


def _several(pages: Callable[..., Iterable[Page[Model]]]) -> Callable[[str], Iterator[Batch[Model]]]:
    return lambda cursor: Batch.joined(pages(cursor=cursor), most=PAGES_AT_ONCE)


def _store_offers(work: Work[KeyCrm], rows: Sequence[schemas.Offer]) -> Stored:
    shop = work.shop
    external_ids = [str(row.offer_id) for row in rows]
    stored = Product.objects.filter(shop=shop, external_id__in=external_ids)
    before = dict(stored.values_list("external_id", "price"))
    written = upsert(
        Product,
        ((shop.pk, str(row.offer_id), *_variant(work, row), False) for row in rows),
        key=KEY,
        columns=(*Variant._fields, "is_archived"),
        keep_known=("price",),
        returning=("id", "external_id", "price"),
    )
    record_changes(shop, work.as_of, before, (SeenPrice(*row) for row in written.rows))
    stored.update(synced_at=work.as_of)
    return Stored(written.written)


def _variant(work: Work[KeyCrm], row: schemas.Offer) -> Variant:
    product = row.product
    traits = [one.value for one in row.properties if one.value]
    name = ", ".join([product.name if product and product.name else row.sku, *traits])
    currency = product.currency_code if product and product.currency_code else work.shop.currency
    return Variant(
        offer_id=fit(row.sku or str(row.offer_id), LONGEST_OFFER_ID),
        family=str(row.product_id),
        name=fit(name, LONGEST_NAME),
        currency=currency,
        price=row.price or None,
    )


def _store_families(work: Work[KeyCrm], rows: Sequence[schemas.Product]) -> Stored:
    field = brand_field(work)
    brands = {row.product_id: fit(row.field(field), LONGEST_BRAND) for row in rows}
    ids, categories = brand_ids(work.shop, brands.values()), category_ids(work.shop.pk)
    traits = {
        str(row.product_id): FamilyTraits(
            ids.get(brands[row.product_id]), categories.get(str(row.category_id)), bool(row.is_archived)
        )
        for row in rows
    }
    variants = Product.objects.filter(shop=work.shop, family__in=traits)
    placed = variants.values_list("external_id", "family", "offer_id", "name", "currency")
    wanted = [
        (work.shop.pk, external_id, *traits[family], *named) for external_id, family, *named in placed
    ]  # the last three only because a row that were new would need them
    columns = (*FamilyTraits._fields, "offer_id", "name", "currency")
    return Stored(upsert(Product, wanted, key=KEY, columns=columns, keep_known=("brand_id",)).written)


def brand_field(work: Work[KeyCrm]) -> str:
    """What the shop calls the custom field of the brand: its uuid, or its name."""
    rules = CrmRules.objects.filter(shop=work.shop).first()
    return rules.brand_field if rules else ""


def _archive_vanished(work: Work[KeyCrm]) -> None:
    """A row that could not be read is no proof of absence: one without an id spares every product."""
    unread = unread_ids(work.job_run, ("offers",))
    if unread is not None:
        vanished = Product.objects.filter(shop=work.shop, is_archived=False, synced_at__lt=work.as_of)
        vanished.exclude(external_id__in=unread).update(is_archived=True)
