"""What became of each slot that was due: in time, late and by how much, missed, left out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.common.clock import real_now
from apps.jobs import ledger
from apps.jobs.catch_up import catch_up, fire
from apps.jobs.models import JobRun
from apps.jobs.punctuality import Punctuality, Slot, last_slots
from apps.jobs.schedule import entries, seed
from apps.shops.models import Shop
from tests import cast
from tests.jobs.day import CLEANING, REPORT, SYNC, leave_only, move, utc

pytestmark = pytest.mark.django_db

State = JobRun.State
SIX = utc("2026-03-02 03:00")  # in Moscow
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def slots(now: datetime, *, within: timedelta = DAY, most: int | None = None) -> list[Slot]:
    return last_slots(entries(), now=now, within=within, most=most)


def verdict(now: datetime) -> str:
    """Of the one slot of the last day."""
    (slot,) = slots(now)
    return slot.punctuality.value


def begin(shop: Shop, *, at: datetime) -> JobRun:
    """What beat fires at that moment, taken up at once."""
    fire(job="sync", shop_id=shop.pk, now=at)
    run = ledger.start(run_id=JobRun.objects.latest("pk").pk)
    assert run is not None
    return run


def test_a_run_that_began_with_its_slot_is_on_time_also_while_it_is_under_way(shop: Shop) -> None:
    leave_only(SYNC)
    run = begin(shop, at=SIX)
    assert verdict(SIX + MINUTE) == Punctuality.ON_TIME
    ledger.finish(run=run, result={})
    assert verdict(SIX + 60 * MINUTE) == Punctuality.ON_TIME


def test_late_is_what_the_clock_lost_and_what_it_waited_for_a_worker(shop: Shop) -> None:
    leave_only(SYNC)
    run = begin(shop, at=SIX + 40 * MINUTE)
    JobRun.objects.filter(pk=run.pk).update(created_at=real_now(), started_at=real_now() + 10 * MINUTE)
    (slot,) = slots(SIX + 60 * MINUTE)
    assert slot.punctuality == Punctuality.LATE
    assert abs(slot.late - 50 * MINUTE) < MINUTE


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, Punctuality.WAITING), (30, Punctuality.WAITING), (31, Punctuality.MISSED)]
)
def test_a_slot_without_a_run_is_missed_after_half_an_hour(shop: Shop, minutes: int, expected: Punctuality) -> None:
    leave_only(SYNC)
    assert verdict(SIX + minutes * MINUTE) == expected


def test_a_claimed_slot_that_nobody_begins_is_overdue(shop: Shop) -> None:
    leave_only(SYNC)
    ledger.plan(job=SYNC, shop=shop, due=SIX)
    assert verdict(SIX + 20 * MINUTE) == Punctuality.WAITING
    assert verdict(SIX + 40 * MINUTE) == Punctuality.OVERDUE


def test_what_its_policy_left_out_is_skipped_and_what_failed_failed(shop: Shop) -> None:
    leave_only(REPORT)
    noon = utc("2026-03-02 12:00")
    catch_up(now=noon)
    assert verdict(noon) == Punctuality.SKIPPED
    JobRun.objects.update(state=State.FAILED)
    assert verdict(noon) == Punctuality.FAILED


def test_the_last_slots_stand_in_order_and_tell_an_outage(shop: Shop) -> None:
    leave_only(SYNC)
    for day in (0, 1, 4):
        ledger.finish(run=begin(shop, at=SIX + day * DAY), result={})
    told = slots(SIX + 4 * DAY + MINUTE, within=7 * DAY, most=4)
    assert [(slot.name, slot.punctuality) for slot in told] == [
        ("2026-03-03", Punctuality.ON_TIME),
        ("2026-03-04", Punctuality.MISSED),
        ("2026-03-05", Punctuality.MISSED),
        ("2026-03-06", Punctuality.ON_TIME),
    ]


def test_a_moved_hour_is_still_the_slot_of_its_day(shop: Shop) -> None:
    leave_only(SYNC)
    begin(shop, at=SIX)
    move(SYNC, shop, hour="7")
    assert verdict(SIX + 120 * MINUTE) == Punctuality.ON_TIME


def test_a_moment_that_comes_twice_in_a_night_is_one_slot(shop: Shop) -> None:
    there = cast.shop(shop.seller, "Night", timezone="Europe/Kyiv")
    Shop.objects.filter(pk=there.pk).update(created_at=utc("2026-01-01 00:00"))
    leave_only(SYNC)
    move(SYNC, there, hour="3", minute="30")
    night = [slot for slot in slots(utc("2026-10-25 08:00")) if slot.entry.shop == there]
    assert [slot.name for slot in night] == ["2026-10-25"]


def test_the_installation_s_own_job_has_slots_too(shop: Shop) -> None:
    seed()
    leave_only(CLEANING)
    assert [slot.place for slot in slots(SIX)] == [("cleaning", None)]
