"""The cubes of a file, from its facts: the rows of days, and of the larger blocks that are sums of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from duckdb import DuckDBPyConnection

from apps.analytics.extract import sql
from apps.common.periods import Period

LEVELS = ("day", "third", "month", "year")


@dataclass(frozen=True)
class Cube:
    """Rows of days are gathered in day_<name>; `keys` are theirs beside the block. `tables`: which rows of all blocks
    go into which table, in the order in which a question looks for them."""

    name: str
    keys: str
    tables: dict[str, str]


CUBES = (
    Cube(
        "sales",
        "category, brand, source, type",
        {
            "sales": "order by category, brand, block",
            "brand_sales": "where brand <> 0 order by category, block",
        },
    ),
    Cube("products", "source, type, head, category, brand", {"product_sales": "order by source, type, block, head"}),
    Cube("expenses", "expense_type, source, type", {"expenses": "order by expense_type, block"}),
)


def add_cubes(db: DuckDBPyConnection, stretches: Iterable[Period], *, progress: Callable[[str], None]) -> None:
    """Add to the cubes what the parts (part_*) come to, stretch by stretch: that is what bounds the memory it takes."""
    for cube in CUBES:
        db.execute(f"create temp table day_{cube.name} as from {next(iter(cube.tables))} limit 0")
    for stretch in stretches:
        for statement in sql("day_cubes").removesuffix(";\n").split(";\n"):
            db.execute(statement, {"first": stretch.first, "last": stretch.last})
        progress(f"days up to {stretch.last}")
    for cube in CUBES:
        _add_blocks(db, cube)
        progress(cube.name)
    db.execute(sql("split"))
    db.execute(sql("buyer_cubes"))
    progress("buyers")


def _add_blocks(db: DuckDBPyConnection, cube: Cube) -> None:
    for smaller, larger in pairwise(LEVELS):
        db.execute(
            f"create temp table {larger}_{cube.name} as"  # noqa: S608 - names of our own
            f" select {cube.keys}, {larger}_block(block) as block,"
            f" sum(columns(* exclude ({cube.keys}, block))) as '\\0' from {smaller}_{cube.name} group by all"
        )
    every = " union all by name ".join(f"from {level}_{cube.name}" for level in LEVELS)
    for table, rows in cube.tables.items():
        db.execute(f"insert into {table} by name from ({every}) {rows}")
    for level in LEVELS:
        db.execute(f"drop table {level}_{cube.name}")
