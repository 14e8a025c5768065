from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation

from apps.common import formats
from apps.decisions.models import Command
from apps.inventory.alerts import send_stock_alerts
from apps.jobs.models import JobRun
from apps.jobs.troubles import trouble
from apps.shops.models import Member, Shop
from tests import cast
from tests.inventory.shelf import MORNING, TODAY, Shelf
from tests.reports.rows import (
    LANGUAGES,
    NOW,
    TO_THE_PAGE,
    Read,
    command,
    decided,
    experiment,
    proposal,
    told,
)  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def shelf(anna: Member) -> Shelf:
    return Shelf(anna.seller.shops.get())


def test_a_command_that_ended_badly_names_product_prices_and_cause(anna: Member, shelf: Shelf) -> None:
    made = command(
        decided(proposal(shelf.product("Grey scarf")), anna),
        state="rejected",
        problem={"code": "X", "message": "discount is too big"},
    )
    assert told(anna, "command_ended", command=made.pk).text == (
        "Grey scarf\n"
        "SKU-1 · Shelf\n"
        "\n"
        "The change from 1,000 RUB to 1,090 RUB did not come about as approved.\n"
        "The marketplace rejected it; the price was not changed.\n"
        "The marketplace says: discount is too big" + TO_THE_PAGE
    )


def test_a_command_that_was_sent_in_vain_and_undone_is_not_called_unsent(anna: Member, shelf: Shelf) -> None:
    made = command(
        decided(proposal(shelf.product()), anna), state="cancelled", writes=1, problem={"code": "undone_unapplied"}
    )
    assert (
        "The price was not changed.\nIt was undone; what was sent has not arrived, and is not sent again."
        in told(anna, "command_ended", command=made.pk).text
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_team_that_is_too_small_is_told_what_cannot_be_decided_on(anna: Member, shelf: Shelf, language: str) -> None:
    text = told(anna, "too_few_people", language=language, shop=shelf.shop.pk, count=3).text
    in_english = (
        "Shelf\n\n"
        "3 price changes cannot be decided on: each needs two people, and only one of the team may approve now.\n\n"
        "Give a second person the right to approve, or change the rules for deciding; the next analysis asks again."
    )
    assert (text == in_english) == (language == "en")
    assert "3" in text


def test_another_sellers_command_is_not_rendered(anna: Member, shelf: Shelf) -> None:
    made = command(decided(proposal(shelf.product()), anna), state="cancelled", problem={"code": "stopped"})
    with pytest.raises(Command.DoesNotExist):
        told(cast.boris(), "command_ended", command=made.pk)


@pytest.mark.parametrize("problem", [{"code": "WrongCredentials", "message": "401 <key>"}, {"code": "third_value"}, {}])
@pytest.mark.parametrize("state", ["rejected", "needs_human", "cancelled"])
def test_every_bad_end_is_told_in_every_language(
    anna: Member, shelf: Shelf, state: str, problem: dict[str, Any]
) -> None:
    made = command(decided(proposal(shelf.product()), anna), state=state, problem=problem)
    said = {told(anna, "command_ended", language=language, command=made.pk).text for language in LANGUAGES}
    assert len(said) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_price_that_somebody_else_changed_is_told_with_both_values(anna: Member, shelf: Shelf, language: str) -> None:
    running = experiment(shelf.product("Grey scarf"), anna, state="void", void_reason="price_changed")
    Command.objects.update(drifted_at=NOW, drift={"price": "950.00", "currency": "RUB"})
    text = told(anna, "price_drift", language=language, command=running.command.pk).text
    in_english = (
        "Grey scarf\n"
        "SKU-1 · Shelf\n"
        "\n"
        "Somebody has changed the price. Vitrina had set 1,090 RUB; on March 2, 12:30 the marketplace showed 950 RUB.\n"
        "\n"
        "The experiment on it is void: there will be no verdict.\n"
        "Vitrina does not set it back by itself."
    )
    assert (text == in_english) == (language == "en")


def selling(shelf: Shelf, stock: int, name: str = "Scarf") -> None:
    product = shelf.product(name)
    shelf.sold(product, [2] * 56)
    shelf.morning(product, stock)


def alert(to: Member, shop: Shop, **options: Any) -> Read:
    return told(to, "stock_alert", shop=shop.pk, day=str(TODAY), **options)


def test_the_stock_alert_names_what_to_order_the_most_urgent_first(anna: Member, shelf: Shelf) -> None:
    for name, stock in (("few", 5), ("none", 0), ("plenty", 900)):
        selling(shelf, stock, name)
    shelf.synced()
    send_stock_alerts(shop=shelf.shop, today=TODAY, now=NOW)
    text = alert(anna, shelf.shop).text
    first, second = (line for line in text.split("\n") if line.startswith("•"))
    assert text.startswith("Shelf: time to order\n\nNew:\n• none")
    assert first.startswith("• none (SKU-2): out of stock; order ")
    assert second.startswith("• few (SKU-1): 5 pcs for 2.5 days; order ")
    assert "What is on the way is not known here" in text
    assert "Data as of March 2, 09:00." in text
    assert "plenty" not in text
    assert "Still:" not in text


def test_what_was_told_before_comes_after_what_is_new(anna: Member, shelf: Shelf) -> None:
    selling(shelf, 5, "old")
    shelf.synced(MORNING - timedelta(days=1))
    shelf.morning(shelf.products[0], 6, day=TODAY - timedelta(days=1))
    send_stock_alerts(shop=shelf.shop, today=TODAY - timedelta(days=1), now=NOW)
    selling(shelf, 7, "new")
    shelf.synced()
    send_stock_alerts(shop=shelf.shop, today=TODAY, now=NOW)
    text = alert(anna, shelf.shop).text
    assert text.index("New:\n• new") < text.index("Still:\n• old")


def test_a_long_alert_says_how_much_it_leaves_out(anna: Member, shelf: Shelf) -> None:
    for _ in range(18):
        selling(shelf, 3)
    shelf.synced()
    send_stock_alerts(shop=shelf.shop, today=TODAY, now=NOW)
    text = alert(anna, shelf.shop).text
    assert text.count("•") == 15
    assert "… and 3 more" in text


def test_an_alert_that_is_over_says_so(anna: Member, shelf: Shelf) -> None:
    selling(shelf, 900)
    shelf.synced()
    assert "By now there is enough of everything." in alert(anna, shelf.shop).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_stock_alert_speaks_every_language(anna: Member, shelf: Shelf, language: str) -> None:
    for stock in (0, 5):
        selling(shelf, stock, "<b>scarf</b> & co")
    shelf.synced()
    send_stock_alerts(shop=shelf.shop, today=TODAY, now=NOW)
    assert "<b>scarf</b> & co" in alert(anna, shelf.shop, language=language).text


def run(shop: Shop | None, **columns: Any) -> JobRun:
    return JobRun.objects.create(
        **{
            "job": "ozon_sync",
            "shop": shop,
            "slot": "2026-03-02",
            "as_of": NOW,
            "due_at": NOW,
            "state": "failed",
            "attempt": 3,
            "finished_at": NOW,
            "problem": {"message": "ApiError: <html> 502 & more"},
            **columns,
        }
    )


def test_a_failed_run_names_the_job_the_shop_and_the_error(anna: Member, shelf: Shelf) -> None:
    text = told(anna, "job_failed", run=run(shelf.shop).pk).text
    assert text.startswith("Shelf: OZON sync failed.\n\nSlot 2026-03-02, given up March 2, 12:30 after 3 attempts.")
    assert "ApiError: <html> 502 & more" in text


def test_a_failed_run_of_another_seller_is_not_rendered(shelf: Shelf) -> None:
    with pytest.raises(JobRun.DoesNotExist):
        told(cast.boris(), "job_failed", run=run(shelf.shop).pk)


def test_a_late_slot_names_what_it_waits_for(anna: Member, shelf: Shelf) -> None:
    due = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    waits = trouble("not_completed", job="ozon_sync", day="2026-03-02")
    run(shelf.shop, job="price_analysis", as_of=due, state="planned", finished_at=None, problem=waits)
    text = told(anna, "job_late", job="price_analysis", shop=shelf.shop.pk, due=due.isoformat()).text
    assert text.startswith("Shelf: price analysis is late. It was due March 2, 09:30.")
    assert "“OZON sync” of Mar 2, 2026 has not been completed." in text
    text = told(anna, "job_late", language="ru", job="price_analysis", shop=shelf.shop.pk, due=due.isoformat()).text
    assert "«синхронизация с OZON» за 2 мар." in text, "in the reader's language, not in the worker's"


@pytest.mark.parametrize("name", ["job_late", "job_skipped"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_slot_is_told_of_with_and_without_a_shop(anna: Member, shelf: Shelf, language: str, name: str) -> None:
    for shop_id in (shelf.shop.pk, None):
        text = told(anna, name, language=language, job="ozon_sync", shop=shop_id, due=NOW.isoformat()).text
        assert "OZON" in text
        assert ("Shelf" in text) == (shop_id is not None)


def test_a_late_slot_of_another_seller_is_not_rendered(shelf: Shelf) -> None:
    with pytest.raises(Shop.DoesNotExist):
        told(cast.boris(), "job_late", job="ozon_sync", shop=shelf.shop.pk, due=NOW.isoformat())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_watchdog_speaks_every_language(anna: Member, shelf: Shelf, language: str) -> None:
    since = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    told(anna, "clock_stopped", language=language, since=since.isoformat())
    assert "money" in told(anna, "queue_silent", language=language, since=since.isoformat(), queue="money").text
    told(anna, "job_failed", language=language, run=run(shelf.shop).pk)
    told(anna, "job_failed", language=language, run=run(None, job="long_gone", attempt=1, slot="2026-03-03").pk)


def test_a_moment_of_the_watchdog_is_told_in_the_zone_of_the_installation(anna: Member) -> None:
    since = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    text = told(anna, "clock_stopped", since=since.isoformat()).text
    with translation.override("en"):
        assert f"since {formats.moment(since, settings.TIME_ZONE)}" in text
