"""Which APIs are imitated. To add one: write its module with a `stand_in()`, give it a line in `build`."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from apps.marketplaces.standins.frame import Frame
from apps.marketplaces.standins.server import serving
from apps.marketplaces.standins.telegram import Telegram


@dataclass(frozen=True)
class Standins:
    """Everything that is imitated in one process, as Python objects."""

    telegram: Telegram
    frame: Frame


def build(*, skus: int = 300, seed: int = 1, bot_token: str | None = None) -> Standins:
    """One world of `skus` products drawn from `seed`, and every API over it."""
    telegram = Telegram(token=bot_token)
    return Standins(telegram=telegram, frame=Frame([telegram.stand_in()]))


@dataclass(frozen=True)
class RunningStandins:
    """A running server; `of` holds the objects behind it."""

    url: str
    of: Standins


@contextlib.contextmanager
def running_standins(*, skus: int = 300, seed: int = 1, bot_token: str | None = None) -> Iterator[RunningStandins]:
    """Serve a new set of stand-ins on a free loopback port until the block ends."""
    standins = build(skus=skus, seed=seed, bot_token=bot_token)
    with serving(standins.frame) as url:
        yield RunningStandins(url, standins)
