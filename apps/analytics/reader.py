"""Asking the files of the store: the versions of the shops that are asked about."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import duckdb
from django.utils.translation import gettext as _

from apps.analytics import directories, files, manifest
from apps.analytics.days import Days
from apps.analytics.directories import Rows
from apps.analytics.errors import Damaged, NotBuilt
from apps.analytics.extract import sql
from apps.analytics.models import StoreVersion
from apps.analytics.months import Months
from apps.analytics.visits import Visits

MOST_OPEN = 16
MOST_KEPT = 100_000_000  # bytes of sums in memory: those of one filter take about twenty for a million orders
BROKEN = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)

PARAMETER = re.compile(r"\$(\w+)")

T = TypeVar("T")
K = TypeVar("K", bound="Kept")


class Kept(Protocol):
    """What is kept in memory."""

    @property
    def size(self) -> int:
        """In bytes."""


@dataclass(frozen=True)
class Ranges:
    """That a column lies in one of some ranges of whole numbers. A list would do, but costs twice the time: DuckDB
    compares its numbers in a join, after the table has been read."""

    column: str
    ranges: Sequence[tuple[int, int]]

    def __str__(self) -> str:
        parts = [f"{self.column} between {int(first)} and {int(last)}" for first, last in self.ranges]
        return f"({' or '.join(parts) or 'false'})"


class Store:
    """Open files of one or more shops, one version of each, and their directories."""

    def __init__(self, versions: tuple[StoreVersion, ...]) -> None:
        self.versions = versions
        self._own = threading.local()
        self._db = duckdb.connect(config={"threads": 1})
        self._db.execute(sql("macros"))
        for version in versions:
            self._attach(version)
        if len(versions) > 1:
            self._join()
        self.directories = directories.read(self.ask_plainly)
        self._product_names: dict[int, str] = {}
        self._made: OrderedDict[tuple[Any, ...], Kept] = OrderedDict()
        self._lock = threading.Lock()

    def days(self, question: str, keys: Sequence[str], **params: Any) -> Days:
        """The sums of every day that sql/<question>.sql gives, by these keys."""
        return self._kept(lambda columns: Days.of(columns, keys), question, params)

    def visits(self, question: str, **params: Any) -> Visits:
        """The days on which buyers bought, as sql/<question>.sql gives them."""
        return self._kept(Visits.of, question, params)

    def months(self, question: str, **params: Any) -> Months:
        """The sums of whole months and years that sql/<question>.sql gives, by key."""
        return self._kept(Months.of, question, params)

    def columns(self, question: str, **params: Any) -> dict[str, Any]:
        """What sql/<question>.sql gives, as arrays."""
        return self._columns(*_written(sql(question), params))

    def _kept(self, make: Callable[[dict[str, Any]], K], question: str, params: Mapping[str, Any]) -> K:
        """What is made of the columns of a question. What was asked for last is kept, whatever its period."""
        text, named = _written(sql(question), params)
        key = (text, *named.values())
        kept: Any = self._made.get(key)
        made: K = kept or make(self._columns(text, named))
        with self._lock:
            self._made[key] = made
            self._made.move_to_end(key)
            while len(self._made) > 1 and sum(one.size for one in self._made.values()) > MOST_KEPT:
                self._made.popitem(last=False)
        return made

    def product_names(self, products: list[int]) -> dict[int, str]:
        """Read when they are first asked for: a catalog may be long, and few of its products sell best."""
        if unknown := [product for product in products if product not in self._product_names]:
            self._product_names.update(self.ask("product_names", products=unknown))
        return self._product_names

    def ask(self, question: str, **params: Any) -> Rows:
        """The rows of sql/<question>.sql, with those of `params` that it names."""
        return self.run(sql(question), **params)

    def run(self, text: str, **params: Any) -> Rows:
        """The same of a statement."""
        return self.ask_plainly(*_written(text, params))

    def ask_plainly(self, text: str, params: Mapping[str, Any] | None = None) -> Rows:
        with _reading():
            return self._cursor.execute(text, params).fetchall()

    def _columns(self, text: str, params: Mapping[str, Any]) -> dict[str, Any]:
        with _reading():
            return self._cursor.execute(text, params).fetchnumpy()

    @property
    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's own: one connection answers one question at a time."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._own, "cursor", None)
        if cursor is None:
            cursor = self._own.cursor = self._db.cursor()
            if len(self.versions) == 1:
                cursor.execute(f"set search_path = '{_name(self.versions[0])},memory'")
        return cursor

    def _attach(self, version: StoreVersion) -> None:
        path = files.path_of(version.shop_id, version.file)
        if not path.exists() or path.stat().st_size != version.size:
            raise Damaged(f"{path} is not there, or has another size than {version.size}")
        with _reading():
            self._db.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as {_name(version)} (read_only)")

    def _join(self) -> None:
        """One view for each table, over all shops. Of one shop the tables are asked themselves, which is quicker."""
        names = [_name(version) for version in self.versions]
        tables = self.ask_plainly(
            "select table_name from duckdb_tables() where database_name = $name", {"name": names[0]}
        )
        for (table,) in tables:
            parts = " union all ".join(f"from {name}.{table}" for name in names)
            self._db.execute(f"create view {table} as {parts}")


@contextmanager
def _reading() -> Iterator[None]:
    """Raises `Damaged` when what lies in a file cannot be read."""
    try:
        yield
    except BROKEN as error:
        raise Damaged(str(error)) from error


def _written(text: str, params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A statement and its parameters. Lists and ranges are written into its text: DuckDB passes over what they leave
    out only when it sees them while it plans."""
    for name, value in params.items():
        if isinstance(value, list):
            text = text.replace(f"${name}", f"({', '.join(map(str, map(int, value)))})")
        elif isinstance(value, Ranges):
            text = text.replace(f"${name}", str(value))
    return text, {name: params[name] for name in PARAMETER.findall(text)}


def _name(version: StoreVersion) -> str:
    """Of a file among those that are open."""
    return f"shop{version.shop_id}"


_open: OrderedDict[tuple[int, ...], Store] = OrderedDict()  # by their shops
_lock = threading.Lock()


def answer(shops: tuple[int, ...], question: Callable[[Store], T]) -> T:
    """What `question` finds in the versions that answer about these shops now.

    A version whose file cannot be read is marked as damaged, and the one before is asked. Raises `NotBuilt` when a shop
    has none.
    """
    while True:
        versions = tuple(_current(shop_id) for shop_id in sorted(set(shops)))
        try:
            return question(_opened(versions))
        except Damaged as error:
            _give_up_on(versions, str(error))


def close_all() -> None:
    """Have every file opened anew for the next question."""
    with _lock:
        _open.clear()


def _current(shop_id: int) -> StoreVersion:
    version = manifest.current(shop_id)
    if version is None:
        raise NotBuilt(_("The figures of this shop are being prepared. Ask again in a few minutes."))
    return version


def _opened(versions: tuple[StoreVersion, ...]) -> Store:
    """Files of versions that nobody asks about any more are closed when the last question about them has ended."""
    shops = _shops(versions)
    with _lock:
        if shops not in _open or _open[shops].versions != versions:
            _open[shops] = Store(versions)
        _open.move_to_end(shops)
        while len(_open) > MOST_OPEN:
            _open.popitem(last=False)
        return _open[shops]


def _shops(versions: tuple[StoreVersion, ...]) -> tuple[int, ...]:
    return tuple(version.shop_id for version in versions)


def _give_up_on(versions: tuple[StoreVersion, ...], found: str) -> None:
    """Mark those that the error names, or all; one that has been replaced in the meantime has merely been removed."""
    with _lock:
        _open.pop(_shops(versions), None)
    named = [v for v in versions if str(files.path_of(v.shop_id, v.file)) in found]
    for version in named or versions:
        manifest.forget(version.shop_id)
        if manifest.latest(version.shop_id) == version:
            manifest.mark_damaged(version, found)
