"""The ways in which OZON writes an amount of kopecks."""

import re
from decimal import Decimal

import numpy as np

from apps.marketplaces.standins.ozon_seller.gate import invalid

Kopecks = int | np.int64
AMOUNT = re.compile(r"-?\d{1,9}(\.\d{1,2})?")


def text(kopecks: Kopecks) -> str:
    """ "1300.00" """
    return f"{int(kopecks) // 100}.{int(kopecks) % 100:02d}"


def amount(kopecks: Kopecks) -> dict[str, str]:
    """{"amount": "1300.00", "currency": "RUB"}, as the methods of 2026 write money. Charges are negative."""
    sign = "-" if kopecks < 0 else ""
    return {"amount": sign + text(abs(int(kopecks))), "currency": "RUB"}


def number(kopecks: Kopecks) -> int | float:
    """1300 or 1300.5, a JSON number."""
    whole, rest = divmod(int(kopecks), 100)
    return whole if rest == 0 else int(kopecks) / 100


def of_roubles(roubles: float) -> int:
    return round(roubles * 100)


def kopecks_of(value: object, name: str) -> int:
    """The amount in a string such as "1448" or "1448.50"; it may be negative. Refuses everything else."""
    if not isinstance(value, str) or not AMOUNT.fullmatch(value):
        raise invalid(f"proto: invalid value for string field {name}: {value!r}")
    return int(Decimal(value) * 100)
