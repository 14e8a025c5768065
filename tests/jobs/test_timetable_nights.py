"""The project's own timetable through hard days: every job has one run for each slot, whatever the clock does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from pytest_django import Settings

from apps.common.clock import real_now
from apps.jobs import ledger, watchdog
from apps.jobs.catch_up import catch_up, fire
from apps.jobs.models import JobRun
from apps.jobs.schedule import seed
from apps.jobs.timetable import Job
from apps.shops.models import Shop
from config.timetable import TIMETABLE
from tests import cast
from tests.jobs.day import utc

pytestmark = pytest.mark.django_db

State = JobRun.State
JOBS = [job for job in TIMETABLE if "ozon" in job.kinds]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ZONES = ["Europe/Moscow", "Europe/Kyiv"]
SPRING, AUTUMN = "2026-03-29", "2026-10-25"  # Kyiv goes forward and back; Moscow does neither
each_zone = pytest.mark.parametrize("zone", ZONES)
each_night = pytest.mark.parametrize("night", [SPRING, AUTUMN])


@pytest.fixture(autouse=True)
def _own_timetable(settings: Settings, _small_timetable: None) -> None:
    settings.TIMETABLE = "config.timetable"


@pytest.fixture
def there(db: None, zone: str) -> Shop:
    shop = cast.anna().seller.shops.get()
    shop.timezone, shop.created_at = zone, utc("2025-01-01 00:00")
    shop.save()
    return shop


def every(step: timedelta, first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += step


def fire_all(shop: Shop, now: datetime) -> None:
    for job in JOBS:
        fire(job=job.name, shop_id=shop.pk, now=now)


def work() -> None:
    """What the workers do with what was claimed."""
    JobRun.objects.filter(state=State.PLANNED).update(state=State.DONE, started_at=real_now())


def slots(shop: Shop, job: Job) -> list[str]:
    runs = ledger.scheduled().filter(shop=shop, job=job.name)
    return list(runs.order_by("as_of").values_list("slot", flat=True))


@pytest.mark.slow
@each_zone
@each_night
def test_three_days_around_the_night_are_three_runs_of_every_job(there: Shop, zone: str, night: str) -> None:
    """Two beats fire again and again, and the catch-up looks: each slot is somebody's, once, at its hour."""
    midnight = utc(f"{night} 00:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for job in JOBS:
        ledger.plan(job=job, shop=there, due=midnight - DAY / 2)
    for moment in every(2 * HOUR, midnight, midnight + 2 * DAY - 2 * HOUR):
        fire_all(there, moment)
        fire_all(there, moment)
        catch_up(now=moment)
        work()
    days = [f"{utc(f'{night} 00:00') + offset * DAY:%Y-%m-%d}" for offset in (-1, 0, 1)]
    for job in JOBS:
        assert slots(there, job) == days
        for run in JobRun.objects.filter(job=job.name, slot__in=days[1:]):
            assert (run.state, run.as_of.astimezone(ZoneInfo(zone)).time()) == (State.DONE, job.at)


@pytest.mark.slow
@each_zone
@each_night
@pytest.mark.parametrize("wall", ["3:00", "3:30"])
def test_hours_that_were_moved_into_the_night_are_one_run_too(there: Shop, zone: str, night: str, wall: str) -> None:
    """03:00 to 04:00 is the hour that Kyiv leaves out in spring and has twice in autumn."""
    hour, minute = wall.split(":")
    rows = PeriodicTask.objects.filter(name__endswith=f"#{there.pk}")
    CrontabSchedule.objects.filter(periodictask__in=rows).update(hour=hour, minute=minute)
    evening = utc(f"{night} 00:00") - 6 * HOUR
    for moment in every(HOUR, evening, evening + 14 * HOUR):
        fire_all(there, moment)
        catch_up(now=moment)
        work()
    for job in JOBS:
        assert slots(there, job)[-2:] == [f"{evening:%Y-%m-%d}", night]
        assert JobRun.objects.get(shop=there, job=job.name, slot=night).state == State.DONE


# A clock that is moved


in_moscow = pytest.mark.parametrize("zone", ZONES[:1])


@in_moscow
def test_a_clock_that_was_a_day_ahead_for_a_minute_takes_no_slot_from_tomorrow(there: Shop) -> None:
    evening = utc("2026-03-02 16:00")
    with time_machine.travel(evening, tick=False) as machine:
        fire_all(there, real_now())
        machine.move_to(evening + DAY)
        fire_all(there, real_now())
        PeriodicTask.objects.update(last_run_at=real_now())

        machine.move_to(evening)
        assert watchdog.repair_last_runs() == PeriodicTask.objects.count()
        watchdog.tick(now=real_now())
        assert not PeriodicTask.objects.filter(last_run_at__gt=real_now()).exists()

        machine.move_to(evening + DAY)
        fire_all(there, real_now())

    for job in JOBS:
        found = ledger.scheduled().filter(shop=there, job=job.name, slot="2026-03-03")
        assert found.exclude(state=State.FAILED).count() == 1


@in_moscow
def test_a_clock_that_is_set_back_a_day_runs_nothing_twice(there: Shop) -> None:
    evening = utc("2026-03-02 16:00")
    catch_up(now=evening)
    before = JobRun.objects.count()
    for moment in every(3 * HOUR, evening - DAY, evening):
        fire_all(there, moment)
        catch_up(now=moment)
    assert JobRun.objects.count() == before


# An outage

MORNING = ("store_check", "ozon_sync", "ozon_background", "daily_report", "price_analysis", "review_price_experiments")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("back_at", "expected"),
    [
        # hours on the wall: what is run, and what is left out, when the clock comes back then
        (7, dict.fromkeys(MORNING[:3], State.PLANNED)),
        (11, dict.fromkeys(MORNING, State.PLANNED)),
        (
            20,
            {
                "store_check": State.SKIPPED,
                "ozon_sync": State.PLANNED,
                "ozon_background": State.PLANNED,
                "key_check": State.SKIPPED,
                "price_check": State.PLANNED,
                "daily_report": State.SKIPPED,
                "price_analysis": State.SKIPPED,
                "review_price_experiments": State.SKIPPED,
                "stock_alerts": State.PLANNED,
            },
        ),
    ],
)
def test_a_clock_that_stood_over_the_hours_makes_up_for_them_by_their_policies(
    there: Shop, zone: str, back_at: int, expected: dict[str, State]
) -> None:
    seed()
    yesterday, today = "2026-03-02", "2026-03-03"
    for job in JOBS:
        due = utc(f"{yesterday} {job.at:%H:%M}").replace(tzinfo=ZoneInfo(zone))
        ledger.plan(job=job, shop=there, due=due)
        JobRun.objects.filter(job=job.name).update(state=State.DONE, started_at=real_now())
    now = utc(f"{today} {back_at:02}:00").replace(tzinfo=ZoneInfo(zone))

    for _ in range(2):
        for job in JOBS:
            fire(job=job.name, shop_id=there.pk, now=now)  # beat fires what is overdue at its start
        catch_up(now=now)

    found = JobRun.objects.filter(shop=there, slot=today)
    assert {run.job: run.state for run in found} == expected
    assert found.count() == len(expected)


# A shop that is read every hour


@pytest.mark.parametrize("zone", ZONES[1:])
@each_night
def test_an_hourly_job_has_a_run_for_every_hour_of_the_night(there: Shop, zone: str, night: str) -> None:
    """Also for the hour that comes twice; the one that is left out is no hour."""
    there.kind = Shop.Kind.KEYCRM
    there.save()
    first = utc(f"{night} 00:05") - 4 * HOUR
    for moment in every(HOUR, first, first + 9 * HOUR):
        fire(job="keycrm_sync", shop_id=there.pk, now=moment)
        fire(job="keycrm_sync", shop_id=there.pk, now=moment + timedelta(minutes=2))
        work()
    runs = ledger.scheduled().filter(shop=there, job="keycrm_sync").order_by("as_of")
    assert list(runs.values_list("as_of", flat=True)) == list(every(HOUR, first, first + 9 * HOUR))
