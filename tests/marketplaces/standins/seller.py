"""A shop of the OZON stand-in in front of tests: raw calls, the project's client, and the world behind both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import requests

from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.postings import Posting
from apps.marketplaces.ozon_seller.price_import import PriceItem, PriceOutcome
from apps.marketplaces.ozon_seller.returns import Return
from apps.marketplaces.standins.registry import Shop, Standins, running_standins
from apps.marketplaces.standins.world import World
from tests.marketplaces.conftest import NO_LIMITS

ANNA = Shop("100001", "key-of-anna", seed=3, skus=20, history_days=35)
BORIS = Shop("100002", "key-of-boris", seed=4, skus=12, zone="Asia/Yekaterinburg", history_days=12)
FBO, FBS = "/v3/posting/fbo/list", "/v4/posting/fbs/list"
PRICES, IMPORT, PRODUCTS = "/v5/product/info/prices", "/v1/product/import/prices", "/v3/product/list"


class Seller:
    """One shop with its key."""

    def __init__(self, url: str, standins: Standins, shop: Shop) -> None:
        self.url, self.shop, self.standins = url, shop, standins
        self.account = next(one for one in standins.accounts if one.client_id == shop.client_id)
        self.account.calls_a_second = 10_000
        self.client = OzonSeller(
            client_id=shop.client_id, api_key=shop.api_key, redis=None, base_url=url, limits=NO_LIMITS
        )

    @property
    def world(self) -> World:
        return self.account.world

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(
            self.url + path,
            json=body,
            headers={"Client-Id": self.shop.client_id, "Api-Key": self.shop.api_key},
            timeout=60,
        )

    def get(self, path: str) -> requests.Response:
        headers = {"Client-Id": self.shop.client_id, "Api-Key": self.shop.api_key}
        return requests.get(self.url + path, headers=headers, timeout=60)

    def stranger(self, path: str) -> requests.Response:
        """A call without a key."""
        return requests.post(self.url + path, json={}, timeout=60)

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.post(path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refusal(self, path: str, **body: Any) -> tuple[int, int, str]:
        answer = self.post(path, **body)
        said = answer.json()
        return answer.status_code, said["code"], said["message"]

    def script(self, route: str, kind: str, **more: Any) -> None:
        answer = requests.post(f"{self.url}/_faults", json={"route": f"ozon:{route}", "kind": kind, **more}, timeout=60)
        assert answer.status_code == 200, answer.text

    def next_day(self) -> None:
        assert requests.post(f"{self.url}/world/next-day", timeout=60).status_code == 200

    def told(self, path: str, **query: Any) -> Any:
        """What the world tells about this shop."""
        answer = requests.get(f"{self.url}/world/{path}", {"shop": self.shop.client_id, **query}, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def period(self, days: int = 60) -> dict[str, str]:
        now = self.world.clock.moment()
        return {"since": (now - timedelta(days=days)).isoformat(), "to": now.isoformat()}

    def postings(self, days: int = 60) -> list[Posting]:
        now = self.world.clock.moment()
        walks = (self.client.fbo_postings, self.client.fbs_postings)
        return [row for walk in walks for page in walk(since=now - timedelta(days=days), to=now) for row in page.rows]

    def returns(self, days: int = 60) -> list[Return]:
        now = self.world.clock.moment()
        walk = self.client.returns(changed_since=now - timedelta(days=days), changed_to=now)
        return [row for page in walk for row in page.rows]

    def price_of(self, product: int) -> Decimal:
        """The price that the API shows, in roubles."""
        wanted = {"product_id": [str(self.world.catalog.product_id[product])]}
        (item,) = self.ask(PRICES, filter=wanted, limit=10)["items"]
        return Decimal(str(item["price"]["price"]))

    def set_price(
        self, product: int, price: str, *, old_price: Decimal | None = None, min_price: Decimal | None = None
    ) -> PriceOutcome:
        offer_id = self.world.catalog.offer_id[product]
        item = PriceItem(Decimal(price), "RUB", offer_id=offer_id, old_price=old_price, min_price=min_price)
        return self.client.import_prices([item])[0]


@contextmanager
def open_shops(*shops: Shop) -> Iterator[list[Seller]]:
    with running_standins(shops=shops) as running:
        yield [Seller(running.url, running.of, shop) for shop in shops]


def sale_day(seller: Seller, posting: Posting) -> str:
    """The shop's own day on which a posting counts as a sale."""
    assert posting.in_process_at is not None
    return posting.in_process_at.astimezone(seller.world.zone).date().isoformat()
