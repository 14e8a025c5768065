"""Setting the stage: free ports, fresh data, and the addresses that every process of the demo reads."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

from config.new_env import update_env

USUAL_PORTS = {"WEB_PORT": 8000, "BOT_PORT": 8001, "FLOWER_PORT": 5555, "WORLD_PORT": 8900}


class StageTaken(Exception):
    """The demo cannot start here; the text says why and what to do."""


@dataclass(frozen=True)
class Stage:
    """The ports of one demo."""

    web: int
    bot: int
    flower: int
    world: int

    @property
    def variables(self) -> dict[str, str]:
        """What the demo's file says about them."""
        world = f"http://127.0.0.1:{self.world}"
        return {
            "WEB_PORT": str(self.web),
            "BOT_PORT": str(self.bot),
            "FLOWER_PORT": str(self.flower),
            "DASHBOARD_URL": f"http://127.0.0.1:{self.web}",
            "WORLD_URL": world,
            "OZON_API_URL": world,
            "KEYCRM_API_URL": f"{world}/keycrm/v1",
            "KEYCRM_CALLS_A_MINUTE": "1000000",  # the stand-in counts nobody's calls
            "TELEGRAM_API_URL": world,
            "CHAT_SECONDS": "0.01",  # nor anybody's messages
            "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{self.bot}",
        }


@contextmanager
def only_one() -> Iterator[None]:
    """One demo at a time in a state folder. Raises `StageTaken`."""
    path = settings.STATE / "demo.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StageTaken("A demo is running here already: stop it first, or use its chat page.") from None
        yield


def set_stage(env_file: Path) -> Stage:
    """Choose ports that nobody holds, the usual ones first, and write them into the demo's file."""
    ports = free_ports(USUAL_PORTS.values())
    stage = Stage(*ports)
    update_env(env_file, stage.variables)
    return stage


def free_ports(wanted: Iterable[int]) -> list[int]:
    """For each wanted port itself when it is free, else some other free one; all different."""
    held: list[socket.socket] = []
    try:
        for port in wanted:
            held.append(_bound(port))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def _bound(port: int) -> socket.socket:
    for candidate in (port, 0):
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", candidate))
        except OSError:
            taken.close()
        else:
            return taken
    raise StageTaken("No port of 127.0.0.1 is free.")


def empty_data() -> None:
    """A demo begins at its beginning: its database and queue are emptied. Raises `StageTaken` for somebody's own."""
    name = str(settings.DATABASES["default"]["NAME"])
    if os.environ.get("DATABASE_URL") and "demo" not in name:
        raise StageTaken(
            f"The demo empties its database at each start, and DATABASE_URL names “{name}”. Unset it, or name a "
            "database whose name contains “demo”."
        )
    with psycopg.connect(make_conninfo(settings.DATABASE_URL, dbname="postgres"), autocommit=True) as server:
        server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    with redis.from_url(settings.REDIS_URL) as queue:
        queue.flushdb()
    for leftover in settings.STATE.glob("flower*"):
        leftover.unlink()
