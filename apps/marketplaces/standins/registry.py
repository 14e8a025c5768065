"""Which APIs are imitated. To add one: write its module with a `stand_in(...)`, add a line to `Installation`."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from apps.marketplaces.standins.frame import Frame
from apps.marketplaces.standins.server import serving


@dataclass(frozen=True)
class Standins:
    """Everything that is imitated in one process, as Python objects."""

    frame: Frame


def build(*, skus: int = 300, seed: int = 1) -> Standins:
    """One world of `skus` products drawn from `seed`, and every API over it."""
    return Standins(frame=Frame(()))


@dataclass(frozen=True)
class RunningStandins:
    """A running server; `of` holds the objects behind it."""

    url: str
    of: Standins


@contextlib.contextmanager
def running_standins(*, skus: int = 300, seed: int = 1) -> Iterator[RunningStandins]:
    """Serve a new set of stand-ins on a free loopback port until the block ends."""
    standins = build(skus=skus, seed=seed)
    with serving(standins.frame) as url:
        yield RunningStandins(url, standins)
