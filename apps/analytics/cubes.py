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
    """Rows of days are gathered in day_<name>; `keys` are theirs beside the block. A larger block sums up the rows of
    the smaller ones, or the `summed` ones of them ({block} is the larger). sql/<name>_of_blocks.sql stores them all."""

    name: str
    keys: str
    summed: str = "true"


DAY_CUBES = (
    Cube("sales", "category, brand, source, type"),
    Cube("products", "source, type, head, category, brand"),
    Cube("expenses", "expense_type, source, type"),
)
BUYERS = Cube("buyers", "kind, audience, before", "before is null or before < first_day({block})")


def add_cubes(db: DuckDBPyConnection, stretches: Iterable[Period], *, progress: Callable[[str], None]) -> None:
    """Add to the cubes what the parts (part_*) come to, stretch by stretch: that is what bounds the memory it takes."""
    db.execute(sql("day_tables"))
    for stretch in stretches:
        for statement in sql("day_cubes").removesuffix(";\n").split(";\n"):
            db.execute(statement, {"first": stretch.first, "last": stretch.last} if "$first" in statement else None)
        progress(f"days up to {stretch.last}")
    for cube in DAY_CUBES:
        _add_blocks(db, cube)
        progress(cube.name)
    db.execute(sql("split"))
    db.execute(sql("buyer_cubes"))
    _add_blocks(db, BUYERS)
    progress("buyers")


def _add_blocks(db: DuckDBPyConnection, cube: Cube) -> None:
    for smaller, larger in pairwise(LEVELS):
        block = f"{larger}_block(block)"
        db.execute(f"create temp table {larger}_{cube.name} as from {smaller}_{cube.name} limit 0")
        db.execute(
            f"insert into {larger}_{cube.name} by name"  # noqa: S608 - names of our own
            f" select {cube.keys}, {block} as block, sum(columns(* exclude ({cube.keys}, block))) as '\\0'"
            f" from {smaller}_{cube.name} where {cube.summed.format(block=block)} group by all"
        )
    db.execute(sql(f"{cube.name}_of_blocks"))
    for level in LEVELS:
        db.execute(f"drop table {level}_{cube.name}")
