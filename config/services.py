"""The embedded servers of an installation that names none of its own: where they are, and who runs them.

A `Place` only computes addresses. The owner is one process (`manage.py services`, or one that `ensure` starts) that
holds a lock, watches both servers, restarts one that died, and stops both. The kernel stops them when the owner is
killed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from config.accounts import ServiceError, account_for, make_passable, own_folder
from config.servers import READY_SECONDS, Postgres, Redis, Server

log = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parent.parent
# Not tempfile.gettempdir(): TMPDIR differs from shell to shell, and all processes of a place must find one folder.
SHORT_FOLDERS = Path("/tmp")  # noqa: S108 - `own_folder` refuses one that somebody else has put there
LOOK_SECONDS = 0.3


class AlreadyRunning(ServiceError):
    """Another process owns the servers of this place."""


@dataclass(frozen=True)
class Place:
    """The folder of one pair of servers."""

    root: Path

    @property
    def sockets(self) -> Path:
        """A unix socket's path must stay below 100 bytes, so its folder does not lie in the place itself."""
        return SHORT_FOLDERS / f"vitrina-{hashlib.sha256(os.fsencode(self.root.resolve())).hexdigest()[:16]}"

    @property
    def database_url(self) -> str:
        return f"postgresql://postgres@/vitrina?host={self.sockets}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.sockets}/redis.sock?db=0"


class Pair:
    """Both servers of a place, in the hands of this process. `scratch` trades durability for speed, for tests."""

    def __init__(self, place: Place, *, scratch: bool = False) -> None:
        account = account_for(place.root / Postgres.name, place.root / Redis.name)
        self._place, self._account = place, account
        self.postgres = Postgres(place.root, place.sockets, account, scratch=scratch)
        self.redis = Redis(place.root, place.sockets, account, scratch=scratch)
        self.servers: tuple[Server, ...] = (self.postgres, self.redis)

    def answers(self) -> bool:
        return all(server.answers() for server in self.servers)

    def start(self) -> None:
        """Return when both answer. Raises ServiceError; nothing is left running then."""
        make_passable(self._place.root)
        own_folder(self._place.sockets, self._account)
        try:
            for server in self.servers:
                server.start()
            for server in self.servers:
                server.wait_ready()
        except BaseException:
            self.stop()
            raise

    def restart_dead(self) -> None:
        for server in self.servers:
            if not server.running:
                log.warning("%s ended by itself; starting it again", server.name)
                server.start()
                server.wait_ready()

    def stop(self) -> None:
        for server in reversed(self.servers):
            server.stop()
        with suppress(OSError):  # a leftover of a killed server stays for the next start
            self._place.sockets.rmdir()


@contextmanager
def locked(path: Path, kind: int) -> Iterator[IO[str]]:
    """Hold a file lock of `fcntl.flock`; the kernel gives it back whatever happens to us."""
    make_passable(path.parent)
    with path.open("a+") as file:
        fcntl.flock(file, kind)
        yield file


def _owner_lock(place: Place) -> Path:
    return place.root / "services.lock"


def _users_lock(place: Place) -> Path:
    return place.root / "services.users"


def own(place: Place, *, while_used: bool = False, scratch: bool = False, announce: str = "") -> None:
    """Run the servers until SIGTERM, SIGINT or SIGHUP, or, `while_used`, until the last `ensure` has ended.

    Raises AlreadyRunning at once when another process owns them.
    """
    leave = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: leave.set())
    with _ownership(place):
        pair = Pair(place, scratch=scratch)
        pair.start()
        try:
            sys.stdout.write(announce)
            sys.stdout.flush()
            while not leave.wait(LOOK_SECONDS):
                pair.restart_dead()
                if while_used and _free(_users_lock(place)):
                    return
        finally:
            pair.stop()


@contextmanager
def _ownership(place: Place) -> Iterator[None]:
    try:
        with locked(_owner_lock(place), fcntl.LOCK_EX | fcntl.LOCK_NB) as file:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
    except BlockingIOError:
        owner = _owner_lock(place).read_text() or "unknown"
        raise AlreadyRunning(f"The servers under {place.root} are running already (process {owner}).") from None


def _free(path: Path) -> bool:
    try:
        with locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return True
    except BlockingIOError:
        return False


def running(place: Place) -> bool:
    """Whether some process owns the servers of this place."""
    return _owner_lock(place).exists() and not _free(_owner_lock(place))


@contextmanager
def ensure(place: Place, *, scratch: bool = False) -> Iterator[None]:
    """The servers answer inside the block: those that run already, or new ones that the last user's end stops.

    Users hold a shared lock, so a killed one is counted out by the kernel. Raises ServiceError.
    """
    with locked(_users_lock(place), fcntl.LOCK_SH) as users:
        pair, owner = Pair(place, scratch=scratch), None
        deadline = time.monotonic() + 2 * READY_SECONDS
        try:
            while not pair.answers():
                if owner is None and not running(place):
                    owner = _start_owner(place, scratch=scratch)
                _check(place, owner, deadline)
                time.sleep(0.05)
            yield
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if owner is not None and _free(_users_lock(place)):
                owner.terminate()
                owner.wait()


def _check(place: Place, owner: subprocess.Popen[str] | None, deadline: float) -> None:
    """Raises ServiceError when the owner that was started here gave up, or the time is over."""
    if owner is not None and owner.poll():
        raise ServiceError((owner.stderr.read() if owner.stderr else "").strip())
    if time.monotonic() > deadline:
        raise ServiceError(f"The servers under {place.root} do not answer. Their logs are there.")


def _start_owner(place: Place, *, scratch: bool) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "config.services", str(place.root), "--while-used"]
    return subprocess.Popen(
        command + ["--scratch"] * scratch,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the caller, who stops the servers last
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Own the servers of one place.")
    parser.add_argument("root", type=Path)
    parser.add_argument("--while-used", action="store_true")
    parser.add_argument("--scratch", action="store_true")
    options = parser.parse_args()
    try:
        own(Place(options.root), while_used=options.while_used, scratch=options.scratch)
    except AlreadyRunning:
        return 0
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
