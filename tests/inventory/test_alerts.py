from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.common.errors import Refused
from apps.inventory.alerts import send_stock_alerts
from apps.inventory.models import LowStock
from apps.notifications.models import OutboxMessage
from apps.shops.models import Member
from apps.shops.roles import Role
from tests import cast
from tests.inventory.shelf import MORNING, TODAY, Shelf

pytestmark = pytest.mark.django_db

ONE_DAY = timedelta(days=1)


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def shelf(anna: Member) -> Shelf:
    return Shelf(anna.seller.shops.get())


def evening(shelf: Shelf, stock: list[int | None], *, day: date = TODAY) -> dict[str, int]:
    """The alert of `day`, after a morning with these units of the shelf's products (None: not seen)."""
    for product, units in zip(shelf.products, stock, strict=True):
        if units is not None:
            shelf.morning(product, units, day=day)
    shelf.synced(MORNING + (day - TODAY))
    return send_stock_alerts(shop=shelf.shop, today=day, now=MORNING + (day - TODAY) + timedelta(hours=9))


def selling(shelf: Shelf, count: int = 1) -> None:
    for _ in range(count):
        product = shelf.product()
        shelf.sold(product, [2] * 70, last=TODAY + timedelta(days=10))


def told() -> list[tuple[str, str]]:
    found = OutboxMessage.objects.order_by("pk").select_related("person__user")
    return [(str(message.person), message.params["day"]) for message in found]


def test_it_tells_everybody_who_may_see_once_a_day(shelf: Shelf, anna: Member) -> None:
    cast.member(anna.seller, "Vera", Role.VIEWER, telegram_id=1002)
    cast.member(anna.seller, "Unlinked", Role.OWNER)
    cast.boris()
    selling(shelf, 2)
    assert evening(shelf, [3, 0]) == {"low": 2, "out": 1, "new": 2, "told": 2}
    assert told() == [("Anna", "2026-03-02"), ("Vera", "2026-03-02")]
    evening(shelf, [3, 0])
    assert len(told()) == 2


def test_the_message_is_not_sent_after_its_day(shelf: Shelf) -> None:
    selling(shelf)
    evening(shelf, [3])
    message = OutboxMessage.objects.get()
    assert message.params == {"shop": shelf.shop.pk, "day": "2026-03-02"}
    assert message.expires_at == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)  # midnight in Moscow


def test_enough_everywhere_is_no_message(shelf: Shelf) -> None:
    selling(shelf)
    assert evening(shelf, [500]) == {"low": 0, "out": 0, "new": 0, "told": 0}
    assert told() == []


def test_what_is_merely_still_low_is_not_told_again(shelf: Shelf) -> None:
    selling(shelf)
    evening(shelf, [9])
    assert evening(shelf, [7], day=TODAY + ONE_DAY) == {"low": 1, "out": 0, "new": 0, "told": 0}
    assert len(told()) == 1


def test_running_out_is_news(shelf: Shelf) -> None:
    selling(shelf)
    evening(shelf, [9])
    assert evening(shelf, [0], day=TODAY + ONE_DAY)["new"] == 1
    assert LowStock.objects.get().level == LowStock.Level.OUT


def test_a_few_goods_that_came_are_not(shelf: Shelf) -> None:
    selling(shelf)
    evening(shelf, [0])
    assert evening(shelf, [4], day=TODAY + ONE_DAY)["new"] == 0
    row = LowStock.objects.get()
    assert (row.level, row.since_on) == (LowStock.Level.LOW, TODAY)


def test_low_again_after_a_delivery_is_new_again(shelf: Shelf) -> None:
    selling(shelf)
    evening(shelf, [9])
    assert evening(shelf, [400], day=TODAY + ONE_DAY)["low"] == 0
    assert not LowStock.objects.exists()
    assert evening(shelf, [9], day=TODAY + 2 * ONE_DAY)["new"] == 1
    assert len(told()) == 2


def test_what_is_unknown_raises_and_clears_nothing(shelf: Shelf) -> None:
    selling(shelf, 2)
    evening(shelf, [9, 400])
    assert evening(shelf, [None, 400], day=TODAY + ONE_DAY)["low"] == 0
    assert LowStock.objects.get().since_on == TODAY
    assert evening(shelf, [9, 400], day=TODAY + 2 * ONE_DAY)["new"] == 0


def test_a_missed_evening_loses_no_news(shelf: Shelf) -> None:
    selling(shelf, 2)
    evening(shelf, [9, 400])
    assert evening(shelf, [9, 5], day=TODAY + 3 * ONE_DAY)["new"] == 1


def test_it_refuses_yesterdays_stock(shelf: Shelf) -> None:
    selling(shelf)
    evening(shelf, [9])
    tomorrow = TODAY + ONE_DAY
    with pytest.raises(Refused, match="not complete"):
        send_stock_alerts(shop=shelf.shop, today=tomorrow, now=MORNING + ONE_DAY)


def test_shops_do_not_clear_each_others_alerts(shelf: Shelf) -> None:
    other = Shelf(cast.boris().seller.shops.get())
    for one in (shelf, other):
        selling(one)
        evening(one, [9])
    assert LowStock.objects.count() == 2
    assert {message.seller_id for message in OutboxMessage.objects.all()} == {
        shelf.shop.seller_id,
        other.shop.seller_id,
    }
