"""The queue's settings: what must hold between them, and between them and the Procfile."""

from __future__ import annotations

import re

import pytest
from celery import current_app
from django.conf import settings

from config.celery import RELIABILITY, ROUTES, TASK_MODULES, OutOfMemory, Work, broker_url
from config.env import BASE_DIR

QUEUES = {"money", "fast", "sync", "analytics"}


def test_every_module_with_tasks_is_named() -> None:
    with_tasks = {
        f"tasks.{path.stem}" for path in (BASE_DIR / "tasks").glob("*.py") if "@shared_task" in path.read_text()
    }
    assert set(TASK_MODULES) == with_tasks


def test_a_task_is_named_after_its_module_and_function() -> None:
    assert current_app.gen_task_name("run", "tasks.commands") == "commands.run"


def test_the_processes_of_the_procfile_serve_every_queue_once() -> None:
    served = ",".join(re.findall(r"--queues (\S+)", (BASE_DIR / "Procfile").read_text())).split(",")
    assert sorted(served) == sorted(QUEUES)
    assert {route["queue"] for route in ROUTES.values()} | {current_app.conf.task_default_queue} <= QUEUES


def test_a_command_goes_to_the_queue_that_handles_one_at_a_time() -> None:
    assert ROUTES["commands.*"] == {"queue": "money"}
    (line,) = [line for line in (BASE_DIR / "Procfile").read_text().splitlines() if line.startswith("money:")]
    assert "--concurrency 1 " in line


def test_no_task_outlasts_the_time_after_which_it_is_delivered_again() -> None:
    visible = RELIABILITY["broker_transport_options"]["visibility_timeout"]
    assert RELIABILITY["task_soft_time_limit"] < RELIABILITY["task_time_limit"] < visible


def test_messages_are_json_and_results_are_not_kept() -> None:
    conf = current_app.conf
    assert conf.accept_content == ["json"]
    assert conf.task_serializer == "json"
    assert conf.result_backend is None
    assert conf.task_ignore_result is True


def test_a_task_is_acknowledged_after_its_work_and_comes_back_when_its_worker_dies() -> None:
    conf = current_app.conf
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)


def test_a_task_that_is_out_of_memory_does_not_look_like_its_worker_being_so() -> None:
    class Hungry(Work):
        name = "hungry"

        def run(self) -> None:
            raise MemoryError

    Hungry.bind(current_app)
    with pytest.raises(OutOfMemory, match="hungry"):
        Hungry()()


def test_a_worker_that_stops_waits_as_long_as_the_settings_say() -> None:
    assert current_app.conf.worker_soft_shutdown_timeout == settings.SOFT_SHUTDOWN_SECONDS


@pytest.mark.parametrize(
    ("redis", "broker"),
    [
        ("unix:///tmp/vitrina-1/redis.sock?db=3", "redis+socket:///tmp/vitrina-1/redis.sock?virtual_host=3"),
        ("redis://:word@cache:6379/2", "redis://:word@cache:6379/2"),
    ],
)
def test_the_broker_is_the_same_redis(redis: str, broker: str) -> None:
    assert broker_url(redis) == broker
