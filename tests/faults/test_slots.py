"""The clock under faults: a slot that was claimed is run, once, whoever dies, repeats itself or goes wrong."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from apps.common.clock import real_now
from apps.jobs.catch_up import fire
from apps.jobs.models import JobRun, Pulse
from apps.jobs.schedule import row_name, seed
from apps.jobs.timetable import Job
from apps.notifications.models import OutboxMessage
from apps.shops.models import AuditEntry, Shop
from tests import cast
from tests.faults.harness import Fleet, Process, eventually
from tests.faults.timetable import MORNING, SLICES, TRACE

pytestmark = pytest.mark.fault

State = JobRun.State


@pytest.fixture(autouse=True)
def _timetable(settings: Settings) -> None:
    settings.TIMETABLE = "tests.faults.timetable"


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    return cast.anna().seller.shops.get()


def traces() -> Counter[str]:
    entries = AuditEntry.objects.exclude(action__startswith="job.")
    return Counter(entries.values_list("action", flat=True))


def is_done(run: JobRun) -> bool:
    run.refresh_from_db()
    return run.state == State.DONE


def claimed(shop: Shop, job: str = TRACE.name) -> JobRun:
    """A run that is planned; its message went to a Redis that no worker of the fleet listens to."""
    assert fire(job=job, shop_id=shop.pk, now=real_now()) == 1
    return JobRun.objects.get(job=job, shop=shop)


def catch_up_until_done(fleet: Fleet, run: JobRun) -> None:
    """The minute's tick, faster."""

    def ticked() -> bool:
        fleet.send("jobs.catch_up")
        return is_done(run)

    eventually(ticked, "the run is done", every=0.5)


@pytest.mark.slow
def test_a_worker_killed_right_after_the_claim_loses_nothing(fleet: Fleet, shop: Shop) -> None:
    doomed = fleet.worker("fast", CRASH_BEFORE="apps.jobs.wake._send")
    fleet.send("jobs.fire", job=TRACE.name, shop_id=shop.pk)
    doomed.wait_end()
    run = JobRun.objects.get()
    assert (run.state, traces()) == (State.PLANNED, {})

    fleet.worker("fast")
    PeriodicTask.objects.exclude(name=row_name(TRACE, shop)).update(enabled=False)
    catch_up_until_done(fleet, run)

    for _ in range(3):
        fleet.send("jobs.fire", job=TRACE.name, shop_id=shop.pk)
        fleet.send("jobs.run", run.pk)
    fleet.send("health.ping", "fast")
    eventually(Pulse.objects.exists, "the queue is drained")
    assert traces() == {"trace.began": 1, "trace.ended": 1}
    assert JobRun.objects.count() == 1


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_is_taken_over_when_its_lease_ends(fleet: Fleet, shop: Shop) -> None:
    run = claimed(shop)
    PeriodicTask.objects.update(enabled=False)
    doomed = fleet.worker("fast", TRACE_SECONDS="60")
    fleet.send("jobs.run", run.pk)
    eventually(lambda: traces()["trace.began"], "the run is under way")
    doomed.kill()

    fleet.worker("fast")
    catch_up_until_done(fleet, run)

    assert (run.attempt, run.lease_version) == (2, 2)
    assert traces() == {"trace.began": 2, "trace.ended": 1}


@pytest.mark.slow
def test_a_frozen_worker_that_wakes_up_has_nothing_to_say(fleet: Fleet, shop: Shop) -> None:
    run = claimed(shop)
    PeriodicTask.objects.update(enabled=False)
    sleeper = fleet.worker("fast", WORKER="sleeper", TRACE_SECONDS="2")
    fleet.send("jobs.run", run.pk)
    eventually(lambda: traces()["trace.began"], "the run is under way")
    sleeper.freeze()

    fleet.worker("fast", WORKER="second")
    catch_up_until_done(fleet, run)
    sleeper.thaw()

    sleeper.wait_line("taken over by another worker")
    run.refresh_from_db()
    assert (run.state, run.result) == (State.DONE, {"worker": "second"})


@pytest.mark.slow
def test_a_run_that_kills_its_workers_ends_after_three_and_the_owner_hears(fleet: Fleet, shop: Shop) -> None:
    run = claimed(shop)
    PeriodicTask.objects.update(enabled=False)
    worker = fleet.worker("fast", JOB_LEASE_SECONDS="1", CRASH_BEFORE="apps.jobs.ledger.finish", CRASH_WHOM="child")

    def is_given_up() -> bool:
        fleet.send("jobs.catch_up")
        run.refresh_from_db()
        return run.state == State.FAILED

    eventually(is_given_up, "the run is given up", every=0.5)

    assert run.attempt == 3
    assert traces()["trace.began"] == 3
    assert worker.is_running
    fleet.send("jobs.watchdog")
    eventually(OutboxMessage.objects.filter(name="job_failed").exists, "the owner is told")


@pytest.mark.slow
def test_a_chain_of_slices_survives_the_death_of_each_process_that_ends_one(fleet: Fleet, shop: Shop) -> None:
    run = claimed(shop, SLICES.name)
    PeriodicTask.objects.update(enabled=False)
    fleet.send("jobs.run", run.pk, queue="sync")

    worker = fleet.worker("sync", CRASH_AFTER="apps.jobs.ledger.hand_on", CRASH_WHOM="child")

    eventually(lambda: is_done(run), "the run is done")
    assert traces() == {"slice.1": 1, "slice.2": 1, "slice.3": 1}
    assert run.result == {"slices": 3}
    assert worker.is_running


@pytest.mark.slow
def test_copies_of_a_message_and_messages_from_another_release_do_no_harm(fleet: Fleet, shop: Shop) -> None:
    run = claimed(shop)
    worker = fleet.worker("fast", 2, TRACE_SECONDS="1")
    fleet.send("jobs.removed_long_ago", 7)
    fleet.send("jobs.run", a_name_from_another_release=7)
    for _ in range(3):
        fleet.send("jobs.run", run.pk)
    eventually(lambda: is_done(run), "the run is done")

    worker.wait_line("removed_long_ago")
    worker.wait_line("a_name_from_another_release")
    assert traces() == {"trace.began": 1, "trace.ended": 1}


@pytest.mark.slow
def test_a_deployment_lets_a_short_run_finish(fleet: Fleet, shop: Shop) -> None:
    run = claimed(shop)
    worker = fleet.worker("fast", TRACE_SECONDS="1.5")
    fleet.send("jobs.run", run.pk)
    eventually(lambda: traces()["trace.began"], "the run is under way")

    worker.ask_to_stop()

    worker.wait_end()
    assert is_done(run)
    assert run.attempt == 1


@pytest.mark.slow
def test_an_idle_worker_stops_at_once_and_gives_back_what_waits_for_its_time(fleet: Fleet, shop: Shop) -> None:
    worker = fleet.worker("fast", SOFT_SHUTDOWN_SECONDS="25")
    fleet.send("health.ping", "money", countdown=6)
    worker.wait_line(r"health\.ping.* received")
    asked_at = time.monotonic()

    worker.ask_to_stop()

    worker.wait_end()
    assert time.monotonic() - asked_at < 20
    fleet.worker("fast")
    eventually(Pulse.objects.filter(part="queue:money").exists, "another worker has it at its time")


def zones_at_noon() -> list[str]:
    """Two zones where it is past noon now: their day does not end during the test, and beat, which reads only rows of
    the hours around now, reads those of 11:00 and 12:00."""
    return [f"Etc/GMT{real_now().hour - local:+d}" for local in (12, 13)]  # GMT-3 lies east


def move(row_of: Shop, *, hour: int, job: Job = TRACE) -> None:
    row = PeriodicTask.objects.get(name=row_name(job, row_of))
    row.crontab.hour, row.crontab.minute = str(hour), "0"
    row.crontab.save()


def fire_overdue(fleet: Fleet, *shops: Shop) -> Process:
    """A new beat that finds the shops' rows not run for two days, as after an outage, and so fires them at once."""
    names = [row_name(TRACE, shop) for shop in shops]
    PeriodicTask.objects.exclude(name__in=names).update(enabled=False)
    PeriodicTask.objects.filter(name__in=names).update(last_run_at=real_now() - timedelta(days=2))
    beat = fleet.beat()
    for name in names:
        beat.wait_line(f"Sending due task {name}")
    return beat


@pytest.mark.slow
def test_two_beats_two_zones_and_a_moved_hour_make_one_run_a_day_each(fleet: Fleet, shop: Shop) -> None:
    shops = [cast.shop(shop.seller, f"In {zone}", timezone=zone) for zone in zones_at_noon()]
    for one in shops:
        move(one, hour=11)
    fleet.worker("fast")
    beats = [fire_overdue(fleet, *shops) for _ in range(2)]
    eventually(lambda: JobRun.objects.filter(state=State.DONE).count() == 2, "both shops' runs are done")

    for beat in beats:
        beat.kill()  # they would write into the rows what they remember
    for one in shops:
        move(one, hour=12)
    fire_overdue(fleet, *shops)
    fleet.send("jobs.catch_up")
    fleet.send("health.ping", "fast")
    eventually(Pulse.objects.exists, "the queue is drained")

    days = {one.pk: real_now().astimezone(ZoneInfo(one.timezone)).date().isoformat() for one in shops}
    assert dict(JobRun.objects.values_list("shop", "slot")) == days
    assert traces() == {"trace.began": 2, "trace.ended": 2}


@pytest.mark.slow
def test_a_beat_that_was_down_over_its_hours_makes_up_for_them_by_their_policies(fleet: Fleet, shop: Shop) -> None:
    late = cast.shop(shop.seller, "Late", timezone=zones_at_noon()[1])
    Shop.objects.filter(pk=late.pk).update(created_at=real_now() - timedelta(days=3))
    names = [row_name(job, late) for job in (TRACE, MORNING)]
    for job in (TRACE, MORNING):
        move(late, hour=11, job=job)
    PeriodicTask.objects.exclude(name__in=names).update(enabled=False)
    PeriodicTask.objects.update(last_run_at=real_now() - timedelta(days=2))
    fleet.worker("fast")

    beat = fleet.beat()
    for name in names:
        beat.wait_line(f"Sending due task {name}")
    for _ in range(2):
        fleet.send("jobs.catch_up")
    fleet.send("health.ping", "fast")
    eventually(Pulse.objects.exists, "the queue is drained")
    eventually(lambda: JobRun.objects.filter(job=TRACE.name, state=State.DONE).exists(), "the late one is run")

    today = real_now().astimezone(ZoneInfo(late.timezone)).date().isoformat()
    found = JobRun.objects.filter(shop=late).values_list("job", "slot", "state")
    assert sorted(found) == [(MORNING.name, today, State.SKIPPED), (TRACE.name, today, State.DONE)]
    assert traces() == {"trace.began": 1, "trace.ended": 1}


@pytest.mark.slow
def test_a_clock_that_ran_ahead_does_not_stop_beat(fleet: Fleet, shop: Shop) -> None:
    seed()
    tick = PeriodicTask.objects.get(name="jobs.watchdog")
    tick.interval.every = 1
    tick.interval.save()
    PeriodicTask.objects.exclude(pk=tick.pk).update(enabled=False)
    PeriodicTask.objects.update(last_run_at=real_now() + timedelta(days=1))
    fleet.worker("fast")

    fleet.beat()

    eventually(Pulse.objects.filter(part="clock").exists, "the clock ticks again", within=20)
    tick.refresh_from_db()
    assert tick.last_run_at < real_now() + timedelta(minutes=1)
