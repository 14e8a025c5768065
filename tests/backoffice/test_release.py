"""The release step, as a command and before `manage.py run`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import StringIO
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from apps.backoffice.management.commands import run
from apps.common.db import take_lock
from apps.jobs.timetable import ticks
from apps.shops.models import Seller
from config.env import BASE_DIR
from config.servers import Postgres
from tests.faults.harness import database_url, eventually, server_of_its_own

pytestmark = pytest.mark.process

LAST_OF_LOGINS = "0012_alter_user_first_name_max_length"  # made again it changes nothing
NOWHERE = "postgresql://nobody@127.0.0.1:9/shop"  # nothing listens there


def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def release() -> str:
    words = StringIO()
    call_command("release", stdout=words, stderr=words)
    return words.getvalue()


@pytest.mark.django_db
def test_it_migrates_first_and_then_creates_what_is_named(settings: Settings) -> None:
    settings.OZON_CLIENT_ID, settings.OZON_API_KEY = "101", "a key"
    words = release()
    assert words.index("Running migrations") < words.index("created seller Vitrina")
    assert PeriodicTask.objects.count() > len(ticks())  # and the shop's own jobs


@pytest.mark.django_db
def test_a_second_release_of_the_same_version_does_nothing(settings: Settings) -> None:
    settings.OZON_CLIENT_ID, settings.OZON_API_KEY = "101", "a key"
    release()
    words = release()
    assert "No migrations to apply." in words
    assert "nothing to create: the admin is the truth" in words
    assert Seller.objects.count() == 1


@pytest.mark.django_db
def test_a_migration_and_its_success_are_one_line() -> None:
    MigrationRecorder.Migration.objects.filter(app="auth", name=LAST_OF_LOGINS).delete()
    assert f"  Applying auth.{LAST_OF_LOGINS}... OK\n" in release()


@pytest.mark.django_db
def test_it_leaves_no_migration_out() -> None:
    release()
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


@pytest.mark.parametrize("command", ["release", "run"])
def test_a_database_that_does_not_answer_is_named_and_nothing_starts(command: str) -> None:
    process = start(command, DATABASE_URL=NOWHERE)
    words, troubles = process.communicate(timeout=60)
    assert process.returncode == 1
    assert troubles.startswith("CommandError: The database refuses, and the new version must not start: connection")
    assert troubles.endswith("\n")
    assert "Traceback" not in troubles
    assert "started" not in words


@pytest.mark.django_db
def test_a_server_older_than_what_the_sync_needs_is_refused_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.backoffice.management.commands.release.LEAST_POSTGRESQL", 99)
    own = connection.get_database_version()[0]
    with pytest.raises(CommandError, match=rf"is PostgreSQL {own}; Vitrina needs 99 or newer"):
        release()


def test_a_real_shop_does_not_run_on_the_demos_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "is_demo", lambda: True)
    with pytest.raises(CommandError, match=r"There is no \.env yet"):
        call_command("run")


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("command", ["release", "run"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_in_the_middle_is_a_word_and_nothing_half_made(command: str, number: signal.Signals) -> None:
    take_lock("bootstrap")  # it waits for us there
    shop = {"OZON_CLIENT_ID": "101", "OZON_API_KEY": "a key"}
    process = start(command, DATABASE_URL=database_url(), **shop)
    eventually(_somebody_waits, f"{command} waits for the lock")
    os.killpg(process.pid, number)
    words, troubles = process.communicate(timeout=60)  # nobody gives the lock free before that
    assert process.returncode == 128 + number
    assert troubles == "\nStopped.\n"
    assert "started" not in words
    assert not Seller.objects.exists()
    eventually(lambda: not _somebody_waits(), "PostgreSQL has let it go")


LOSES_IT = """
import os, signal, sys, time, weakref, manage

class Thing: pass

def on_a_busy_machine(*arguments, set_timer=signal.setitimer):
    set_timer(*arguments)
    time.sleep(10 * manage.SOON)

def run():
    thing = Thing()
    reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.Signals[sys.argv[1]]))
    del thing
    time.sleep(100)

manage.run, signal.setitimer = run, on_a_busy_machine
sys.exit(manage.main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_not_lost_where_python_loses_exceptions(number: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOSES_IT, number.name],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (128 + number, "\nStopped.\n")


@pytest.mark.slow
def test_of_two_releases_at_once_the_second_waits_for_the_end_of_the_first() -> None:
    """On an empty database, where each would create the same tables."""
    with server_of_its_own(Postgres, scratch=True) as postgres:
        url = f"postgresql://postgres@/vitrina?host={quote(str(postgres.sockets))}"
        both = [start("release", DATABASE_URL=url) for _ in range(2)]
        told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    first, second = sorted((words for words, _ in told), key=lambda words: words.startswith("Another release"))
    assert "Applying shops.0001_sellers_and_people... OK" in first
    assert second.startswith("Another release is under way; this one waits for its end.\n")
    assert "No migrations to apply." in second


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted and database = "
            "(select oid from pg_database where datname = current_database()))"
        )
        (answer,) = cursor.fetchone()
        return bool(answer)
