from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.notifications.models import OutboxMessage
from apps.reports import answers
from apps.reports.daily import DailyReport, Trend, build, last_closed_day, send_daily_report
from apps.sales.models import DailyFact
from apps.shops.models import Member, Shop
from apps.shops.roles import Role
from tests import cast
from tests.inventory.shelf import MORNING, TODAY, YESTERDAY, Shelf, queries_counted
from tests.reports.rows import LANGUAGES, NOW, Read, asked, experiment, proposal, told

pytestmark = pytest.mark.django_db

ONE_DAY = timedelta(days=1)


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def shelf(anna: Member) -> Shelf:
    return Shelf(anna.seller.shops.get())


def fortnight(shelf: Shelf, last: int = 6) -> None:
    """A scarf at 1000 that sold 4 a day, 5 on the same weekday a week ago, and `last` yesterday in two orders."""
    scarf = shelf.product("Scarf")
    shelf.sold(scarf, [4] * 6 + [5] + [4] * 6 + [last])
    for past in range(1, 15):
        day = TODAY - past * ONE_DAY
        for number in ("one", "two", "two"):
            shelf.order(scarf, day=day, number=f"{day}-{number}")
    shelf.morning(scarf, 900)
    shelf.synced()


def report(shop: Shop, day: date = YESTERDAY) -> DailyReport:
    return build(shop, day, now=NOW)


def message(to: Member, shop: Shop, *, language: str = "en", day: date = YESTERDAY) -> Read:
    return told(to, "daily_report", language=language, shop=shop.pk, day=str(day))


def test_figures_stand_beside_the_same_weekday_and_the_week_before(shelf: Shelf) -> None:
    fortnight(shelf)
    found = report(shelf.shop)
    week = Decimal(5 + 4 * 6)
    assert found.units == Trend(Decimal(6), Decimal(6) / 5 - 1, Decimal(6) / (week / 7) - 1)
    assert found.revenue.value == 6000
    assert found.orders == Trend(Decimal(2), Decimal(0), Decimal(0))
    assert found.average_order.value == 3000


def test_the_mean_of_the_average_order_is_revenue_over_orders(shelf: Shelf) -> None:
    fortnight(shelf)
    week_before = Decimal((5 + 4 * 6) * 1000) / (7 * 2)
    assert report(shelf.shop).average_order.by_mean == Decimal(3000) / week_before - 1


def test_the_month_goes_to_the_day_itself(shelf: Shelf) -> None:
    fortnight(shelf)
    month = report(shelf.shop, YESTERDAY).month  # March 1
    assert month is not None
    assert month.units == 6
    february = report(shelf.shop, date(2026, 2, 28)).month
    assert february is not None
    assert february.units == 5 + 4 * 12


def test_a_history_too_short_to_compare_with_is_unknown(shelf: Shelf) -> None:
    scarf = shelf.product()
    shelf.sold(scarf, [4, 4, 6])
    shelf.synced(since=YESTERDAY - 2 * ONE_DAY)
    found = report(shelf.shop)
    assert found.units == Trend(Decimal(6), None, None)
    assert found.month is not None  # the month began within the history
    assert report(shelf.shop, YESTERDAY - ONE_DAY).month is None


def test_nothing_sold_is_zero_and_has_no_average(shelf: Shelf) -> None:
    shelf.product()
    shelf.synced()
    found = report(shelf.shop)
    assert found.units == Trend(Decimal(0), None, None)
    assert found.average_order.value is None


def test_the_best_sellers_are_those_that_brought_most(shelf: Shelf) -> None:
    for number in range(7):
        product = shelf.product(f"Product {number}", price=str(1000 + number))
        shelf.sold(product, [number])
    shelf.synced()
    assert [(one.name, one.units) for one in report(shelf.shop).top] == [
        (f"Product {number}", number) for number in (6, 5, 4, 3, 2)
    ]


def test_it_counts_what_waits_and_what_runs(anna: Member, shelf: Shelf) -> None:
    proposal(shelf.product())
    proposal(shelf.product())
    proposal(shelf.product(), expires_at=NOW)
    experiment(shelf.product(), anna, state="judged")
    experiment(shelf.product(), anna)
    found = report(shelf.shop)
    assert (found.awaiting.proposals, found.awaiting.gain, found.awaiting.experiments) == (2, Decimal("620.80"), 1)
    assert found.running == 1


def test_another_sellers_figures_stay_theirs(shelf: Shelf) -> None:
    other = Shelf(cast.boris().seller.shops.get())
    fortnight(other)
    shelf.synced()
    found = report(shelf.shop)
    assert found.totals is not None
    assert (found.totals.units, found.totals.orders, found.top) == (0, 0, ())


def test_a_larger_shop_needs_no_more_queries(shelf: Shelf) -> None:
    counts = []
    for _ in range(2):
        for _ in range(6):
            product = shelf.product()
            shelf.sold(product, [3] * 30)
            shelf.order(product)
            shelf.morning(product, 2)
        shelf.synced()
        with queries_counted() as queries:
            report(shelf.shop)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 25


def test_the_message_says_it_all(anna: Member, shelf: Shelf) -> None:
    fortnight(shelf)
    proposal(shelf.products[0])
    low = shelf.product("Hat")
    shelf.sold(low, [2] * 56)
    DailyFact.objects.filter(product=low, day=YESTERDAY).update(units=0, revenue=0)
    shelf.morning(low, 0)
    text = message(anna, shelf.shop).text
    assert text.startswith("Shelf: Sunday, March 1\n\nRevenue: 6,000 RUB (")
    assert "Units: 6 (" in text
    assert "Orders: 2 (0% · 0%)" in text
    assert "Average order: 3,000 RUB (" in text
    assert "Cancelled units: 0\nReturned units: 0\n" in text
    assert "Since the first of the month: 6,000 RUB, 6 units, 2 orders" in text
    assert "Best sellers\n• Scarf (SKU-1): 6 pcs, 6,000 RUB" in text
    assert "1 price proposal waits for a decision; expected: +310 RUB a day" in text
    assert "Experiments under way: 0" in text
    assert "Time to order (1 out of stock):\n• Hat (SKU-2): out of stock; order " in text
    assert text.endswith("Data as of March 2, 09:00.")


def test_cancellations_from_before_the_first_sync_are_unknown_not_zero(anna: Member, shelf: Shelf) -> None:
    fortnight(shelf)
    shelf.shop.sales_history.events_from = TODAY
    shelf.shop.sales_history.save()
    assert "Cancelled units: –\nReturned units: –\n" in message(anna, shelf.shop).text


def test_an_incomplete_sync_is_said_first(anna: Member, shelf: Shelf) -> None:
    fortnight(shelf)
    text = message(anna, shelf.shop, day=TODAY).text
    assert text.startswith(
        "Shelf: Monday, March 2\n\n"
        "The sync of March 3 is not complete: what was sold on the day before is not known yet."
    )
    assert "Revenue:" not in text
    assert "Since the first of the month: not known" in text
    assert "Data as of March 2, 09:00." in text


def test_a_shop_that_was_never_synced_says_so(anna: Member, shelf: Shelf) -> None:
    text = message(anna, shelf.shop).text
    assert "This shop has not been synced to the end yet: nothing is known of it." in text
    assert "enough of everything" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_message_and_the_answer_are_the_same(anna: Member, shelf: Shelf, language: str) -> None:
    fortnight(shelf)
    assert asked(answers.report, anna, language=language).text == message(anna, shelf.shop, language=language).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_and_an_empty_shop_can_be_told(anna: Member, shelf: Shelf, language: str) -> None:
    message(anna, shelf.shop, language=language)
    Shop.objects.filter(pk=shelf.shop.pk).update(name="<i>Shelf & co")
    product = shelf.product("<b>bold & brave</b>")
    shelf.sold(product, [4])
    shelf.synced()
    text = message(anna, shelf.shop, language=language).text
    assert "<i>Shelf & co" in text
    assert "<b>bold & brave</b>" in text


def test_it_is_told_once_to_everybody_who_may_see_it(anna: Member, shelf: Shelf) -> None:
    cast.member(anna.seller, "Vera", Role.VIEWER, telegram_id=7)
    cast.member(anna.seller, "Unlinked", Role.OWNER)
    cast.boris()
    shelf.synced()
    for new in (2, 0):
        assert send_daily_report(shop=shelf.shop, day=YESTERDAY, now=NOW) == {"told": new, "complete": True}
    rows = OutboxMessage.objects.order_by("pk").select_related("person__user")
    assert [str(row.person) for row in rows] == ["Anna", "Vera"]
    assert rows[0].params == {"shop": shelf.shop.pk, "day": "2026-03-01"}
    assert rows[0].expires_at == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)  # midnight in Moscow


def test_a_report_on_incomplete_data_is_sent_and_counted_as_such(shelf: Shelf) -> None:
    assert send_daily_report(shop=shelf.shop, day=YESTERDAY, now=NOW) == {"told": 1, "complete": False}


def test_a_day_that_has_not_ended_has_no_report(shelf: Shelf) -> None:
    with pytest.raises(ValueError, match="has ended in Europe/Moscow"):
        send_daily_report(shop=shelf.shop, day=TODAY, now=NOW)


def test_the_days_are_the_shops_own(anna: Member) -> None:
    far = cast.shop(anna.seller, "Far", timezone="Asia/Vladivostok")
    midnight = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)  # past midnight there, half past five in Moscow
    assert last_closed_day(far, now=midnight) == TODAY
    assert last_closed_day(anna.seller.shops.get(name="Shelf"), now=midnight) == YESTERDAY


def test_before_the_mornings_sync_the_last_known_day_is_reported(anna: Member, shelf: Shelf) -> None:
    fortnight(shelf)
    next_night = MORNING + timedelta(hours=20)  # two o'clock at night: the sync of March 3 is still to come
    assert last_closed_day(shelf.shop, now=next_night) == YESTERDAY
    assert asked(answers.report, anna, now=next_night).text.startswith("Shelf: Sunday, March 1")
