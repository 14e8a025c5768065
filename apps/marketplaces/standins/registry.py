"""Which APIs are imitated. To add one: write its module with a `stand_in()`, give it a line in `build`."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from apps.marketplaces.standins.frame import Frame
from apps.marketplaces.standins.keycrm import Account as CrmAccount
from apps.marketplaces.standins.keycrm import CrmShop, KeyCrm
from apps.marketplaces.standins.keycrm.stand_in import PREFIX
from apps.marketplaces.standins.ozon_seller import Account, OzonSeller
from apps.marketplaces.standins.server import serving
from apps.marketplaces.standins.telegram import Telegram
from apps.marketplaces.standins.world import HISTORY_DAYS, Clock, World
from apps.marketplaces.standins.world_controls import WorldControls

CLIENT_ID, API_KEY = "100001", "demo-ozon-key"
CRM_API_KEY = "demo-keycrm-key"


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
class Crm:
    """A shop in KeyCRM to imitate, and the key that opens it. A million orders cost no more than a thousand. `shared`
    of its products are sold by the first shop too, under the same SKU."""

    api_key: str = CRM_API_KEY
    seed: int = 7
    orders: int = 3_000
    products: int = 400
    history_days: int = 400
    calls_a_minute: int | None = None
    shared: int = 0

    def account(self, clock: Clock, offer_ids: Sequence[str]) -> CrmAccount:
        skus = tuple(offer_ids[: self.shared])
        shop = CrmShop(clock, self.seed, self.orders, self.products, self.history_days, skus)
        return CrmAccount(self.api_key, shop, self.calls_a_minute)


@dataclass(frozen=True)
class Standins:
    """Everything that is imitated in one process, as Python objects. `world` is that of the first account, `crm` the
    second world."""

    accounts: tuple[Account, ...]
    crm: CrmShop
    telegram: Telegram
    frame: Frame

    @property
    def world(self) -> World:
        return self.accounts[0].world


def build(
    *,
    skus: int = 300,
    seed: int = 1,
    bot_token: str | None = None,
    shops: Sequence[Shop] | None = None,
    crm: Crm | None = None,
) -> Standins:
    """Every API over one shop of `skus` products drawn from `seed`, or over the `shops` given, and over one shop in
    KeyCRM; all share a clock."""
    clock = Clock()
    accounts = tuple(shop.account(clock) for shop in shops or [Shop(seed=seed, skus=skus)])
    telegram = Telegram(token=bot_token, now=lambda: clock.moment().timestamp())
    second = (crm or Crm()).account(clock, accounts[0].world.catalog.offer_id)
    standins = [
        *(WorldControls(accounts).stand_in(), OzonSeller(accounts).stand_in(), KeyCrm([second]).stand_in()),
        telegram.stand_in(),
    ]
    return Standins(accounts=accounts, crm=second.shop, telegram=telegram, frame=Frame(standins))


@dataclass(frozen=True)
class RunningStandins:
    """A running server; `of` holds the objects behind it."""

    url: str
    of: Standins

    @property
    def crm_url(self) -> str:
        return self.url + PREFIX


@contextlib.contextmanager
def running_standins(
    *,
    skus: int = 300,
    seed: int = 1,
    bot_token: str | None = None,
    shops: Sequence[Shop] | None = None,
    crm: Crm | None = None,
) -> Iterator[RunningStandins]:
    """Serve a new set of stand-ins on a free loopback port until the block ends."""
    standins = build(skus=skus, seed=seed, bot_token=bot_token, shops=shops, crm=crm)
    with serving(standins.frame) as url:
        yield RunningStandins(url, standins)
