"""The facts of a store as Parquet, for exchange and backup."""

from __future__ import annotations

from pathlib import Path

from apps.analytics.reader import Store, answer

BY_MONTH = ("sale", "line", "expense")
WHOLE = ("source", "product", "category", "brand", "expense_type")


def export(shop_id: int, folder: Path) -> dict[str, int]:
    """Write <folder>/<table>/year=../month=.. and <folder>/<table>.parquet; returns the rows by table.

    Raises `NotBuilt` when the shop has no store.
    """

    def write(store: Store) -> dict[str, int]:
        folder.mkdir(parents=True, exist_ok=True)
        rows = {}
        for table in BY_MONTH:
            source = f"select *, year(day) as year, month(day) as month from {table}"  # noqa: S608
            options = "format parquet, compression zstd, partition_by (year, month), overwrite_or_ignore"
            rows[table] = _copy(store, source, folder / table, options)
        for table in WHOLE:
            rows[table] = _copy(store, f"from {table}", folder / f"{table}.parquet", "format parquet, compression zstd")
        return rows

    return answer((shop_id,), write)


def _copy(store: Store, source: str, target: Path, options: str) -> int:
    ((count,),) = store.ask_plainly(f"copy ({source}) to '{str(target).replace(chr(39), chr(39) * 2)}' ({options})")
    return int(count)
