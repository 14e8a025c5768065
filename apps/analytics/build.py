"""Building a version of a shop's store: whole, or from the version before and the days that have changed since.

Both end alike: the file is written aside, closed, opened again and compared with PostgreSQL, brought to the disk, and
named in the manifest, in one transaction with the end of its stale days. Whatever goes wrong before that leaves the
version before in its place.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
from django.db import transaction
from django.db.models import Max
from duckdb import DuckDBPyConnection

from apps.analytics import extract, files, manifest
from apps.analytics.cubes import add_cubes
from apps.analytics.errors import Damaged, StoreBusy
from apps.analytics.extract import sql
from apps.analytics.models import StaleDay, StoreVersion
from apps.common.clock import real_now
from apps.common.db import session_lock, turn
from apps.common.periods import Period
from apps.shops.models import Shop

log = logging.getLogger(__name__)

LINES_AT_ONCE = 250_000
MOST_STALE_DAYS = 400  # more are not worth a comparison: the file is built whole
KEPT_VERSIONS = 2
MEMORY = "3GB"
THREADS = 2
ROW_GROUP = 24_576  # a question reads whole groups: a fifth of DuckDB's own size, and it reads less beside its rows

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Stale:
    """What a version is to take in: the ids of the marks that were seen, and their days."""

    ids: tuple[int, ...]
    days: list[date]


@dataclass(frozen=True)
class Written:
    """What a finished file should hold: PostgreSQL's counts and sums of `days`. Its cubes have changed on those of
    `touched`: an order's other rows may lie on other days. None: all."""

    expected: dict[str, str]
    days: list[date] | None
    touched: list[date] | None


class MustBeWhole(Exception):
    """The version before is no ground to build on."""


def refresh(shop: Shop, *, progress: Progress = lambda _: None) -> StoreVersion:
    """A version with everything that has changed; the one there is when nothing has.

    Raises `StoreBusy` while another process builds a version of the shop.
    """
    with alone(shop):
        before = manifest.latest(shop.pk)
        if before is None or manifest.has_damaged_since(before):
            return _build_whole(shop, progress)
        try:
            return _build_on(shop, before, progress)
        except (MustBeWhole, Damaged, OSError, duckdb.Error) as error:
            log.warning("the store of shop %s is built from everything: %s", shop.pk, error)
            progress(f"from everything: {error}")
            return _build_whole(shop, progress)


def rebuild(shop: Shop, *, progress: Progress = lambda _: None) -> StoreVersion:
    """A version made from PostgreSQL alone. Raises `StoreBusy` while another process builds one of the shop."""
    with alone(shop):
        return _build_whole(shop, progress)


@contextmanager
def alone(shop: Shop) -> Iterator[None]:
    """No version of the shop is built by anybody else meanwhile; raises `StoreBusy` when one is."""
    with session_lock("store", shop.pk) as is_free:
        if not is_free:
            raise StoreBusy(f"a version of the store of shop {shop.pk} is being built already")
        yield


@contextmanager
def in_turn(shop: Shop) -> Iterator[None]:
    """Wait until whoever builds a version of the shop is done; inside, what asks to be `alone` is."""
    with turn("store", shop.pk, on_wait=lambda: log.info("the store of shop %s is being built: waiting", shop.pk)):
        yield


def _build_whole(shop: Shop, progress: Progress) -> StoreVersion:
    with _version(shop, is_whole=True) as (version, path):
        with _writing(path) as db:
            with extract.snapshot():
                version.as_of, stale = real_now(), _stale(shop)
                expected = extract.facts(shop.pk, None)
                extract.read(db, path.parent, shop_id=shop.pk, days=None)
            progress("read from the database")
            db.execute(sql("macros"))
            db.execute(sql("tables"))
            db.execute(sql("load"))
            db.execute(sql("whole"))
            db.execute(sql("directories"))
            progress("facts")
            add_cubes(db, _stretches(db), progress=progress)
        return _publish(version, path, Written(expected, None, None), stale)


def _build_on(shop: Shop, before: StoreVersion, progress: Progress) -> StoreVersion:
    """From the version before and the days that have changed. Raises `MustBeWhole`."""
    with _version(shop, is_whole=False) as (version, path):
        shutil.copyfile(files.path_of(shop.pk, before.file), path)
        with _writing(path) as db:
            with extract.snapshot():
                version.as_of, stale = real_now(), _stale(shop)
                if len(stale.days) > MOST_STALE_DAYS:
                    raise MustBeWhole(f"{len(stale.days)} days have changed")
                expected = extract.facts(shop.pk, stale.days)
                extract.read(db, path.parent, shop_id=shop.pk, days=stale.days)
            progress(f"{len(stale.days)} days read from the database")
            db.execute(sql("load"))
            moved, renamed = db.execute(sql("moved")).fetchone() or (0, 0)
            if moved:
                raise MustBeWhole(f"{moved} products, categories or sources count elsewhere now")
            if not stale.days and not renamed:
                return before
            if renamed:
                db.execute(sql("directories"))
            db.execute("create temp table stale_day as select unnest($days::date[]) as day", {"days": stale.days})
            db.execute(sql("refresh"))
            add_cubes(db, _stretches(db), progress=progress)
            touched = db.execute("select day from stale_day union select day from part_sale").fetchall()
        return _publish(version, path, Written(expected, stale.days, [day for (day,) in touched]), stale)


@contextmanager
def _version(shop: Shop, *, is_whole: bool) -> Iterator[tuple[StoreVersion, Path]]:
    """The next version and the path of its file, which is gone afterwards unless it was published."""
    started = time.monotonic()
    number = (StoreVersion.objects.filter(shop=shop).aggregate(last=Max("number"))["last"] or 0) + 1
    version = StoreVersion(
        shop=shop,
        number=number,
        file=f"{number}.duckdb",
        layout=manifest.LAYOUT,
        is_whole=is_whole,
        seconds=-started,
    )
    with files.unfinished_file(shop.pk, version.file) as path:
        yield version, path


@contextmanager
def _writing(path: Path) -> Iterator[DuckDBPyConnection]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "threads": THREADS,
        "temp_directory": str(path.parent),
        "fsync_mode": "NONE",  # the finished file is brought to the disk, once, before it is published
    }
    with duckdb.connect(config=config) as db:
        db.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as store (row_group_size {ROW_GROUP})")
        db.execute("use store")
        yield db
        db.execute("checkpoint")


def _publish(version: StoreVersion, path: Path, written: Written, stale: Stale) -> StoreVersion:
    """Look at the file as a reader will see it, then let it answer."""
    with duckdb.connect(str(path), read_only=True) as db:
        _check(db, written)
        version.facts = extract.facts_of(db, None)
    version.size = path.stat().st_size
    files.publish(version.shop_id, path)
    version.seconds += time.monotonic()
    with transaction.atomic():
        version.save()
        StaleDay.objects.filter(pk__in=stale.ids).delete()
    manifest.forget(version.shop_id)
    _remove_old(version.shop_id)
    return version


def _check(db: DuckDBPyConnection, written: Written) -> None:
    found = extract.facts_of(db, written.days)
    if found != written.expected:
        raise Damaged(f"the file holds {found}, PostgreSQL {written.expected}")
    db.execute(sql("checked_day"), {"days": written.touched})
    differing = db.execute(sql("cubes_agree")).fetchall()
    if differing:
        raise Damaged(f"cubes differ from the facts: {differing}")


def _stale(shop: Shop) -> Stale:
    marks = list(StaleDay.objects.filter(shop=shop).values_list("pk", "day"))
    return Stale(tuple(pk for pk, _ in marks), sorted({day for _, day in marks}))


def _stretches(db: DuckDBPyConnection) -> Iterator[Period]:
    """The days of the parts, so many at once as keep within the memory."""
    first, last, lines = db.execute(
        "select min(day), max(day), (select count(*) from part_line) from part_sale"
    ).fetchone() or (None, None, 0)
    if first is None:
        return
    span = (last - first).days + 1
    days = min(span, max(31, span * LINES_AT_ONCE // (lines + 1)))
    while first <= last:
        stretch = Period(first, min(first + timedelta(days=days - 1), last))
        yield stretch
        first = stretch.last + timedelta(days=1)


def _remove_old(shop_id: int) -> None:
    """Remove every file but that of the version that answers and of the one before, which answers when this one is
    found damaged. A question that was asked of an older one has opened it long ago, or asks again."""
    kept = dict(manifest.sound(shop_id).values_list("pk", "file")[:KEPT_VERSIONS])
    StoreVersion.objects.filter(shop=shop_id).exclude(pk__in=kept).delete()
    files.remove_others(shop_id, kept.values())
