"""A shop in KeyCRM whose CRM is a stand-in on this machine: synced every hour, read again every night."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from pytest_django import Settings

from apps.common import clock
from apps.common.clock import real_now
from apps.common.periods import Period
from apps.jobs.models import JobRun
from apps.marketplaces.standins.keycrm import CrmShop
from apps.marketplaces.standins.registry import CRM_API_KEY, Crm, RunningStandins, running_standins
from apps.marketplaces.standins.registry import Shop as ImitatedShop
from apps.sales.crm_shop_sync import CRM_NIGHT, CRM_SOURCES, CrmSources, advance_crm
from apps.sales.models import Order
from apps.shops.clients import keycrm
from apps.shops.models import Credential, Member, Seller, Shop
from tests import cast
from tests.flows.shop import free_limits

SMALL = ImitatedShop(skus=3, history_days=30)


@dataclass(frozen=True)
class CrmLife:
    """Olena's shop and the CRM behind it."""

    owner: Member
    shop: Shop
    crm: CrmShop
    standins: RunningStandins

    @property
    def now(self) -> datetime:
        return clock.now()

    def run(self, sources: CrmSources = CRM_SOURCES, *, seconds: float = 240, days: Period | None = None) -> JobRun:
        """A job from its start to its end, in as many slices as `seconds` each make of it."""
        run = JobRun.objects.create(
            job="keycrm_sync", shop=self.shop, slot=f"manual:{uuid4()}", as_of=self.now, state=JobRun.State.RUNNING,
            lease_until=real_now() + timedelta(minutes=10),
            first_on=days.first if days else None, last_on=days.last if days else None,
        )  # fmt: skip
        client = keycrm(self.shop)
        for _ in range(1_000):
            deadline = time.monotonic() + seconds
            if advance_crm(run, client=client, as_of=run.as_of, deadline=deadline, sources=sources):
                JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.DONE, finished_at=real_now())
                return run
        raise AssertionError("the job came to no end")

    def sync(self) -> JobRun:
        return self.run()

    def night(self) -> JobRun:
        return self.run(CRM_NIGHT)

    def order(self, order_id: int) -> Order:
        return Order.objects.get(shop=self.shop, external_id=str(order_id))


@contextmanager
def crm_life(
    settings: Settings, *, orders: int = 600, products: int = 60, history_days: int = 120
) -> Iterator[CrmLife]:
    """Olena's shop on a stand-in with so many orders behind it."""
    free_limits()
    imitated = Crm(orders=orders, products=products, history_days=history_days)
    with running_standins(shops=[SMALL], crm=imitated) as standins:
        settings.KEYCRM_API_URL, settings.WORLD_URL = standins.crm_url, standins.url
        seller = Seller.objects.create(name="Olena's cosmetics")
        owner = cast.member(seller, "Olena", telegram_id=3003)
        shop = Shop.objects.create(
            seller=seller, kind=Shop.Kind.KEYCRM, name="Salon", currency="UAH", timezone="Europe/Kyiv"
        )
        Credential.objects.create(shop=shop, api=Credential.Api.KEYCRM, secret=CRM_API_KEY)
        yield CrmLife(owner, shop, standins.of.crm, standins)
