"""The cubes of a file, from its facts: the rows of days, and of the larger blocks that are sums of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from duckdb import DuckDBPyConnection

from apps.analytics.extract import sql
from apps.common.periods import Period

LEVELS = ("day", "third", "month", "year")


# The cubes that have larger blocks, and their keys beside the block. Rows of days are gathered in day_<cube>;
# sql/<cube>_of_blocks.sql stores them all.
BY_BLOCKS = {"sales": "category, brand, source, type", "products": "source, type, head, category, brand"}


def add_cubes(db: DuckDBPyConnection, stretches: Iterable[Period], *, progress: Callable[[str], None]) -> None:
    """Add to the cubes what the parts (part_*) come to, stretch by stretch: that is what bounds the memory it takes."""
    db.execute(sql("day_tables"))
    for stretch in stretches:
        for statement in sql("day_cubes").removesuffix(";\n").split(";\n"):
            db.execute(statement, {"first": stretch.first, "last": stretch.last} if "$first" in statement else None)
        progress(f"days up to {stretch.last}")
    for cube, keys in BY_BLOCKS.items():
        _add_blocks(db, cube, keys)
        progress(cube)
    db.execute(sql("split"))
    db.execute(sql("buyer_cubes"))
    progress("buyers")


def _add_blocks(db: DuckDBPyConnection, cube: str, keys: str) -> None:
    for smaller, larger in pairwise(LEVELS):
        db.execute(f"create temp table {larger}_{cube} as from {smaller}_{cube} limit 0")
        db.execute(
            f"insert into {larger}_{cube} by name"  # noqa: S608 - names of our own
            f" select {keys}, {larger}_block(block) as block, sum(columns(* exclude ({keys}, block))) as '\\0'"
            f" from {smaller}_{cube} group by all"
        )
    db.execute(sql(f"{cube}_of_blocks"))
    for level in LEVELS:
        db.execute(f"drop table {level}_{cube}")
