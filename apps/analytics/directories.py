"""What a question must know before it is asked, and names for what it finds: read once from each version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Directories:
    """Names and trees by id. Brands go by a key that those which differ in case alone share within a shop.

    `children` are in the order of their names; those of None are the roots. `ever` holds the sums of all buyers so far
    by source (0: all) and type. `has_scattered`: whether some order number lies in several cells, which is rare.
    """

    descendants: dict[int, list[int]]
    children: dict[int | None, list[int]]
    category_names: dict[int, str]
    brand_keys: dict[str, list[int]]
    brand_names: dict[int, str]
    source_names: dict[int, str]
    expense_types: dict[int, tuple[str, str]]
    ever: dict[tuple[int, str], tuple[Any, ...]]
    has_scattered: bool


def read(ask: Callable[[str], Rows]) -> Directories:
    categories = ask("select parent, id, name from category order by lower(name), id")
    brands = ask("select lower(name), key, name from brand order by id")
    first_names: dict[str, str] = {}
    for lower, _, name in brands:
        first_names.setdefault(lower, name)
    ever = ask(
        "select source, type, sum(buyers), sum(repeat_buyers), sum(orders), sum(spent), sum(repeat_spent),"
        " sum(lifespan_days) from ever group by source, type"
    )
    return Directories(
        descendants=_gathered(ask("select ancestor, category from category_path")),
        children=_gathered([(parent, category) for parent, category, _ in categories]),
        category_names={category: name for _, category, name in categories},
        brand_keys=_gathered(sorted({(lower, key) for lower, key, _ in brands})),
        brand_names={key: first_names[lower] for lower, key, _ in brands},
        source_names=dict(ask("select id, name from source")),
        expense_types={id_: (name, alias) for id_, name, alias in ask("select id, name, alias from expense_type")},
        ever={(source, kind): tuple(sums) for source, kind, *sums in ever},
        has_scattered=bool(ask("select 1 from split union all select 1 from split_expense limit 1")),
    )


def _gathered(pairs: Rows) -> dict[Any, list[Any]]:
    """Values by their key."""
    found: dict[Any, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
