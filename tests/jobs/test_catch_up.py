"""Once a minute: what was due and nobody did is done, once, by the policy of its job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from apps.common.clock import real_now
from apps.common.errors import Refused
from apps.jobs import by_hand, ledger
from apps.jobs.by_hand import Errand
from apps.jobs.catch_up import catch_up, fire
from apps.jobs.models import JobRun
from apps.jobs.schedule import row_name, seed
from apps.shops.models import Credential, Member, Shop
from tests import cast
from tests.jobs.day import BACKFILL, CLEANING, PRICES, REPORT, SYNC, leave_only, move, utc

pytestmark = pytest.mark.django_db

State = JobRun.State
SIX = utc("2026-03-02 03:00")  # in Moscow
NOON = utc("2026-03-02 09:00")


def slots(job: str, **lookup: object) -> list[str]:
    return list(JobRun.objects.filter(job=job, **lookup).order_by("pk").values_list("slot", flat=True))


def every(minutes: int, first: str, last: str) -> Iterator[datetime]:
    moment = utc(first)
    while moment <= utc(last):
        yield moment
        moment += timedelta(minutes=minutes)


def fire_sync(shop: Shop, now: datetime) -> int:
    return fire(job="sync", shop_id=shop.pk, now=now)


def finish_all() -> None:
    for run in JobRun.objects.filter(state=State.PLANNED):
        started = ledger.start(run_id=run.pk)
        if started:
            ledger.finish(run=started, result={})


# What beat fires


def test_what_beat_fires_claims_the_day(shop: Shop) -> None:
    assert fire_sync(shop, SIX + timedelta(seconds=1)) == 1
    run = JobRun.objects.get()
    assert (run.job, run.shop, run.slot, run.as_of, run.state) == ("sync", shop, "2026-03-02", SIX, State.PLANNED)


def test_two_beats_and_the_catch_up_make_one_run(shop: Shop) -> None:
    leave_only(SYNC)
    assert [fire_sync(shop, SIX), fire_sync(shop, SIX), catch_up(now=SIX).claimed] == [1, 0, 0]
    assert slots("sync") == ["2026-03-02"]


def test_a_moved_hour_makes_no_second_run_on_that_day(shop: Shop) -> None:
    leave_only(SYNC)
    fire_sync(shop, SIX)
    finish_all()
    move(SYNC, shop, hour="7")

    for moment in every(30, "2026-03-02 03:30", "2026-03-03 05:00"):
        catch_up(now=moment)
        if moment == SIX + timedelta(hours=1):
            assert fire_sync(shop, moment) == 0

    assert slots("sync") == ["2026-03-02", "2026-03-03"]


def test_an_hour_moved_back_and_forth_makes_no_second_run_either(shop: Shop) -> None:
    leave_only(SYNC)
    fire_sync(shop, SIX)
    for hour in ("5", "23", "6"):
        move(SYNC, shop, hour=hour)
        assert catch_up(now=NOON).claimed == 0
    assert slots("sync") == ["2026-03-02"]


def test_a_row_that_is_due_every_four_hours_runs_six_times_a_day(shop: Shop) -> None:
    leave_only(SYNC)
    fire_sync(shop, utc("2026-03-01 21:00"))
    move(SYNC, shop, hour="*/4")
    for moment in every(60, "2026-03-01 21:05", "2026-03-02 20:05"):
        catch_up(now=moment)
    assert [slot for slot in slots("sync") if slot > "2026-03-01T21"] == [
        "2026-03-01T21:00Z",
        "2026-03-02T01:00Z",
        "2026-03-02T05:00Z",
        "2026-03-02T09:00Z",
        "2026-03-02T13:00Z",
        "2026-03-02T17:00Z",
    ]


def test_a_row_with_an_interval_is_due_when_beat_says_so(shop: Shop) -> None:
    interval = IntervalSchedule.objects.create(every=2, period=IntervalSchedule.HOURS)
    PeriodicTask.objects.filter(name=row_name(SYNC, shop)).update(crontab=None, interval=interval)
    leave_only(SYNC)
    assert fire_sync(shop, NOON) == 1
    assert fire_sync(shop, NOON + timedelta(seconds=20)) == 0
    assert slots("sync") == ["2026-03-02T09:00Z"]
    assert catch_up(now=NOON + timedelta(hours=5)).claimed == 0


def test_a_row_that_is_off_fires_nothing(shop: Shop) -> None:
    leave_only(REPORT)
    assert fire_sync(shop, SIX) == 0
    assert fire(job="unknown", shop_id=shop.pk, now=SIX) == 0


# What nobody ran


def test_latest_makes_up_for_a_long_outage_with_one_run(shop: Shop) -> None:
    leave_only(SYNC)
    fire_sync(shop, SIX - timedelta(days=5))
    assert catch_up(now=NOON).claimed == 1
    assert slots("sync") == ["2026-02-25", "2026-03-02"]


def test_a_report_is_late_within_its_grace_and_skipped_after_it(shop: Shop) -> None:
    leave_only(REPORT)
    assert catch_up(now=utc("2026-03-02 08:59")).claimed == 1
    finish_all()
    assert slots("report", state=State.DONE) == ["2026-03-02"]

    assert catch_up(now=utc("2026-03-03 09:01")).claimed == 0
    skipped = JobRun.objects.get(state=State.SKIPPED)
    assert skipped.slot == "2026-03-03"
    assert "too late" in skipped.error
    assert ledger.start(run_id=skipped.pk) is None


def test_beat_that_comes_back_and_fires_yesterdays_report_sends_nothing(shop: Shop) -> None:
    leave_only(REPORT)
    assert fire(job="report", shop_id=shop.pk, now=utc("2026-03-03 04:30")) == 0
    assert slots("report", state=State.PLANNED) == []


def test_all_runs_every_missed_slot_within_its_grace(shop: Shop) -> None:
    leave_only(BACKFILL)
    assert catch_up(now=NOON).claimed == 3
    assert slots("backfill") == ["2026-02-27", "2026-02-28", "2026-03-01"]
    assert catch_up(now=NOON).claimed == 0


def test_a_new_shop_syncs_at_once_and_owes_nothing_else(shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(created_at=NOON)
    catch_up(now=NOON + timedelta(minutes=1))
    assert Counter(JobRun.objects.values_list("job", flat=True)) == {"sync": 1}


def test_a_later_run_makes_an_earlier_slot_history(shop: Shop) -> None:
    leave_only(SYNC)
    ledger.plan(job=SYNC, shop=shop, due=SIX)
    assert catch_up(now=SIX - timedelta(hours=1)).claimed == 0, "the clock was set back"


def test_the_job_of_the_installation_is_caught_up_too(shop: Shop) -> None:
    seed()
    leave_only(CLEANING)
    assert catch_up(now=NOON).claimed == 1
    assert JobRun.objects.get().shop is None


def test_a_sleeping_shop_owes_nothing(shop: Shop) -> None:
    shop.is_active = False
    shop.save()
    assert catch_up(now=NOON).claimed == 0


# Runs that stopped halfway


def test_a_lost_message_is_sent_again(shop: Shop) -> None:
    leave_only(SYNC)
    fire_sync(shop, SIX)
    assert catch_up(now=SIX).woken == 1


def test_a_dead_worker_is_noticed_and_a_live_one_left_alone(shop: Shop) -> None:
    leave_only(SYNC)
    fire_sync(shop, SIX)
    run = ledger.start(run_id=JobRun.objects.get().pk)
    assert run is not None
    assert catch_up(now=SIX).woken == 0
    JobRun.objects.update(lease_until=real_now())
    assert catch_up(now=SIX).woken == 1


def test_an_error_is_not_woken_before_its_time(shop: Shop) -> None:
    leave_only(SYNC)
    fire_sync(shop, SIX)
    run = ledger.start(run_id=JobRun.objects.get().pk)
    assert run is not None
    ledger.fail(run=run, error="no answer", again=True)
    assert catch_up(now=SIX).woken == 0


def test_prices_that_waited_in_vain_fail_in_words(shop: Shop) -> None:
    leave_only(PRICES)
    fire(job="prices", shop_id=shop.pk, now=utc("2026-03-02 06:30"))
    assert catch_up(now=utc("2026-03-02 14:29")).given_up == 0
    assert catch_up(now=utc("2026-03-02 14:31")).given_up == 1
    run = JobRun.objects.get()
    assert (run.state, run.attempt) == (State.FAILED, 0)
    assert "“sync” of Mar 2, 2026 has not been completed" in run.error


def test_a_report_that_only_waited_for_its_turn_is_skipped(shop: Shop) -> None:
    leave_only(REPORT)
    fire(job="report", shop_id=shop.pk, now=utc("2026-03-02 06:00"))
    assert catch_up(now=utc("2026-03-02 09:01")).given_up == 1
    assert JobRun.objects.get().state == State.SKIPPED


def test_a_run_by_hand_waits_as_long_as_it_takes(shop: Shop) -> None:
    leave_only(SYNC)
    by_hand.start(Errand.of(job="report", shop=shop, as_of=SIX), by=Member.objects.get(seller=shop.seller))
    assert catch_up(now=SIX + timedelta(days=2)).given_up == 0


def test_a_run_of_a_job_that_is_gone_ends(shop: Shop) -> None:
    leave_only(SYNC)
    fire_sync(shop, SIX)
    JobRun.objects.update(job="removed_in_this_release")
    assert catch_up(now=SIX).given_up == 1
    assert JobRun.objects.get(job="removed_in_this_release").state == State.FAILED


# Nights when clocks change


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Europe/Kyiv"])
@pytest.mark.parametrize("evening", ["2026-03-28 18:00", "2026-10-24 18:00"])
@pytest.mark.parametrize(("hour", "minute"), [("3", "30"), ("4", "0")])
def test_each_daily_job_runs_once_through_the_night(
    shop: Shop, zone: str, evening: str, hour: str, minute: str
) -> None:
    start = utc(evening)
    there = cast.shop(shop.seller, "Night", timezone=zone)
    leave_only(SYNC)
    move(SYNC, there, hour=hour, minute=minute)
    fire_sync(there, start)  # the day's own run

    claimed = {
        now: fire_sync(there, now) for now in every(15, evening, f"{start + timedelta(hours=12):%Y-%m-%d %H:%M}")
    }

    assert sum(claimed.values()) == 1
    assert slots("sync", shop=there) == [f"{start:%Y-%m-%d}", f"{start + timedelta(days=1):%Y-%m-%d}"]


# What waits for a key


def test_a_run_waits_while_the_marketplace_refuses_its_key_and_then_starts(shop: Shop) -> None:
    Credential.objects.filter(shop=shop).update(is_refused=True, problem="Invalid Api-Key")
    fire_sync(shop, SIX)
    run = JobRun.objects.get()
    assert ledger.start(run_id=run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.error) == (State.PLANNED, "The marketplace refuses the shop's key: Invalid Api-Key")

    Credential.objects.filter(shop=shop).update(is_refused=False)
    assert ledger.start(run_id=run.pk) is not None


def test_of_several_mornings_that_waited_the_last_one_is_run(shop: Shop) -> None:
    leave_only(SYNC)
    Credential.objects.filter(shop=shop).update(is_refused=True)
    for moment in every(60, "2026-03-02 03:00", "2026-03-04 05:00"):
        catch_up(now=moment)
    assert slots("sync", state=State.SKIPPED) == ["2026-03-02", "2026-03-03"]
    assert slots("sync", state=State.PLANNED) == ["2026-03-04"]


def test_a_person_who_asks_for_a_run_is_told_of_the_key(shop: Shop) -> None:
    Credential.objects.filter(shop=shop).update(is_refused=True, problem="Invalid Api-Key")
    with pytest.raises(Refused, match="refuses the shop's key: Invalid Api-Key"):
        by_hand.start(Errand.of(job="sync", shop=shop, as_of=NOON), by=shop.seller.members.get())
