"""Chance without memory: what is drawn for an order depends on the seed, its id and the question, and on nothing else.

So a shop of ten million orders holds none of them, and the same order is the same whenever it is asked for.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int64]
MASK = (1 << 64) - 1


def draw(seed: int, key: int, question: int) -> int:
    """A whole number below 2**64 (splitmix64)."""
    z = (seed * 0x9E3779B97F4A7C15 + key * 0xBF58476D1CE4E5B9 + question * 0x94D049BB133111EB) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def draws(seed: int, keys: Ids, question: int) -> NDArray[np.uint64]:
    """The same for many at once."""
    with np.errstate(over="ignore"):
        first: Any = np.uint64((seed * 0x9E3779B97F4A7C15 + question * 0x94D049BB133111EB) & MASK)
        z = first + keys.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)
