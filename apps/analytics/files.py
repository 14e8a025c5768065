"""The files of the store: STORE_FOLDER/<shop>/<number>.duckdb. Nobody ever writes a file that another may read."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

UNFINISHED = ".unfinished"


def folder_of(shop_id: int) -> Path:
    return Path(settings.STORE_FOLDER) / str(shop_id)


def path_of(shop_id: int, file: str) -> Path:
    return folder_of(shop_id) / file


@contextmanager
def unfinished_file(shop_id: int, name: str) -> Iterator[Path]:
    """A file to be written, with a folder of its own for whatever else is needed on the way; both are gone afterwards,
    unless the file has been published. What a killed build has left is removed first: the caller holds the shop's lock.
    """
    folder = folder_of(shop_id)
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(shop_id)
    work = folder / f"{name}{UNFINISHED}"
    work.mkdir()
    try:
        yield work / name
    finally:
        remove_unfinished(shop_id)


def remove_unfinished(shop_id: int) -> None:
    for work in folder_of(shop_id).glob(f"*{UNFINISHED}"):
        for path in work.iterdir():
            path.unlink()
        work.rmdir()


def remove_others(shop_id: int, kept: Collection[str]) -> None:
    """Remove the files that are not named, also those that a killed build has published and nobody knows."""
    for path in folder_of(shop_id).glob("*.duckdb"):
        if path.name not in kept:
            path.unlink()


def publish(shop_id: int, unfinished: Path) -> None:
    """Give a finished file its place, for good: what is in it is on the disk, and so is its name."""
    _sync(unfinished)
    unfinished.rename(path_of(shop_id, unfinished.name))
    _sync(folder_of(shop_id))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
