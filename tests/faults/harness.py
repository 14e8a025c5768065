"""Real processes for the fault tests: started in groups of their own, killed for good, none left behind.

A test asks for the fixture `fleet` (see conftest.py). It has a Redis of its own, shares the test's PostgreSQL database
(rows must be committed: the fixture brings `transactional_db`), and starts what the Procfile starts:

    def test_it_survives(fleet):
        worker = fleet.worker("money", JOB_LEASE_SECONDS="2", CRASH_BEFORE="apps.jobs.wake._send")
        fleet.send("commands.run", 7)
        worker.wait_end()                       # it killed itself where CRASH_BEFORE says
        fleet.worker("money")                   # a healthy one
        eventually(lambda: Command.objects.get(pk=7).state == "verified", "the command is verified")

`CRASH_BEFORE` / `CRASH_AFTER` name a function by its dotted path; the worker's whole process group is killed right
before or after its `CRASH_AT`-th call (1 by default; `CRASH_WHOM=child` kills the pool's process alone). See
celery_app.py. There is no beat unless a test starts one: `fleet.send("jobs.catch_up")` is a tick by hand.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

from celery import Celery
from django.db import connection

from config.accounts import account_for, own_folder
from config.celery import RELIABILITY, ROUTES, broker_url
from config.env import BASE_DIR, state_folder
from config.servers import Redis, Server, die_with
from config.services import Place

T = TypeVar("T")
S = TypeVar("S", bound=Server)

QUEUES = "fast,money,sync,analytics"
START_SECONDS = 60
READY = r"@\S+ ready\."

# Minutes become seconds. A test gives others, by the names of .env.example, to the process it starts.
SCALED = {
    "LOG_LEVEL": "INFO",
    "JOB_LEASE_SECONDS": "3",
    "TICK_ALERT_SECONDS": "5",
    "HTTP_DEADLINE_SECONDS": "2",
    "LEASE_MARGIN_SECONDS": "1",
    "SETTLE_SECONDS": "0.3",
    "KEY_PROBE_SECONDS": "1",
    "SOFT_SHUTDOWN_SECONDS": "3",
}


class NeverHappened(AssertionError):
    """What the test waited for did not come about in time."""


def eventually(check: Callable[[], T], what: str, *, within: float = 30, every: float = 0.05) -> T:
    """The first true answer of `check`; the test fails with `what` when there is none `within` so many seconds."""
    deadline = time.monotonic() + within
    while not (answer := check()):
        if time.monotonic() > deadline:
            raise NeverHappened(f"not within {within} s: {what} (last answer: {answer!r})")
        time.sleep(every)
    return answer


def never(check: Callable[[], object], what: str, *, during: float) -> None:
    """`check` stays false for so many seconds."""
    deadline = time.monotonic() + during
    while time.monotonic() < deadline:
        if answer := check():
            raise AssertionError(f"it happened: {what} ({answer!r})")
        time.sleep(0.05)


@dataclass
class Process:
    """One started process and the group it leads (a worker's pool is in it)."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    def lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()

    def tail(self) -> str:
        return "\n".join(self.lines()[-40:])

    def wait_line(self, pattern: str, *, within: float = START_SECONDS) -> None:
        """Until its log has a line that matches; fails at once when the process has ended."""
        wanted = re.compile(pattern)

        def found() -> bool:
            is_over = not self.is_running  # asked first: its last line may come right before its end
            if any(wanted.search(line) for line in self.lines()):
                return True
            if is_over:
                raise AssertionError(f"{self.name} ended ({self.popen.returncode}):\n{self.tail()}")
            return False

        eventually(found, f"{self.name} logs {pattern!r}", within=within)

    def wait_end(self, *, within: float = 30) -> int:
        """Its exit code; minus the signal when it was killed."""
        try:
            return self.popen.wait(within)
        except subprocess.TimeoutExpired:
            raise NeverHappened(f"not within {within} s: {self.name} ends") from None

    def kill(self) -> None:
        """SIGKILL for the whole group, and wait until nobody of it is left."""
        self._signal_group(signal.SIGKILL)
        self.popen.wait()
        eventually(self._group_is_gone, f"the group of {self.name} is gone")

    def ask_to_stop(self) -> None:
        """SIGTERM for the process itself, as a deployment does; `wait_end` follows."""
        self.popen.send_signal(signal.SIGTERM)

    def freeze(self) -> None:
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_group(signal.SIGCONT)

    def children(self) -> list[int]:
        """The pids of its direct children: a worker's pool."""
        text = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)

    def _group_is_gone(self) -> bool:
        """Zombies that init has yet to collect are gone for our purpose."""
        return not any(group == self.popen.pid and state != "Z" for group, state in _groups())


def _groups() -> Iterator[tuple[int, str]]:
    """Process group and state of every process of this machine."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _parent, group, *_ = stat.read_text().rpartition(")")[2].split()
            yield int(group), state


def database_url() -> str:
    """The address of the database that this test uses, for a process of its own."""
    found = connection.settings_dict
    user = quote(found["USER"]) + (f":{quote(found['PASSWORD'])}" if found["PASSWORD"] else "")
    query = {"host": found["HOST"]} | ({"port": found["PORT"]} if found["PORT"] else {})
    return f"postgresql://{user}@/{quote(found['NAME'])}?{urlencode(query)}"


def launch(name: str, command: list[str], log: Path, env: dict[str, str]) -> Process:
    """Start a command in a group of its own, which the kernel ends with this test run."""
    with log.open("wb") as out:
        popen = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with(os.getpid(), signal.SIGKILL),  # noqa: PLW1509 - a system call, no Python lock
        )
    return Process(name, popen, log)


@dataclass
class Fleet:
    """The processes of one test. `env` is added to every process; keyword arguments to the one that is started."""

    folder: Path
    redis: Redis
    env: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis.socket}?db=0"

    def worker(self, queues: str = QUEUES, concurrency: int = 1, /, **env: str) -> Process:
        """A worker that takes tasks when this returns."""
        process = self.launch_worker(queues, concurrency, **env)
        process.wait_line(READY)
        return process

    def launch_worker(self, queues: str = QUEUES, concurrency: int = 1, /, **env: str) -> Process:
        """A worker that is still starting; it takes tasks when its log says `READY`."""
        name = f"worker{len(self.processes)}"
        arguments = ["--queues", queues, "--concurrency", str(concurrency), "--hostname", f"{name}@%h"]
        arguments += ["--without-mingle", "--without-gossip"]  # they only make the start longer
        return self.start(name, "celery", "-A", "tests.faults.celery_app", "worker", *arguments, **env)

    def beat(self, **env: str) -> Process:
        """A beat over the rows of the schedule, as they are in the database."""
        name = f"beat{len(self.processes)}"
        arguments = ["--pidfile=", "--max-interval=1"]
        process = self.start(name, "celery", "-A", "tests.faults.celery_app", "beat", *arguments, **env)
        process.wait_line("beat: Starting")
        return process

    def start(self, name: str, program: str, *arguments: str, **env: str) -> Process:
        """A program of this Python's environment (`python`, `celery`, `uvicorn`); `wait_line` tells when it is up."""
        command = [str(Path(sys.executable).parent / program), *arguments]
        variables = os.environ | SCALED | self._addresses() | self.env | env
        process = launch(name, command, self.folder / f"{name}.log", variables)
        self.processes.append(process)
        return process

    def send(
        self, task: str, *args: object, queue: str | None = None, countdown: float | None = None, **kwargs: object
    ) -> None:
        """Put a task into the queue, as beat or a page does."""
        with Celery("sender", broker=broker_url(self.redis_url), set_as_current=False) as app:
            app.conf.update(RELIABILITY | {"task_routes": ROUTES, "task_default_queue": "fast"})
            app.send_task(task, args=args, kwargs=kwargs, queue=queue, countdown=countdown)

    def close(self) -> None:
        """Kill everything; the ends of the logs go to the report of a failed test."""
        for process in self.processes:
            process.kill()
            sys.stdout.write(f"--- {process.name}\n{process.tail()}\n")

    def _addresses(self) -> dict[str, str]:
        return {"DATABASE_URL": database_url(), "REDIS_URL": self.redis_url, "REMAP_SIGTERM": "SIGQUIT"}


@dataclass
class Line:
    """A line to a server, by TCP on this machine: it can be cut, so that nothing answers, mended, and made slow.

    `target` is a host with its port or the path of a unix socket; `delay` are the seconds that it takes either way.
    """

    target: tuple[str, int] | str
    delay: float = 0.0
    port: int = 0
    _listener: socket.socket | None = None
    _ends: list[socket.socket] = field(default_factory=list)

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def cut(self) -> None:
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.break_off()

    def break_off(self) -> None:
        """Whoever speaks is cut off, and may call again."""
        ends = self._ends.copy()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            self._ends.remove(end)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
                far.connect(self.target)
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=[source, sink], daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                time.sleep(self.delay)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def crash(server: Server) -> None:
    """Kill a server as a power cut does and start it again on what it had written."""
    server.kill()
    server.start()
    server.wait_ready()
    connection.close()  # this process's own may be to the server that died


@contextmanager
def server_of_its_own(kind: type[S], *, scratch: bool) -> Iterator[S]:
    """A running Redis or Postgres that a test may `kill()` for a while, or `crash()`."""
    root = state_folder() / "test" / f"{kind.name}-{uuid4().hex[:8]}"
    root.mkdir(parents=True)
    account, sockets = account_for(root), Place(root).sockets
    own_folder(sockets, account)
    server = kind(root, sockets, account, scratch=scratch)
    try:
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop()
        shutil.rmtree(root)
        shutil.rmtree(sockets)


def waiting_for_a_lock() -> int:
    """Sessions of other processes that wait for an advisory lock, in this test's own database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database"
            " where locktype = 'advisory' and not granted and datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def cut_all_connections() -> int:
    """All but this test's own. Returns how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])
