"""OZON's promotions (its "actions"): which there are, and which products take part at which price.

A promotion's products are read to their end and stored as a whole, one promotion at a time: a product that is not among
them has left it. A row that could not be read is no proof of absence, so beside one nothing is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db.models import Q, QuerySet

from apps.catalog.models import Participation, Product, Promotion
from apps.common.bulk import upsert
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Doubtful, Reading, Stored, Work, follow, whole
from apps.marketplaces.ozon_seller import promotions
from apps.marketplaces.paging import BadRow
from apps.shops.models import Shop

LONGEST_TITLE, LONGEST_KIND = 300, 100
NO_END_YEAR = 9000  # OZON writes "without an end" as the year 9999
PROMOTION_COLUMNS = ("title", "kind", "starts_at", "ends_at", "frozen_at", "participants")
MEMBER_COLUMNS = ("action_price", "max_action_price", "is_automatic")


@dataclass(frozen=True)
class Listed:
    """All promotions that OZON lists; `is_whole` when every row could be read."""

    promotions: tuple[promotions.Promotion, ...]
    is_whole: bool


@dataclass(frozen=True)
class Joined:
    """All products that take part in a promotion, by its id of ours; `is_whole` when every row could be read."""

    promotion_id: int
    products: tuple[promotions.PromotionProduct, ...]
    is_whole: bool


def sync_promotions(work: Work) -> bool:
    def fetch(cursor: str) -> Iterator[Batch[Listed]]:
        page = work.client.promotions()
        if not page.received and running(work.shop, work.as_of).exists():
            raise Doubtful("no promotion came, and some that are known have not ended")
        listed = Listed(page.rows, is_whole=not page.bad_rows)
        yield Batch([listed], page.bad_rows, page.received, cursor="", last=True, announced=None)

    return follow(work, Reading("promotions", fetch, partial(_store_listed, work.shop)))


def sync_participations(work: Work) -> bool:
    """The products of each promotion that somebody takes part in; the cursor is the last one that was stored."""

    def fetch(cursor: str) -> Iterator[Batch[Joined]]:
        waiting = list(Promotion.objects.filter(shop=work.shop, participants__gt=0, pk__gt=int(cursor or 0)))
        if not waiting:
            yield Batch((), (), 0, cursor="", last=True, announced=None)
        for promotion in waiting:
            rows, bad_rows = whole(work.client.promotion_products(int(promotion.external_id)))
            if not rows and not bad_rows:
                raise Doubtful(f"nobody takes part in {promotion.external_id}, where {promotion.participants} do")
            joined = Joined(promotion.pk, tuple(rows), is_whole=not bad_rows)
            received = len(rows) + len(bad_rows)
            yield Batch([joined], bad_rows, received, str(promotion.pk), promotion == waiting[-1], announced=None)

    return follow(work, Reading("participations", fetch, partial(_store_members, work.shop)))


def running(shop: Shop, now: datetime) -> QuerySet[Promotion]:
    """Promotions that have not ended, those that are still to begin included."""
    return Promotion.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), shop=shop)


def _store_listed(shop: Shop, batch: Sequence[Listed]) -> Stored:
    """What is no longer listed is gone, with those who took part in it; a promotion may also have lost them all."""
    (listed,) = batch
    written = upsert(
        Promotion,
        _promotion_rows(shop, listed.promotions),
        key=("shop_id", "external_id"),
        columns=PROMOTION_COLUMNS,
    ).written
    known = Promotion.objects.filter(shop=shop)
    if listed.is_whole:
        ids = [str(row.promotion_id) for row in listed.promotions]
        written += known.exclude(external_id__in=ids).delete()[0]
    empty = Participation.objects.filter(promotion__in=known.filter(participants=0))
    return Stored(written + empty.delete()[0])


def _promotion_rows(shop: Shop, rows: Sequence[promotions.Promotion]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        ends_at = row.date_end if row.date_end and row.date_end.year < NO_END_YEAR else None
        head = (shop.pk, str(row.promotion_id), fit(row.title, LONGEST_TITLE), fit(row.action_type, LONGEST_KIND))
        yield *head, row.date_start, ends_at, row.freeze_date, row.participating_products_count


def _store_members(shop: Shop, joined: Sequence[Joined]) -> Stored:
    stored = [_store_promotion(shop, one) for one in joined]
    return Stored(sum(one.written for one in stored), [bad for one in stored for bad in one.bad_rows])


def _store_promotion(shop: Shop, joined: Joined) -> Stored:
    external_ids = [str(row.product_id) for row in joined.products]
    ids = dict(Product.objects.filter(shop=shop, external_id__in=external_ids).values_list("external_id", "id"))
    foreign = [row.currency not in ("", shop.currency) for row in joined.products]
    bad_rows = [
        BadRow(index, str(row.product_id), f"in {row.currency}, the shop's money is {shop.currency}")
        for index, row in enumerate(joined.products)
        if foreign[index]
    ]
    members = [
        (joined.promotion_id, ids[str(row.product_id)], *_terms(row), row.add_mode == "AUTO")
        for row, is_foreign in zip(joined.products, foreign, strict=True)
        if not is_foreign and str(row.product_id) in ids
    ]
    key = ("promotion_id", "product_id")
    written = upsert(Participation, members, key=key, columns=MEMBER_COLUMNS).written
    if joined.is_whole:
        left = Participation.objects.filter(promotion=joined.promotion_id)
        written += left.exclude(product__external_id__in=external_ids).delete()[0]
    return Stored(written, bad_rows)


def _terms(row: promotions.PromotionProduct) -> tuple[Decimal | None, Decimal | None]:
    return row.action_price, row.max_action_price
