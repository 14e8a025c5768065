"""Many rows at once: COPY into a temporary table, then one MERGE that changes only what differs.

Rows are merged in the order of their key, so that two writers of the same rows wait for each other instead of
deadlocking, and so that the key's index is filled from left to right; a hash join would lose that order. MERGE needs
PostgreSQL 17. Unlike INSERT .. ON CONFLICT it looks each key up once, and fails where another writer has stored the
same new row in the meantime: then it is run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import errors, sql

Row = tuple[Any, ...]

STAGE = sql.Identifier("upsert_stage")
STORED, INCOMING = sql.Identifier("stored"), sql.Identifier("incoming")
ATTEMPTS = 5


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
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        _know(cursor, model)
        _stage(cursor, model, (*key, *columns), latest.values())
        written = _run(cursor, _merge(model, key, columns, keep_known, returning), keep_rows=bool(returning))
        cursor.execute(sql.SQL("set local enable_hashjoin to default; drop table {}").format(STAGE))
    return replace(written, unchanged=len(latest) - written.written, duplicates=received - len(latest))


def _stage(cursor: CursorWrapper, model: type[models.Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """Fill the temporary table; its columns have the types of the model's, so this is where values are converted.
    Until it is dropped, nothing is joined by hashes.

    Rows go as text one by one: that is C in psycopg, and faster than its binary format or strings joined here.
    """
    parts = {"stage": STAGE, "names": _names(names), "table": _table(model)}
    cursor.execute(
        sql.SQL(
            "create temporary table {stage} on commit drop as select {names} from {table} with no data;"
            " set local enable_hashjoin = off"
        ).format(**parts)
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
    """The statement: with `returning` a row for each row written, otherwise one with the two counts."""
    names = (*key, *columns)
    merge = sql.SQL(
        "merge into {table} as {stored} using (select * from {stage} order by {key}) as {incoming}"
        " on ({stored_key}) = ({incoming_key}) {update}"
        " when not matched then insert ({names}) values ({values}) returning merge_action() = 'INSERT' as is_new"
    ).format(
        table=_table(model),
        stored=STORED,
        stage=STAGE,
        key=_names(key),
        incoming=INCOMING,
        stored_key=_fields(STORED, key),
        incoming_key=_fields(INCOMING, key),
        update=_update(columns, keep_known) if columns else sql.SQL(""),
        names=_names(names),
        values=_fields(INCOMING, names),
    )
    if returning:
        return sql.SQL("{}, {}").format(merge, _fields(STORED, returning))
    return sql.SQL("with written as ({}) select count(*) filter (where is_new), count(*) from written").format(merge)


def _update(columns: Sequence[str], keep_known: Sequence[str]) -> sql.Composable:
    """A null of the incoming row gives way to what is known, where that is to be kept."""
    values = [
        sql.SQL("coalesce({}, {})").format(_field(INCOMING, name), _field(STORED, name))
        if name in keep_known
        else _field(INCOMING, name)
        for name in columns
    ]
    return sql.SQL("when matched and ({stored}) is distinct from ({values}) then update set {changes}").format(
        stored=_fields(STORED, columns),
        values=_list(values),
        changes=_list(map(sql.SQL("{} = {}").format, map(sql.Identifier, columns), values)),
    )


def _run(cursor: CursorWrapper, merge: sql.Composable, *, keep_rows: bool) -> Upserted:
    """Run the statement, and again when another writer was faster: then it finds and compares with their rows."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                cursor.execute(merge)
            break
        except IntegrityError as error:
            if attempt == ATTEMPTS or not isinstance(error.__cause__, errors.UniqueViolation):
                raise
    if not keep_rows:
        inserted, total = cursor.fetchone()
        return Upserted(inserted, total - inserted)
    rows = cursor.fetchall()
    inserted = sum(row[0] for row in rows)
    return Upserted(inserted, len(rows) - inserted, rows=tuple(row[1:] for row in rows))


def _know(cursor: CursorWrapper, model: type[models.Model]) -> None:
    """Have statistics of a table that was empty a moment ago. PostgreSQL looks by itself within a minute; until then it
    takes any index that begins with the shop for as good as that of the key, and reads a whole shop for each row."""
    cursor.execute(
        "select reltuples <= 0 and pg_relation_size(oid) > 0 from pg_class where oid = %s::regclass",
        [model._meta.db_table],
    )
    (is_unknown,) = cursor.fetchone()
    if is_unknown:
        cursor.execute(sql.SQL("analyze (skip_locked) {}").format(_table(model)))


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
