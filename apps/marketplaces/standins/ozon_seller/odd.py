"""Answers whose rows are not what they should be: the scripted faults of the Seller API's content."""

from typing import Any

from apps.marketplaces.standins.faults import Fault, Kind

PRICES = ("price", "old_price", "min_price", "marketing_seller_price")


def spoiled(fault: Fault | None, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as the fault leaves it; other faults than the two of content do nothing here."""
    kind = None if fault is None else fault.kind
    if kind is Kind.ODD_ROW and (rows := _rows(answer)):
        odd = rows[len(rows) // 2]
        odd[next(iter(odd))] = None  # rows begin with their identifier
    if kind is Kind.KOPECKS:
        for row in _rows(answer):
            row["price"] |= {name: 100 * row["price"][name] for name in PRICES}
    return answer


def _rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The list of the answer, at its root or inside `result`."""
    result = answer.get("result")
    box = result if isinstance(result, dict) else answer
    return next((value for value in box.values() if isinstance(value, list)), [])
