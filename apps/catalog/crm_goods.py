"""A CRM's catalogue: its variants are our products, the product that a variant belongs to is the family.

Variants come first, with prices and names; then the products say of their families what they are: brand, category,
archived or not. What a shop calls the brand is one of its custom fields. A product without variants, of which the list
of variants tells nothing, is stored like one with a single variant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from django.db.models import QuerySet

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
ALONE = "product-"
"""Stands before the id of a product without variants, which is no variant's id."""


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
    reading = Reading(
        "families",
        _several(work.client.products),
        partial(_store_families, work),
        partial(_archive_vanished_alone, work),
        steady=True,
    )
    return follow_daily(work, reading)


def _several(pages: Callable[..., Iterable[Page[Model]]]) -> Callable[[str], Iterator[Batch[Model]]]:
    return lambda cursor: Batch.joined(pages(cursor=cursor), most=PAGES_AT_ONCE)


def _store_offers(work: Work[KeyCrm], rows: Sequence[schemas.Offer]) -> Stored:
    return Stored(_store_variants(work, {str(row.offer_id): _variant(work, row) for row in rows}))


def _store_variants(work: Work[KeyCrm], variants: Mapping[str, Variant]) -> int:
    """By their ids; whether one is archived, its family says. Returns how many rows were written."""
    shop = work.shop
    stored = Product.objects.filter(shop=shop, external_id__in=variants)
    before = dict(stored.values_list("external_id", "price"))
    archived = set(stored.filter(is_archived=True).values_list("external_id", flat=True))
    written = upsert(
        Product,
        ((shop.pk, key, *variant, key in archived) for key, variant in variants.items()),
        key=KEY,
        columns=(*Variant._fields, "is_archived"),
        keep_known=("price",),
        returning=("id", "external_id", "price"),
    )
    record_changes(shop, work.as_of, before, (SeenPrice(*row) for row in written.rows))
    stored.update(synced_at=work.as_of)
    return written.written


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
    alone = _store_variants(work, _without_variants(work, rows))
    variants = Product.objects.filter(shop=work.shop, family__in=traits)
    placed = variants.values_list("external_id", "family", "offer_id", "name", "currency")
    wanted = [
        (work.shop.pk, external_id, *traits[family], *named) for external_id, family, *named in placed
    ]  # the last three only because a row that were new would need them
    columns = (*FamilyTraits._fields, "offer_id", "name", "currency")
    return Stored(alone + upsert(Product, wanted, key=KEY, columns=columns, keep_known=("brand_id",)).written)


def _without_variants(work: Work[KeyCrm], rows: Sequence[schemas.Product]) -> dict[str, Variant]:
    """What products are themselves that have no variant in the list of variants."""
    single = {str(row.product_id): row for row in rows if row.has_offers is False}
    listed = Product.objects.filter(shop=work.shop, family__in=single).exclude(external_id__startswith=ALONE)
    for family in listed.values_list("family", flat=True):
        single.pop(family, None)
    return {
        f"{ALONE}{family}": Variant(
            offer_id=fit(row.sku or family, LONGEST_OFFER_ID),
            family=family,
            name=fit(row.name or row.sku, LONGEST_NAME),
            currency=row.currency_code or work.shop.currency,
            price=row.price or None,
        )
        for family, row in single.items()
    }


def brand_field(work: Work[KeyCrm]) -> str:
    """What the shop calls the custom field of the brand: its uuid, or its name."""
    rules = CrmRules.objects.filter(shop=work.shop).first()
    return rules.brand_field if rules else ""


def _archive_vanished(work: Work[KeyCrm]) -> None:
    _archive_unseen(work, "offers", Product.objects.exclude(external_id__startswith=ALONE), "")


def _archive_vanished_alone(work: Work[KeyCrm]) -> None:
    """Also one that has got variants since: they are what is sold now."""
    _archive_unseen(work, "families", Product.objects.filter(external_id__startswith=ALONE), ALONE)


def _archive_unseen(work: Work[KeyCrm], source: str, products: QuerySet[Product], prefix: str) -> None:
    """A row that could not be read is no proof of absence: one without an id spares every product."""
    unread = unread_ids(work.job_run, (source,))
    if unread is not None:
        vanished = products.filter(shop=work.shop, is_archived=False, synced_at__lt=work.as_of)
        vanished.exclude(external_id__in=[f"{prefix}{one}" for one in unread]).update(is_archived=True)
