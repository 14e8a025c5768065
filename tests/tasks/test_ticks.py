"""What the clock sends again and again: each tick does its one thing, and doing it once more does no harm."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django_celery_beat.models import PeriodicTask

import tasks.commands
import tasks.experiments
import tasks.health
import tasks.jobs
import tasks.proposals
from apps.common.clock import real_now
from apps.decisions.models import Attempt, Command, Proposal
from apps.experiments.models import Experiment
from apps.jobs.models import JobRun, Pulse
from apps.jobs.schedule import seed
from apps.jobs.timetable import Queue
from apps.shops.models import AuditEntry, Shop
from config.celery import app
from tasks.beat import Scheduler
from tests import cast
from tests.inventory.shelf import Shelf
from tests.reports.rows import command, experiment
from tests.reports.rows import proposal as price_proposal

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return cast.anna().seller.shops.get()


def waiting(broker: redis.Redis, queue: str) -> int:
    return broker.llen(f"vitrina:{queue}")


def proposal(shop: Shop, **fields: object) -> Proposal:
    now = real_now()
    values = {"created_at": now, "expires_at": now, "payload": {}, "payload_hash": "0" * 64, "currency": "RUB"}
    return Proposal.objects.create(shop=shop, kind="set_price", target="price:7", **values | fields)


def test_the_sweep_wakes_a_command_whose_message_was_lost(
    shop: Shop, empty_redis: redis.Redis, django_capture_on_commit_callbacks: object
) -> None:
    command(proposal(shop), state=Command.State.QUEUED, due_at=real_now())
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        tasks.commands.sweep()
    assert waiting(empty_redis, "money") == 1


def test_a_message_about_a_command_that_is_not_due_does_nothing(shop: Shop) -> None:
    queued = command(proposal(shop), state=Command.State.QUEUED, due_at=real_now() + timedelta(minutes=1))
    tasks.commands.run(queued.pk)
    tasks.commands.run(queued.pk + 1)  # there is none

    assert Command.objects.get() == queued
    assert Command.objects.get().state == Command.State.QUEUED
    assert not Attempt.objects.exists()


def test_a_proposal_expires_at_its_time(shop: Shop) -> None:
    late = proposal(shop, expires_at=real_now() - timedelta(seconds=1))
    tasks.proposals.expire()
    tasks.proposals.expire()
    late.refresh_from_db()
    assert late.state == Proposal.State.EXPIRED


def test_the_end_of_an_experiment_that_a_crash_left_out_is_made_up_for_once(shop: Shop) -> None:
    rolling_back = experiment(Shelf(shop).product(), shop.seller.members.get(), state="rolling_back")
    back = price_proposal(rolling_back.product, reverses=rolling_back.command)
    command(back, state=Command.State.VERIFIED)
    for _ in range(2):
        tasks.experiments.sweep()

    rolling_back.refresh_from_db()
    assert rolling_back.state == Experiment.State.ROLLED_BACK
    assert AuditEntry.objects.filter(action="experiment.rolled_back").count() == 1


def test_a_row_of_the_schedule_fires_its_day_once(shop: Shop) -> None:
    for _ in range(2):
        tasks.jobs.fire(job="ozon_sync", shop_id=shop.pk)
    assert JobRun.objects.get().job == "ozon_sync"


def test_the_catch_up_claims_what_nobody_ran_and_says_so(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    tasks.jobs.catch_up()
    assert JobRun.objects.filter(job="ozon_sync").count() == 1
    assert "the clock had missed something" in caplog.text
    caplog.clear()
    tasks.jobs.catch_up()
    assert caplog.text == ""


def test_the_watchdog_notes_the_tick_and_asks_every_queue(empty_redis: redis.Redis) -> None:
    tasks.jobs.watchdog()
    assert Pulse.objects.get(part="clock").at > real_now() - timedelta(seconds=5)
    assert {queue: waiting(empty_redis, queue) for queue in Queue} == dict.fromkeys(Queue, 1)


def test_a_ping_that_was_carried_out_is_the_pulse_of_its_queue() -> None:
    tasks.health.ping("money")
    assert Pulse.objects.get().part == "queue:money"


# Beat


@pytest.fixture
def scheduler(transactional_db: None, shop: Shop) -> Scheduler:
    """Beat closes connections and commits, as between the tasks of a process of its own."""
    seed()
    PeriodicTask.objects.update(last_run_at=real_now() - timedelta(hours=1))
    made = Scheduler(app=app)
    assert made.schedule
    assert not made.schedule_changed()
    return made


def test_beat_forgets_what_it_remembers_from_the_future(scheduler: Scheduler) -> None:
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.model.last_run_at = real_now() + timedelta(days=1)
        scheduler._dirty.add(entry.name)

    assert max(entry.last_run_at for entry in scheduler.schedule.values()) < real_now()
    assert not PeriodicTask.objects.filter(last_run_at__gt=real_now()).exists()
    assert not scheduler.schedule_changed()


def test_beat_repairs_rows_that_last_ran_in_the_future(scheduler: Scheduler) -> None:
    PeriodicTask.objects.update(last_run_at=real_now() + timedelta(days=1))
    assert scheduler.schedule_changed()
    assert not PeriodicTask.objects.filter(last_run_at__gt=real_now()).exists()


def test_beat_brings_no_rows_of_its_own(scheduler: Scheduler) -> None:
    assert not PeriodicTask.objects.filter(task__startswith="celery.").exists()
