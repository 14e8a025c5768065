"""Following hints: the postings and products that a marketplace has pushed are read by its API, and stored as read.

A hint is never data. While the shop's sync is under way its hints wait: what that has read may be older than what is
read here, and what was read here while a sync began is not stored, for that may know better by now.
A hint that cannot be followed stays for the next minute, and goes after a day: the sync has read it by then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from apps.catalog.models import Warehouse
from apps.catalog.prices import store_prices
from apps.common.clock import real_now
from apps.common.db import session_lock
from apps.common.periods import day_of
from apps.jobs.hints import done, waiting_hints
from apps.jobs.models import Hint
from apps.marketplaces.errors import ApiError
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.postings import Posting
from apps.marketplaces.paging import Page
from apps.sales import crm_hints, orders
from apps.sales.models import SalesHistory
from apps.sales.overtaken import Overtaken, is_syncing, unless_overtaken
from apps.sales.parcels import Parcel, Unusable
from apps.sales.postings import Products, parcel_of
from apps.sales.sources import marketplace_source
from apps.sales.sync import LONGEST_PERIOD
from apps.shops.clients import MissingKey, keycrm, ozon_seller
from apps.shops.models import Shop

log = logging.getLogger(__name__)

Row = TypeVar("Row")

KEPT = timedelta(days=1)
PATIENCE_SECONDS = 10.0


def follow(*, now: datetime) -> int:
    """Read what is hinted at, shop by shop. Returns how many hints were followed."""
    Hint.objects.filter(created_at__lt=real_now() - KEPT).delete()
    shops = Shop.objects.filter(pk__in=Hint.objects.values("shop"), is_active=True).order_by("pk")
    return sum(_follow_shop(shop, now) for shop in shops)


def _follow_shop(shop: Shop, now: datetime) -> int:
    with session_lock("hints", shop.pk) as free:
        if not free or is_syncing(shop):
            return 0
        try:
            if shop.kind == Shop.Kind.KEYCRM:
                return crm_hints.follow(shop, keycrm(shop, patience_seconds=PATIENCE_SECONDS), now)
            return _follow_all(shop, ozon_seller(shop, patience_seconds=PATIENCE_SECONDS), now)
        except (ApiError, MissingKey, Overtaken) as error:
            log.warning("hints of shop %s wait: %s", shop.pk, error)
            return 0


def _follow_all(shop: Shop, client: OzonSeller, now: datetime) -> int:
    count = 0
    while followed := _follow_postings(shop, client, now) + _follow_products(shop, client, now):
        count += followed
    return count


def _follow_postings(shop: Shop, client: OzonSeller, now: datetime) -> int:
    waiting, began = waiting_hints(shop, Hint.Topic.POSTING), real_now()
    history = SalesHistory.objects.filter(shop=shop).first()
    if waiting and history:
        numbers = [hint.subject for hint in waiting]
        since = now - LONGEST_PERIOD
        order_numbers = sorted({number.rpartition("-")[0] for number in numbers})
        fbo = _rows(client.fbo_postings(since=since, to=now, posting_numbers=numbers, finance=False))
        fbs = _rows(client.fbs_postings(since=since, to=now, order_numbers=order_numbers, finance=False))
        parcels = [*_parcels(shop, Warehouse.Scheme.FBO, fbo), *_parcels(shop, Warehouse.Scheme.FBS, fbs)]
        with unless_overtaken(shop, began):
            # Seen now, not in the morning: what has ended since the last look has ended today.
            today = day_of(now, shop.timezone)
            orders.store(shop, [one for one in parcels if one.placed_on >= history.sales_from], last_day=today)
    return done(waiting)


def _follow_products(shop: Shop, client: OzonSeller, now: datetime) -> int:
    waiting, began = waiting_hints(shop, Hint.Topic.PRODUCT), real_now()
    if waiting:
        prices = _rows(client.prices(product_ids=[int(hint.subject) for hint in waiting]))
        with unless_overtaken(shop, began):
            store_prices(shop, now, prices)
    return done(waiting)


def _rows(pages: Iterable[Page[Row]]) -> list[Row]:
    return [row for page in pages for row in page.rows]


def _parcels(shop: Shop, scheme: str, postings: Sequence[Posting]) -> list[Parcel]:
    products, source = Products.of(shop), marketplace_source(shop)
    parcels: dict[str, Parcel] = {}
    for posting in postings:
        try:
            parcels[posting.posting_number] = parcel_of(
                posting, shop=shop, scheme=scheme, products=products, source_id=source.pk
            )
        except Unusable as error:
            log.warning("posting %s cannot be counted: %s", posting.posting_number, error)
    return list(parcels.values())
