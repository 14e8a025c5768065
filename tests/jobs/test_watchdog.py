"""The clock is watched: what stands, what is silent and what failed is named once, with its start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from pytest_django import Settings

from apps.common.clock import real_now
from apps.jobs import ledger, watchdog
from apps.jobs.catch_up import catch_up
from apps.jobs.models import JobRun, Pulse
from apps.jobs.timetable import Queue
from apps.shops.models import Shop
from tests.jobs.day import REPORT, SYNC, leave_only, utc

pytestmark = pytest.mark.django_db

NOON = utc("2026-03-02 09:00")


def names() -> list[str]:
    return [alarm.name for alarm in watchdog.alarms(now=NOON)]


def seen(part: str, ago: timedelta) -> datetime:
    at = real_now() - ago
    Pulse.objects.update_or_create(part=part, defaults={"at": at})
    return at


def test_all_is_well_at_first_and_while_the_clock_goes() -> None:
    assert names() == []
    watchdog.tick(now=NOON)
    assert names() == []


def test_a_clock_that_stands_is_named_by_when_it_stopped() -> None:
    watchdog.tick(now=NOON)
    since = seen(watchdog.CLOCK, timedelta(minutes=4))

    (alarm,) = watchdog.alarms(now=NOON)
    assert (alarm.name, alarm.params, alarm.seller) == ("clock_stopped", {"since": since.isoformat()}, None)
    assert watchdog.alarms(now=NOON) == [alarm], "the same outage has the same key"

    watchdog.tick(now=NOON)
    assert names() == []


def test_three_minutes_are_the_limit() -> None:
    seen(watchdog.CLOCK, timedelta(minutes=2, seconds=55))
    assert names() == []
    seen(watchdog.CLOCK, timedelta(minutes=3, seconds=5))
    assert names() == ["clock_stopped"]


def test_a_queue_may_be_at_a_long_task_but_not_longer_than_one_takes() -> None:
    watchdog.tick(now=NOON)
    watchdog.alarms(now=NOON)
    since = seen(watchdog.queue_part(Queue.SYNC), timedelta(minutes=19))
    (alarm,) = watchdog.alarms(now=NOON)
    assert (alarm.name, alarm.params) == ("queue_silent", {"queue": "sync", "since": since.isoformat()})

    watchdog.beat(watchdog.queue_part(Queue.SYNC))
    assert names() == []


def test_a_queue_that_never_answered_counts_from_the_first_question() -> None:
    watchdog.alarms(now=NOON)
    Pulse.objects.update(at=real_now() - timedelta(hours=1))
    seen(watchdog.CLOCK, timedelta(0))
    assert names() == ["queue_silent"] * len(Queue)


def test_while_the_clock_stands_nobody_asks_the_queues_and_none_is_called_silent() -> None:
    watchdog.alarms(now=NOON)
    Pulse.objects.update(at=real_now() - timedelta(hours=1))
    assert names() == ["clock_stopped"]

    watchdog.tick(now=NOON)
    assert names() == [], "they have not had the time to answer"

    watchdog.tick(now=NOON)
    seen(watchdog.queue_part(Queue.SYNC), timedelta(minutes=19))
    assert names() == ["queue_silent"]


def test_a_queue_that_was_silent_before_the_clock_stood_is_the_same_outage_after_it() -> None:
    watchdog.alarms(now=NOON)
    seen(watchdog.CLOCK, timedelta(hours=1))
    seen(watchdog.queue_part(Queue.SYNC), timedelta(hours=2))
    before = [alarm for alarm in watchdog.alarms(now=NOON) if alarm.name == "queue_silent"]

    watchdog.tick(now=NOON)

    assert len(before) == 1
    assert watchdog.alarms(now=NOON) == before


def test_a_run_that_failed_for_good_is_named_for_a_day(shop: Shop) -> None:
    run = ledger.plan(job=SYNC, shop=shop, due=NOON)
    assert run is not None
    started = ledger.start(run_id=run.pk)
    assert started is not None
    ledger.fail(run=started, error="the key is wrong", again=False)

    leave_only(SYNC)
    (alarm,) = watchdog.alarms(now=NOON)
    assert (alarm.name, alarm.params, alarm.seller) == ("job_failed", {"run": run.pk}, shop.seller)

    JobRun.objects.update(finished_at=real_now() - timedelta(hours=25))
    assert names() == []


SIX = utc("2026-03-02 03:00")  # in Moscow


def late_ones(now: datetime) -> list[tuple[str, str]]:
    alarms = [alarm for alarm in watchdog.alarms(now=now) if alarm.name.startswith("job_")]
    return [(alarm.name, alarm.params["due"]) for alarm in alarms]


def test_a_slot_that_nobody_began_is_late_after_half_an_hour(shop: Shop) -> None:
    leave_only(SYNC)
    ledger.plan(job=SYNC, shop=shop, due=SIX - timedelta(days=1))
    JobRun.objects.update(started_at=real_now(), state=JobRun.State.DONE)

    assert late_ones(SIX + timedelta(minutes=29)) == []
    assert late_ones(SIX + timedelta(minutes=31)) == [("job_late", SIX.isoformat())]

    ledger.plan(job=SYNC, shop=shop, due=SIX)
    assert late_ones(SIX + timedelta(minutes=31)) == [("job_late", SIX.isoformat())], "claimed, but not begun"

    ledger.start(run_id=JobRun.objects.latest("pk").pk)
    assert late_ones(SIX + timedelta(minutes=31)) == []


def test_a_slot_that_was_left_out_is_named_with_its_shop_for_a_day(shop: Shop) -> None:
    leave_only(REPORT)
    afternoon = utc("2026-03-02 12:00")
    catch_up(now=afternoon)

    (alarm,) = watchdog.alarms(now=afternoon)
    assert (alarm.name, alarm.key) == ("job_skipped", f"job_skipped:report:{shop.pk}:2026-03-02")
    assert (alarm.seller, alarm.params["shop"]) == (shop.seller, shop.pk)

    JobRun.objects.all().delete()
    ledger.plan(job=REPORT, shop=shop, due=utc("2026-03-03 06:00"))
    ledger.skip(job=REPORT, shop=shop, due=utc("2026-03-02 06:00"))
    assert late_ones(utc("2026-03-03 06:10")) == []


def test_a_new_shop_is_not_late_with_what_was_before_it(shop: Shop) -> None:
    Shop.objects.update(created_at=utc("2026-03-02 12:00"))
    assert late_ones(utc("2026-03-02 12:00")) == []


def test_a_world_whose_days_pass_in_seconds_is_never_late(shop: Shop, settings: Settings) -> None:
    settings.WORLD_URL = "http://127.0.0.1:9"
    assert late_ones(NOON) == []


def test_a_tick_frees_the_slots_of_a_clock_that_ran_ahead(shop: Shop) -> None:
    ledger.plan(job=SYNC, shop=shop, due=NOON + timedelta(days=1))
    watchdog.tick(now=NOON)
    assert ledger.plan(job=SYNC, shop=shop, due=NOON + timedelta(days=1)) is not None


def test_rows_that_last_ran_in_the_future_are_repaired_and_beat_is_told(shop: Shop) -> None:
    PeriodicTask.objects.update(last_run_at=real_now() - timedelta(hours=1))
    row = PeriodicTask.objects.earliest("pk")
    PeriodicTask.objects.filter(pk=row.pk).update(last_run_at=real_now() + timedelta(days=1))
    PeriodicTasks.objects.update(last_update=utc("2026-01-01 00:00"))

    assert watchdog.repair_last_runs() == 1

    row.refresh_from_db()
    assert abs(row.last_run_at - real_now()) < timedelta(seconds=5)
    assert PeriodicTasks.last_change() > real_now() - timedelta(seconds=5)
    assert watchdog.repair_last_runs() == 0


@pytest.fixture
def switch(settings: Settings) -> Iterator[list[str]]:
    """A dead man's switch on this machine; the paths it was asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        settings.DEADMAN_URL = f"http://127.0.0.1:{server.server_port}/alive"
        yield asked
        server.shutdown()
        thread.join()


def test_the_outside_hears_of_us(switch: list[str]) -> None:
    watchdog.ping_outside()
    assert switch == ["/alive"]


def test_an_outside_that_is_down_stops_nothing(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.DEADMAN_URL = "http://127.0.0.1:9/alive"
    watchdog.ping_outside()
    assert "did not take the ping" in caplog.text
