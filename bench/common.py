"""What every bench prints: tables for people, and as its last line the figures for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence

from tabulate import tabulate


def print_table(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A titled table; cells are printed as they are, so a bench formats its own figures."""
    print(f"\n{title}")
    print(
        tabulate(
            list(rows), headers=headers, disable_numparse=True, colalign=("left",) + ("right",) * (len(headers) - 1)
        )
    )


def print_result(figures: Mapping[str, float | int | None]) -> None:
    """The last line of a bench: RESULT and one JSON object; null is a figure that this run could not tell."""
    print(f"\nRESULT {json.dumps({name: _rounded(value) for name, value in figures.items()})}")


def _rounded(value: float | None) -> float | int | None:
    return round(value, 4) if isinstance(value, float) else value
