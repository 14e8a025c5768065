"""From PostgreSQL to DuckDB: COPY into a file of text, which DuckDB reads with the types that are named here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from duckdb import DuckDBPyConnection

# What is read, with the types of its columns; the queries are sql/from_<name>.sql.
FACTS = {
    "orders": {
        "id": "bigint",
        "number": "bigint",
        "placed_on": "date",
        "source": "bigint",
        "sales_type": "varchar",
        "counts": "boolean",
        "returned": "boolean",
        "buyer_id": "bigint",
        "total": "decimal(18, 2)",
    },
    "lines": {
        "order_id": "bigint",
        "product_id": "bigint",
        "quantity": "decimal(18, 3)",
        "price": "decimal(18, 2)",
        "unit_cost": "decimal(18, 2)",
    },
    "expenses": {"order_id": "bigint", "type_id": "bigint", "amount": "decimal(18, 2)"},
}
DIRECTORIES = {
    "products": {
        "id": "bigint",
        "name": "varchar",
        "head": "bigint",
        "category_id": "bigint",
        "brand_id": "bigint",
    },
    "categories": {"id": "bigint", "parent_id": "bigint", "name": "varchar"},
    "brands": {"id": "bigint", "name": "varchar"},
    "sources": {"id": "bigint", "name": "varchar", "role": "varchar"},
    "expense_types": {"id": "bigint", "name": "varchar", "alias": "varchar"},
}


@cache
def sql(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read inside is of one moment. In a transaction that is under way already, of that one."""
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if outermost:
            cursor.execute("set transaction isolation level repeatable read, read only")
        yield


def read(db: DuckDBPyConnection, folder: Path, *, shop_id: int, days: list[date] | None) -> None:
    """Make the temporary tables raw_<name> of every name above, the facts for these days alone (None: all)."""
    for name, columns in (FACTS | DIRECTORIES).items():
        file = folder / f"{name}.csv"
        _copy_out(file, sql(f"from_{name}"), {"shop": shop_id, "days": None if days is None else list(days)})
        types = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
        db.execute(
            f"create temp table raw_{name} as from read_csv($file, columns = {{{types}}}, header = false,"
            " delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, auto_detect = false)",
            {"file": str(file)},
        )
        file.unlink()


def facts(shop_id: int, days: list[date] | None) -> dict[str, str]:
    """What PostgreSQL counts and sums up, by name; exact, as text."""
    with connection.cursor() as cursor:
        query = sql("facts_in_postgresql").replace("{orders}", sql("from_orders"))
        cursor.execute(query, {"shop": shop_id, "days": None if days is None else list(days)})
        return as_text([column.name for column in cursor.description], cursor.fetchone())


def facts_of(db: DuckDBPyConnection, days: list[date] | None) -> dict[str, str]:
    """The same of a file."""
    found = db.execute(sql("facts"), {"days": days})
    return as_text([column[0] for column in found.description], found.fetchone() or ())


def as_text(names: Sequence[str], row: Sequence[Any]) -> dict[str, str]:
    return {name: f"{value:.5f}" for name, value in zip(names, row, strict=True)}


def _copy_out(file: Path, query: str, params: dict[str, Any]) -> None:
    with (
        connection.cursor() as cursor,
        file.open("wb") as out,
        connection.wrap_database_errors,
        cursor.copy(f"copy ({query}) to stdout with (format csv)", params) as copy,
    ):
        for block in copy:
            out.write(block)
