"""A slot is claimed once, a run is led by one worker at a time, and its end is written down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from apps.common.clock import real_now
from apps.jobs import ledger
from apps.jobs.ledger import LeaseLost
from apps.jobs.models import JobRun
from apps.shops.models import Shop
from tests import cast
from tests.jobs.day import CLEANING, PRICES, SYNC, utc

pytestmark = pytest.mark.django_db

State = JobRun.State
SIX = utc("2026-03-02 03:00")  # in Moscow
NOON = utc("2026-03-02 09:00")


def planned(shop: Shop) -> JobRun:
    run = ledger.plan(job=SYNC, shop=shop, due=SIX)
    assert run is not None
    return run


def started(shop: Shop) -> JobRun:
    run = ledger.start(run_id=planned(shop).pk)
    assert run is not None
    return run


def let_the_lease_end(run: JobRun) -> None:
    JobRun.objects.filter(pk=run.pk).update(lease_until=real_now() - timedelta(seconds=1))


def stored(run: JobRun) -> JobRun:
    return JobRun.objects.get(pk=run.pk)


# Slots


def test_a_day_is_the_day_on_the_wall_of_the_shop(shop: Shop) -> None:
    late_evening = utc("2026-03-02 21:30")
    assert ledger.slot_for(shop=shop, due=late_evening, daily=True) == "2026-03-03"
    assert ledger.slot_for(shop=shop, due=late_evening, daily=False) == "2026-03-02T21:30Z"


def test_a_slot_is_claimed_once(shop: Shop) -> None:
    assert ledger.plan(job=SYNC, shop=shop, due=SIX) is not None
    assert ledger.plan(job=SYNC, shop=shop, due=SIX + timedelta(hours=1)) is None, "a moved hour is the same day"
    assert ledger.plan(job=SYNC, shop=shop, due=SIX + timedelta(days=1)) is not None


def test_another_shop_and_another_job_have_slots_of_their_own(shop: Shop) -> None:
    other = cast.shop(shop.seller, "The other")
    assert ledger.plan(job=SYNC, shop=shop, due=SIX)
    assert ledger.plan(job=SYNC, shop=other, due=SIX)
    assert ledger.plan(job=PRICES, shop=shop, due=SIX)


def test_a_job_of_the_whole_installation_has_one_slot_too() -> None:
    assert ledger.plan(job=CLEANING, shop=None, due=SIX) is not None
    assert ledger.plan(job=CLEANING, shop=None, due=SIX) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_at_once_one_does(shop: Shop) -> None:
    def claim(_: int) -> bool:
        try:
            return ledger.plan(job=SYNC, shop=shop, due=SIX) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1
    assert JobRun.objects.count() == 1


# Leases


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_leads_the_run(shop: Shop) -> None:
    run = planned(shop)

    def start(_: int) -> bool:
        try:
            return ledger.start(run_id=run.pk) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, range(8))) == 1
    assert stored(run).attempt == 1


def test_a_started_run_knows_who_leads_it_and_for_how_long(shop: Shop, settings: Settings) -> None:
    settings.JOB_LEASE_SECONDS = 900
    run = started(shop)
    assert (run.state, run.attempt, run.lease_version, run.as_of) == (State.RUNNING, 1, 1, SIX)
    assert run.lease_until is not None
    assert timedelta(minutes=14) < run.lease_until - real_now() <= timedelta(minutes=15)


def test_a_run_whose_worker_died_is_taken_over_when_its_lease_ends(shop: Shop) -> None:
    first = started(shop)
    assert ledger.start(run_id=first.pk) is None
    let_the_lease_end(first)

    second = ledger.start(run_id=first.pk)

    assert second is not None
    assert (second.attempt, second.lease_version, second.started_at) == (2, 2, first.started_at)


def test_the_worker_that_lost_its_lease_changes_nothing(shop: Shop) -> None:
    frozen = started(shop)
    let_the_lease_end(frozen)
    ledger.start(run_id=frozen.pk)

    with pytest.raises(LeaseLost):
        ledger.renew(run=frozen)
    with pytest.raises(LeaseLost):
        ledger.hand_on(run=frozen, progress={"share": 1})
    with pytest.raises(LeaseLost):
        ledger.finish(run=frozen, result={"rows": 7})
    with pytest.raises(LeaseLost):
        ledger.fail(run=frozen, error="late", again=True)
    with pytest.raises(LeaseLost):
        ledger.fail(run=frozen, error="late", again=False)
    now = stored(frozen)
    assert (now.state, now.lease_version, now.result, now.progress, now.error) == (State.RUNNING, 2, {}, {}, "")


def test_a_renewed_lease_lasts_longer(shop: Shop) -> None:
    run = started(shop)
    JobRun.objects.filter(pk=run.pk).update(lease_until=real_now() + timedelta(seconds=5))
    ledger.renew(run=run)
    until = stored(run).lease_until
    assert until is not None
    assert until > real_now() + timedelta(minutes=1)


def test_the_third_worker_is_the_last(shop: Shop) -> None:
    run = started(shop)
    for _ in range(2):
        let_the_lease_end(run)
        assert ledger.start(run_id=run.pk) is not None
    let_the_lease_end(run)

    assert ledger.start(run_id=run.pk) is None

    dead = stored(run)
    assert (dead.state, dead.attempt) == (State.FAILED, 3)
    assert "died 3 times" in dead.error
    assert dead.finished_at is not None
    assert ledger.start(run_id=run.pk) is None


def test_a_slice_that_got_further_has_its_attempts_back(shop: Shop) -> None:
    run = started(shop)
    let_the_lease_end(run)
    second = ledger.start(run_id=run.pk)
    assert second is not None

    ledger.hand_on(run=second, progress={"days": 30, "of": 180})

    handed = stored(run)
    assert (handed.state, handed.attempt, handed.progress) == (State.RUNNING, 0, {"days": 30, "of": 180})
    third = ledger.start(run_id=run.pk)
    assert third is not None
    assert third.attempt == 1


# One run of a job and shop at a time


def test_a_run_waits_while_another_of_the_same_job_and_shop_is_under_way(shop: Shop) -> None:
    yesterday = ledger.plan(job=SYNC, shop=shop, due=SIX - timedelta(days=1))
    assert yesterday is not None
    first = ledger.start(run_id=yesterday.pk)
    assert first is not None
    today = planned(shop)
    let_the_lease_end(first)

    assert ledger.start(run_id=today.pk) is None, "its worker may be dead, but the run is not over"
    assert stored(today).state == State.PLANNED

    ledger.finish(run=first, result={})
    assert stored(today).attempt == 0, "waiting costs no attempt"
    assert ledger.start(run_id=today.pk) is not None


# Ends


def test_a_finished_run_keeps_its_result_and_starts_no_more(shop: Shop) -> None:
    run = started(shop)
    ledger.finish(run=run, result={"rows": 7})
    done = stored(run)
    assert (done.state, done.result, done.lease_until) == (State.DONE, {"rows": 7}, None)
    assert ledger.start(run_id=run.pk) is None


def test_an_error_is_tried_again_after_a_minute_and_after_a_lease(shop: Shop, settings: Settings) -> None:
    settings.JOB_LEASE_SECONDS = 900
    run = started(shop)
    waits = []
    for _ in range(2):
        ledger.fail(run=run, error="no answer", again=True)
        again = stored(run)
        assert (again.state, again.error) == (State.PLANNED, "no answer")
        assert ledger.start(run_id=run.pk) is None, "not yet"
        waits.append(round((again.due_at - real_now()) / timedelta(minutes=1)))
        JobRun.objects.filter(pk=run.pk).update(due_at=real_now())
        taken = ledger.start(run_id=run.pk)
        assert taken is not None
        run = taken
    assert waits == [1, 15]  # minutes

    ledger.fail(run=run, error="no answer", again=True)

    assert stored(run).state == State.FAILED


def test_an_error_that_would_come_again_is_the_end(shop: Shop) -> None:
    run = started(shop)
    ledger.fail(run=run, error="the key is wrong", again=False)
    assert (stored(run).state, stored(run).error) == (State.FAILED, "the key is wrong")


# What a run needs


def test_prices_wait_for_the_sync_of_the_same_day(shop: Shop) -> None:
    prices = ledger.plan(job=PRICES, shop=shop, due=SIX + timedelta(hours=3))
    assert prices is not None
    run_of(shop, SIX - timedelta(days=1))

    assert ledger.start(run_id=prices.pk) is None
    waiting = stored(prices)
    assert (waiting.state, waiting.attempt) == (State.PLANNED, 0)
    assert "Mar 2, 2026" in waiting.error

    run_of(shop, SIX)
    begun = ledger.start(run_id=prices.pk)
    assert begun is not None
    assert begun.error == ""


def run_of(shop: Shop, due: object) -> None:
    """A sync that was done for the day of `due`."""
    run = ledger.plan(job=SYNC, shop=shop, due=due)  # type: ignore[arg-type]
    assert run is not None
    begun = ledger.start(run_id=run.pk)
    assert begun is not None
    ledger.finish(run=begun, result={})


def test_a_sync_that_failed_is_no_data(shop: Shop) -> None:
    run = started(shop)
    ledger.fail(run=run, error="half a list", again=False)
    prices = ledger.plan(job=PRICES, shop=shop, due=SIX + timedelta(hours=3))
    assert prices is not None
    assert ledger.start(run_id=prices.pk) is None


# A clock that ran ahead


def test_slots_of_a_clock_that_ran_ahead_are_free_again(shop: Shop) -> None:
    tomorrow = ledger.plan(job=SYNC, shop=shop, due=SIX + timedelta(days=1))
    assert tomorrow is not None
    taken = ledger.start(run_id=tomorrow.pk)
    assert taken is not None

    assert ledger.void_future(now=NOON) == 1

    assert stored(tomorrow).state == State.FAILED
    with pytest.raises(LeaseLost):
        ledger.finish(run=taken, result={})
    assert ledger.plan(job=SYNC, shop=shop, due=SIX + timedelta(days=1)) is not None
