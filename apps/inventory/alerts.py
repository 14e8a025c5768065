"""The evening's stock alert: what is to be ordered, said when it becomes true and not every evening after.

A product is new when it became low, or ran out, since the evening before. Products that are merely still low do not
make a message; where there is one they are named in it. A product that was low, came back and is low again is new
again. What is unknown this evening (no stock seen this morning, no rate) neither raises nor clears anything.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.common.db import take_lock
from apps.common.errors import Refused
from apps.common.periods import start_of
from apps.inventory.cover import Cover, ShopCover, load_cover
from apps.inventory.models import LowStock
from apps.notifications.outbox import people_who_may, tell
from apps.shops.models import Shop
from apps.shops.roles import Action

Level = LowStock.Level
ONE_DAY = timedelta(days=1)


def send_stock_alerts(*, shop: Shop, today: date, now: datetime) -> dict[str, int]:
    """Note what is low in `shop` and tell it to everybody who may see it: one message for each person and day.

    Returns how many products are low, how many of these are out of stock and how many new, and how many people were
    told. Raises `Refused` while this morning's data are not complete.
    """
    cover = load_cover(shop)
    if cover is None or cover.today < today:
        raise Refused(_("The data of this morning are not complete yet; stock alerts are made after the sync."))
    with transaction.atomic():
        take_lock("stock alerts", shop.pk)
        news = _note(shop, cover, today)
        told = _tell(shop, today) if news else 0
    return {"low": len(cover.low), "out": sum(one.is_out for one in cover.low), "new": news, "told": told}


def _note(shop: Shop, cover: ShopCover, today: date) -> int:
    """Bring the rows in step with the shelves. Returns how many are new today."""
    rows = LowStock.objects.filter(product__shop=shop)
    before = {row.product_id: row for row in rows}
    low = {one.product.pk: _row(one, before.get(one.product.pk), today) for one in cover.low}
    unknown = {one.product.pk for one in cover.unknown}
    rows.exclude(product__in=low.keys() | unknown).delete()
    LowStock.objects.bulk_create(
        low.values(), update_conflicts=True, unique_fields=["product"], update_fields=["level", "since_on"]
    )
    return sum(row.since_on == today for row in low.values())


def _row(cover: Cover, before: LowStock | None, today: date) -> LowStock:
    """Going from low to out is news; some goods that came, and still too few, are not."""
    level = Level.OUT if cover.is_out else Level.LOW
    is_news = before is None or (level == Level.OUT and before.level == Level.LOW)
    since_on = today if is_news or before is None else before.since_on
    return LowStock(product=cover.product, level=level, since_on=since_on)


def _tell(shop: Shop, today: date) -> int:
    people = people_who_may(shop.seller, Action.VIEW)
    tell(
        name="stock_alert",
        key=f"stock_alert:{shop.pk}:{today}",
        seller=shop.seller,
        people=people,
        params={"shop": shop.pk, "day": str(today)},
        expires_at=start_of(today + ONE_DAY, shop.timezone),
    )
    return len(people)
