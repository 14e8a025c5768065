"""Many rows at once: COPY into a temporary table, then one INSERT that changes only what differs.

Rows are inserted in the order of their key, so that two writers of the same rows wait for each other instead of
deadlocking, and so that the key's index is filled from left to right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

Row = tuple[Any, ...]

STAGE = sql.Identifier("upsert_stage")


@dataclass(frozen=True)
class Upserted:
    """What became of the rows. `rows` are those inserted or updated, as tuples of the columns named by `returning`."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rows: tuple[Row, ...] = ()

    @property
    def written(self) -> int:
        return self.inserted + self.updated

    def __add__(self, other: Upserted) -> Upserted:
        return Upserted(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.duplicates + other.duplicates,
            self.rows + other.rows,
        )


def upsert(
    model: type[models.Model],
    rows: Iterable[Row],
    *,
    key: Sequence[str],
    columns: Sequence[str],
    keep_known: Sequence[str] = (),
    returning: Sequence[str] = (),
) -> Upserted:
    """Insert the rows, or update those whose `key` is there already and whose `columns` differ.

    A row is a tuple with the values of `key` and `columns`, in that order; both are names of database columns
    ("shop_id"). `key` needs a unique constraint; a column that is not named must be nullable or have a default in the
    database. Of several rows with one key the last counts. A null in a column of `keep_known` never replaces a value;
    with no `columns` at all, rows that exist stay as they are. PostgreSQL reads the values as text: a Decimal is
    rounded to the scale of its column, what does not fit is a DataError.
    """
    latest: dict[Row, Row] = {}
    received = 0
    for received, row in enumerate(rows, start=1):  # noqa: B007
        latest[row[: len(key)]] = row
    if not latest:
        return Upserted()
    with transaction.atomic(), connection.cursor() as cursor:
        _stage(cursor, model, (*key, *columns), latest.values())
        cursor.execute(_merge(model, key, columns, keep_known, returning))
        inserted, total, written = _outcome(cursor, counted=not returning)
        cursor.execute(sql.SQL("drop table {}").format(STAGE))
    return Upserted(inserted, total - inserted, len(latest) - total, received - len(latest), written)


def _stage(cursor: CursorWrapper, model: type[models.Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """Fill the temporary table; its columns have the types of the model's, so this is where values are converted.

    Rows go as text one by one: that is C in psycopg, and faster than its binary format or strings joined here.
    """
    parts = {"stage": STAGE, "names": _names(names), "table": _table(model)}
    cursor.execute(
        sql.SQL("create temporary table {stage} on commit drop as select {names} from {table} with no data").format(
            **parts
        )
    )
    copy_in = sql.SQL("copy {stage} ({names}) from stdin").format(**parts)
    with connection.wrap_database_errors, cursor.copy(copy_in.as_string(cursor.connection)) as copy:
        write = copy.write_row
        for row in rows:
            write(row)


def _merge(
    model: type[models.Model],
    key: Sequence[str],
    columns: Sequence[str],
    keep_known: Sequence[str],
    returning: Sequence[str],
) -> sql.Composable:
    """Rows that are stored as they are stay out of the insert: on conflict would lock each of them and use up an id.

    xmax is 0 in a row version that nobody has locked or replaced: in an inserted row, and not in an updated one.
    """
    table = _table(model)
    insert = sql.SQL(
        "insert into {table} ({names}) select {names} from {stage}"
        " where not exists (select from {table} where {is_stored}) order by {key}"
        " on conflict ({key}) do {action} returning {table}.xmax = 0 as is_new"
    ).format(
        table=table,
        stage=STAGE,
        key=_names(key),
        names=_names((*key, *columns)),
        is_stored=_is_stored(table, key, columns, keep_known),
        action=_update(table, columns, keep_known) if columns else sql.SQL("nothing"),
    )
    if returning:
        return sql.SQL("{}, {}").format(insert, _fields(table, returning))
    return sql.SQL("with written as ({}) select count(*) filter (where is_new), count(*) from written").format(insert)


def _is_stored(
    table: sql.Identifier, key: Sequence[str], columns: Sequence[str], keep_known: Sequence[str]
) -> sql.Composable:
    same_key = sql.SQL("({}) = ({})").format(_fields(table, key), _fields(STAGE, key))
    if not columns:
        return same_key
    return sql.SQL("{} and ({}) is not distinct from ({})").format(
        same_key, _fields(table, columns), _list(_incoming(table, STAGE, columns, keep_known))
    )


def _update(table: sql.Identifier, columns: Sequence[str], keep_known: Sequence[str]) -> sql.Composable:
    """Compares once more: another writer may have stored the same in the meantime."""
    incoming = _incoming(table, sql.Identifier("excluded"), columns, keep_known)
    return sql.SQL("update set {changes} where ({stored}) is distinct from ({incoming})").format(
        changes=_list(map(sql.SQL("{} = {}").format, map(sql.Identifier, columns), incoming)),
        stored=_fields(table, columns),
        incoming=_list(incoming),
    )


def _incoming(
    table: sql.Identifier, source: sql.Identifier, columns: Sequence[str], keep_known: Sequence[str]
) -> list[sql.Composable]:
    """What each column is to hold: a null of the source gives way to what is known, where that is to be kept."""
    return [
        sql.SQL("coalesce({}, {})").format(_field(source, name), _field(table, name))
        if name in keep_known
        else _field(source, name)
        for name in columns
    ]


def _outcome(cursor: CursorWrapper, *, counted: bool) -> tuple[int, int, tuple[Row, ...]]:
    """Rows inserted, rows inserted or updated, and the columns asked for of those."""
    if counted:
        inserted, total = cursor.fetchone()
        return inserted, total, ()
    written = cursor.fetchall()
    return sum(row[0] for row in written), len(written), tuple(row[1:] for row in written)


def _table(model: type[models.Model]) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)


def _field(table: sql.Identifier, name: str) -> sql.Composable:
    return sql.SQL("{}.{}").format(table, sql.Identifier(name))


def _fields(table: sql.Identifier, names: Iterable[str]) -> sql.Composable:
    return _list(_field(table, name) for name in names)


def _names(names: Iterable[str]) -> sql.Composable:
    return _list(map(sql.Identifier, names))


def _list(parts: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(parts)
