"""Days that have passed, run for again: what they hold is mended, and nothing else is concluded or told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from io import StringIO

import pytest
import redis
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from apps.backoffice.demo.checks import compare
from apps.common.periods import Period
from apps.jobs import by_hand
from apps.jobs.by_hand import Errand
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.sync_runs import covered_until
from apps.marketplaces.standins.faults import Fault, Kind
from apps.notifications.models import OutboxMessage
from apps.sales.models import DailyFact, Order, TouchedDay
from apps.sales.shop_sync import data_as_of
from tasks import runners
from tests.cast import anna
from tests.faults.harness import eventually
from tests.flows.shop import LiveShop, live_shop
from tests.flows.test_sync import assert_equals_the_ledger

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]

State = JobRun.State
FBO, FBS = "ozon:/v3/posting/fbo/list", "ozon:/v4/posting/fbs/list"


@pytest.fixture
def live(settings: Settings, empty_redis: redis.Redis) -> Iterator[LiveShop]:
    with live_shop(settings, skus=15, history_days=20) as live:
        live.sync()
        yield live


def days_before(live: LiveShop, first: int, last: int) -> Period:
    """From so many days before today to so many."""
    return Period(live.today - timedelta(days=first), live.today - timedelta(days=last))


def run_for(live: LiveShop, days: Period, job: str = "ozon_sync") -> JobRun:
    errand = Errand.of(job=job, shop=live.shop, as_of=live.now, first=days.first, last=days.last)
    run = by_hand.start(errand, by=live.owner)
    runners.carry_out(run.pk)
    run.refresh_from_db()
    return run


def sums(days: Period) -> dict[date, list[tuple[int, int, object]]]:
    rows = DailyFact.objects.filter(day__range=(days.first, days.last)).order_by("product_id")
    return {day: list(rows.filter(day=day).values_list("product_id", "units", "revenue")) for day in days}


def test_orders_that_are_missing_on_days_of_the_past_come_back(live: LiveShop) -> None:
    days = days_before(live, 12, 8)
    before = sums(days)
    Order.objects.filter(placed_on__range=(days.first, days.last)).delete()
    DailyFact.objects.filter(day__range=(days.first, days.last)).update(units=0, revenue=0)

    run = run_for(live, days)

    assert (run.state, run.error) == (State.DONE, "")
    assert sums(days) == before
    assert compare(live.world, live.shop, live.today - timedelta(days=1)).wrong == ()
    assert run.result["written"]["fbo_postings_again"] > 0
    assert not TouchedDay.objects.filter(day__lt=live.today).exists()


@pytest.mark.slow
def test_only_the_postings_of_these_days_are_asked_for(live: LiveShop) -> None:
    asked_before = {path: len(live.standins.of.frame.calls.of(path)) for path in (FBO, FBS)}
    days = days_before(live, 12, 8)

    run_for(live, days)

    first, after = days.bounds(live.shop.timezone)
    for path, count in asked_before.items():
        for call in live.standins.of.frame.calls.of(path)[count:]:
            window = call.request["filter"]
            assert window["since"][:10] >= (first - timedelta(days=1)).date().isoformat()
            assert window["to"][:10] <= after.date().isoformat()
    assert set(SyncRun.objects.filter(job_run__first_on__isnull=False).values_list("source", flat=True)) == {
        "fbo_postings_again",
        "fbs_postings_again",
        "facts_again",
    }


@pytest.mark.slow
def test_reading_again_does_not_make_the_shop_s_data_look_fresh(live: LiveShop) -> None:
    as_of, covered = data_as_of(live.shop), covered_until(live.shop, "fbo_postings")
    for _ in range(3):
        live.world.next_day()

    run = run_for(live, days_before(live, 2, 1))

    assert run.state == State.DONE
    assert data_as_of(live.shop) == as_of
    assert covered_until(live.shop, "fbo_postings") == covered, "the next sync still reads from there"
    live.next_morning()
    assert_equals_the_ledger(live, days_before(live, 20, 1), events=None)


@pytest.mark.slow
def test_a_marketplace_that_breaks_off_leaves_the_run_to_be_tried_again(live: LiveShop) -> None:
    live.standins.of.frame.faults.add(Fault(FBO, Kind.REPEATED_CURSOR, times=None))
    run = run_for(live, days_before(live, 12, 8))
    assert run.state == State.PLANNED
    assert "fbo_postings_again" in run.error


@pytest.mark.slow
def test_a_report_on_a_past_day_reaches_each_person_once(live: LiveShop) -> None:
    days = days_before(live, 3, 2)
    assert run_for(live, days, "daily_report").result == {"told": 2, "complete": True}
    told = OutboxMessage.objects.filter(name="daily_report")
    assert {message.params["day"] for message in told} == {str(day) for day in days}
    assert all(message.expires_at and message.expires_at > live.now for message in told), "it may still be sent"

    again = run_for(live, days_before(live, 3, 1), "daily_report")

    assert again.result == {"told": 1, "complete": True}
    assert told.all().count() == 3


# From the command line


Command = Callable[..., str]


@pytest.fixture
def run_job(live: LiveShop) -> Iterator[Command]:
    """The command, beside a thread that carries out what is planned."""
    with ThreadPoolExecutor(1) as pool:

        def run(*arguments: str) -> str:
            words = StringIO()
            working = pool.submit(_work) if "--dry-run" not in arguments else None
            try:
                call_command("run_job", *arguments, stdout=words)
            finally:
                if working:
                    working.result()
            return words.getvalue()

        yield run


def _work() -> None:
    """Carry out the first run that is planned, when one comes."""
    try:
        planned = JobRun.objects.filter(state=State.PLANNED)
        eventually(planned.exists, "a run is planned", within=3)
        runners.carry_out(planned.get().pk)
    except AssertionError:
        return  # the command refused, so there is none
    finally:
        connection.close()


def test_the_command_follows_the_run_to_its_end(live: LiveShop, run_job: Command) -> None:
    days = days_before(live, 3, 2)
    words = run_job("daily_report", "--from", str(days.first), "--to", str(days.last))
    assert f"run: daily_report, shop {live.shop.pk} (Shelf), {days.first} … {days.last}, as of" in words
    assert words.endswith("Shelf: done, {'told': 2, 'complete': True}\n")
    run = JobRun.objects.get(job="daily_report")
    assert (run.state, run.days, run.started_by) == (State.DONE, days, None)


@pytest.mark.slow
def test_a_dry_run_says_what_would_be_run_and_runs_nothing(live: LiveShop, run_job: Command) -> None:
    day, runs = live.today - timedelta(days=1), JobRun.objects.count()
    words = run_job("ozon_sync", "--shop", str(live.shop.pk), "--day", str(day), "--dry-run")
    assert words.startswith(f"would run: ozon_sync, shop {live.shop.pk} (Shelf), {day} … {day}, as of")
    assert JobRun.objects.count() == runs


@pytest.mark.slow
def test_a_run_that_fails_is_the_commands_error(live: LiveShop, run_job: Command) -> None:
    live.world.next_day()
    JobRun.objects.create(job="ozon_sync", shop=live.shop, slot="x", as_of=live.now, state=State.DONE)
    with pytest.raises(CommandError, match="Shelf: failed: The data of this morning are not complete yet"):
        run_job("stock_alerts")


@pytest.fixture
def no_marketplace(db: None) -> None:
    """Anna's shop, with nobody behind it: nothing gets as far as asking."""
    anna()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ozon_sink"], r"argument job: invalid choice: 'ozon_sink' \(choose from .*ozon_sync"),
        (["ozon_sync", "--day", "1.3.2026"], "argument --day: '1.3.2026' is no day; write it as 2026-03-01"),
        (["ozon_sync", "--from", "2026-03-01"], "--to: it is missing; --from and --to go together"),
        (["ozon_sync", "--to", "2026-03-01"], "--from: it is missing"),
        (["ozon_sync", "--day", "2026-03-01", "--to", "2026-03-01"], "--day: it cannot stand beside --from and --to"),
        (["ozon_sync", "--shop", "99999"], r"--shop: no active shop 99999 for ozon_sync; accepted: \d+ \(Shelf\)"),
        (["ozon_sync", "--day", "2001-01-01"], r"--day: Jan 1, 2001 cannot be run for\. Accepted: from .* to .*\."),
        (["ozon_sync", "--from", "2001-01-01", "--to", "2001-02-01"], "--from: Jan 1, 2001 cannot be run for"),
        (["price_analysis", "--day", "2026-03-01"], "“price analysis” decides on money or stock"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_what_is_wrong_is_named_with_what_is_accepted(
    no_marketplace: None, arguments: list[str], words: str, dry: list[str]
) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("run_job", *arguments, *dry)
    assert not JobRun.objects.exists()
