"""Whom the embedded servers run as, and the folders that are theirs.

Root never runs them itself: they get the account that owns their data, at first `nobody`. No folder that was there
before changes its mode or its owner.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ServiceError(Exception):
    """An embedded server cannot run here; the text says why and what to do."""


@dataclass(frozen=True)
class Account:
    """Who the servers run as."""

    uid: int
    gid: int
    name: str

    def launch(self) -> dict[str, Any]:
        """Arguments of subprocess that switch to this account, where there is something to switch."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 != self.uid else {}

    def give(self, folder: Path) -> None:
        """Hand over a folder that we have just created."""
        if os.geteuid() == 0:
            os.chown(folder, self.uid, self.gid)

    def check_reach(self, path: Path) -> None:
        """Refuse when a folder on the way to `path` is closed to this account."""
        if os.geteuid() != 0:
            return
        for step in [*reversed(path.parents), path]:
            test = subprocess.run(["test", "-x", str(step)], check=False, cwd="/", **self.launch())  # noqa: S607
            if test.returncode:
                raise ServiceError(
                    f"{step} is closed to the user {self.name}, who runs the embedded servers for root. Move the "
                    "project to a folder that everybody may pass through, run it as an ordinary user, or set "
                    "DATABASE_URL and REDIS_URL to servers of your own."
                )


def account_for(*folders: Path) -> Account:
    """The caller; for root the owner of the first existing folder, else `nobody`."""
    owners = [folder.stat().st_uid for folder in folders if folder.exists()]
    try:
        if os.geteuid() == 0:
            owner = next((uid for uid in owners if uid != 0), None)
            entry = pwd.getpwnam("nobody") if owner is None else pwd.getpwuid(owner)
        else:
            entry = pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise ServiceError(
            f"PostgreSQL needs a user with an entry in the password file ({error}). Run as such a user, or set "
            "DATABASE_URL and REDIS_URL to servers of your own."
        ) from None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)


def make_passable(folder: Path) -> None:
    """Create a folder and its missing parents, open to pass through whatever the umask says."""
    if not folder.exists():
        make_passable(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(0o755)


def own_folder(folder: Path, account: Account) -> None:
    """Create a folder that only `account` may enter; an existing one must be just that."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
            raise ServiceError(
                f"{folder} is not a private folder of the user {account.name}: it belongs to somebody else or is open "
                "to others. Start as the user who started before, or remove it."
            ) from None
    else:
        account.give(folder)
