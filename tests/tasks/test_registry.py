"""Everything that is called by name is there under that name."""

from __future__ import annotations

import pytest

from apps.jobs.schedule import FIRE
from apps.jobs.timetable import Queue
from apps.jobs.wake import WAKEABLE, wake
from config.celery import ROUTES, app
from config.timetable import TICKS, TIMETABLE
from tasks.runners import RUNNERS


@pytest.fixture(scope="module", autouse=True)
def _tasks() -> None:
    app.loader.import_default_modules()


@pytest.mark.parametrize("name", [*WAKEABLE, *(tick.task for tick in TICKS), FIRE, "health.ping"])
def test_each_name_that_is_called_is_a_task(name: str) -> None:
    assert name in app.tasks


def test_each_job_of_the_timetable_has_its_runner_and_no_runner_is_left_over() -> None:
    assert set(RUNNERS) == {job.name for job in TIMETABLE}


def test_the_timetable_is_in_the_order_of_the_day_and_says_why() -> None:
    assert [job.at for job in TIMETABLE] == sorted(job.at for job in TIMETABLE)
    assert all(job.why for job in TIMETABLE)
    assert {job.needs for job in TIMETABLE} - {""} <= {job.name for job in TIMETABLE}


def test_tasks_are_routed_to_queues_that_exist() -> None:
    assert {route["queue"] for route in ROUTES.values()} <= set(Queue)


def test_a_task_that_is_not_in_the_list_cannot_be_woken() -> None:
    with pytest.raises(ValueError, match="not in WAKEABLE"):
        wake("jobs.catch_up")
