"""Which APIs are imitated. To add one: write its module with a `stand_in()`, give it a line in `build`."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from apps.marketplaces.standins.frame import Frame
from apps.marketplaces.standins.ozon_seller import Account, OzonSeller
from apps.marketplaces.standins.server import serving
from apps.marketplaces.standins.telegram import Telegram
from apps.marketplaces.standins.world import HISTORY_DAYS, Clock, World
from apps.marketplaces.standins.world_controls import WorldControls

CLIENT_ID, API_KEY = "100001", "demo-ozon-key"


@dataclass(frozen=True)
class Shop:
    """A shop to imitate, and the key that opens it. Two shops of one process need different seeds."""

    client_id: str = CLIENT_ID
    api_key: str = API_KEY
    seed: int = 1
    skus: int = 300
    kind: str = "main"
    zone: str = "Europe/Moscow"
    history_days: int = HISTORY_DAYS

    def account(self, clock: Clock) -> Account:
        world = World(
            seed=self.seed,
            skus=self.skus,
            kind=self.kind,
            zone=ZoneInfo(self.zone),
            clock=clock,
            history_days=self.history_days,
        )
        return Account(self.client_id, self.api_key, world)


@dataclass(frozen=True)
class Standins:
    """Everything that is imitated in one process, as Python objects. `world` is that of the first account."""

    accounts: tuple[Account, ...]
    telegram: Telegram
    frame: Frame

    @property
    def world(self) -> World:
        return self.accounts[0].world


def build(
    *, skus: int = 300, seed: int = 1, bot_token: str | None = None, shops: Sequence[Shop] | None = None
) -> Standins:
    """Every API over one shop of `skus` products drawn from `seed`, or over the `shops` given; all share a clock."""
    clock = Clock()
    accounts = tuple(shop.account(clock) for shop in shops or [Shop(seed=seed, skus=skus)])
    telegram = Telegram(token=bot_token, now=lambda: clock.moment().timestamp())
    standins = [WorldControls(accounts).stand_in(), OzonSeller(accounts).stand_in(), telegram.stand_in()]
    return Standins(accounts=accounts, telegram=telegram, frame=Frame(standins))


@dataclass(frozen=True)
class RunningStandins:
    """A running server; `of` holds the objects behind it."""

    url: str
    of: Standins


@contextlib.contextmanager
def running_standins(
    *, skus: int = 300, seed: int = 1, bot_token: str | None = None, shops: Sequence[Shop] | None = None
) -> Iterator[RunningStandins]:
    """Serve a new set of stand-ins on a free loopback port until the block ends."""
    standins = build(skus=skus, seed=seed, bot_token=bot_token, shops=shops)
    with serving(standins.frame) as url:
        yield RunningStandins(url, standins)
