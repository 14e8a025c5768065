"""The queue: what runs where, and how nothing is lost when a part of it dies."""

from __future__ import annotations

import gc
import logging.config
import os
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Every module of tasks/; a task is named after its module and function: tasks/commands.py run() is "commands.run".
TASK_MODULES: tuple[str, ...] = (
    "tasks.commands",
    "tasks.drift",
    "tasks.experiments",
    "tasks.health",
    "tasks.hints",
    "tasks.jobs",
    "tasks.keys",
    "tasks.proposals",
    "tasks.store",
    "tasks.sync",
)

# By the prefix of the task's name; what is not named here is short and goes to `fast`. A run of the timetable goes to
# the queue of its job.
ROUTES = {
    "commands.*": {"queue": "money"},
    "keys.probe": {"queue": "sync"},
    "store.refresh": {"queue": "analytics"},
    "sync.*": {"queue": "sync"},
    "hints.*": {"queue": "sync"},
}

RELIABILITY: dict[str, Any] = {
    "broker_transport_options": {
        "visibility_timeout": 3600,
        "unacked_restore_throttle": 1,
        "unacked_restore_interval": 10,
        "socket_timeout": 15,
        "socket_connect_timeout": 5,
        "health_check_interval": 25,
        "global_keyprefix": "vitrina:",
    },
    "broker_connection_retry_on_startup": True,
    "broker_channel_error_retry": True,  # a Redis that is full refuses what a worker notes: it waits, it does not end
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_time_limit": 900,  # always below the visibility time-out, or a second copy starts
    "task_soft_time_limit": 840,
    "task_default_expires": None,  # a periodic task sets its own
    "task_ignore_result": True,
    "result_expires": 3600,
    "task_serializer": "json",
    "accept_content": ["json"],
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    # An idle worker stops at once. What it holds of messages that wait for their time goes back into the queue.
    "worker_enable_soft_shutdown_on_idle": False,
    "worker_max_tasks_per_child": 200,
    "worker_max_memory_per_child": 400_000,  # KiB
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    # Without events Flower shows nothing.
    "worker_send_task_events": True,
    "task_send_sent_event": True,
    "task_track_started": True,
}


class OutOfMemory(Exception):
    """A task's own want of memory. As a MemoryError the worker would take it for its own, and end."""


class Work(Task):
    """What every task is made of."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except MemoryError as error:
            raise OutOfMemory(self.name) from error


class Vitrina(Celery):
    """Names a task after its module and function, without the folder."""

    def gen_task_name(self, name: str, module: str) -> str:
        return super().gen_task_name(name, module.removeprefix("tasks."))


def configuration() -> dict[str, Any]:
    """Evaluated when the queue is first used, so that importing this module needs no settings."""
    from django.conf import settings

    return RELIABILITY | {
        "broker_url": broker_url(settings.REDIS_URL),
        "imports": TASK_MODULES,
        "task_default_queue": "fast",
        "task_routes": ROUTES,
        "worker_soft_shutdown_timeout": settings.SOFT_SHUTDOWN_SECONDS,
        "beat_scheduler": "tasks.beat:Scheduler",
        "timezone": "UTC",
        "enable_utc": True,
    }


def broker_url(redis_url: str) -> str:
    """The queue's word for a unix socket is `redis+socket://` with `virtual_host=` for the database."""
    if redis_url.startswith("unix://"):
        return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")
    return redis_url


@setup_logging.connect
def _use_our_logging(**_: Any) -> None:
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_process_init.connect
def _collect_less_often(**_: Any) -> None:
    """What is loaded by now stays, and a page of rows is thousands of objects that live for a moment: looking through
    all of it at the collector's usual pace took a quarter of a sync's time."""
    gc.freeze()
    gc.set_threshold(50_000)


app = Vitrina("vitrina", task_cls=Work)
app.add_defaults(configuration)
app.set_default()
