"""A shop whose marketplace is a stand-in on this machine: synced, priced, decided on, measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from django.conf import settings
from pytest_django import Settings
from redis import Redis

from apps.backoffice.demo.world import World
from apps.catalog.costs import import_costs
from apps.common import clock
from apps.common.clock import real_now
from apps.common.periods import day_of
from apps.decisions import executor
from apps.decisions.models import Command
from apps.experiments.lifecycle import start_after
from apps.jobs.models import JobRun
from apps.marketplaces.standins.registry import RunningStandins, running_standins
from apps.marketplaces.standins.registry import Shop as ImitatedShop
from apps.pricing.analysis import analyse
from apps.pricing.models import PricingSettings
from apps.sales.models import Order
from apps.sales.shop_sync import advance
from apps.shops.clients import ozon_seller
from apps.shops.models import Credential, Member, Shop
from tests.cast import anna

API_KEY = "key-of-101"


@dataclass(frozen=True)
class LiveShop:
    """Anna's shop, the world behind it, and what a day consists of."""

    owner: Member
    shop: Shop
    world: World
    standins: RunningStandins

    @property
    def now(self) -> datetime:
        return clock.now()

    @property
    def today(self) -> date:
        return day_of(self.now, self.shop.timezone)

    def sync(self) -> JobRun:
        run = JobRun.objects.create(
            job="ozon_sync", shop=self.shop, slot=f"manual:{uuid4()}", as_of=self.now, state=JobRun.State.RUNNING,
            lease_until=real_now() + timedelta(minutes=10),
        )  # fmt: skip
        assert advance(run, client=ozon_seller(self.shop), as_of=run.as_of, deadline=time.monotonic() + 240)
        JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.DONE, finished_at=real_now())
        return run

    def enter_costs(self) -> int:
        starts_on = self.today - timedelta(days=365)
        return import_costs(shop=self.shop, costs=self.world.costs(), starts_on=starts_on, by=None)

    def analyse(self) -> dict[str, int]:
        return analyse(shop=self.shop, now=self.now, expires_at=self.now + timedelta(days=1))

    def carry_out(self, command: Command, *, most: int = 30) -> Command:
        """Every step of a command, without the waits, and what follows its end."""
        for _ in range(most):
            Command.objects.filter(pk=command.pk).update(due_at=real_now())
            moved = executor.run(command.pk, now=self.now)
            assert moved is not None
            if moved.state not in Command.LIVE:
                start_after(command=moved, now=self.now)
                return moved
        raise AssertionError(f"{command} is still {command.state}")

    def pages_read(self, path: str) -> list[tuple[str, str]]:
        """Start of the window and cursor of each page of postings that was answered as it should be. Windows in which
        nothing was sold are left out: that there is nothing is asked twice."""
        first = Order.objects.filter(shop=self.shop).earliest("placed_at").placed_at
        calls = [call for call in self.standins.of.frame.calls.of(f"ozon:{path}") if call.fault is None]
        wanted = [(call.request["filter"], call.request["cursor"]) for call in calls]
        return [(asked["since"], cursor) for asked, cursor in wanted if datetime.fromisoformat(asked["to"]) >= first]

    def next_morning(self) -> None:
        free_limits()
        self.world.next_day()
        self.sync()


def new_run(live: LiveShop) -> JobRun:
    return JobRun.objects.create(
        job="ozon_sync",
        shop=live.shop,
        slot=f"manual:{uuid4()}",
        as_of=live.now,
        state=JobRun.State.RUNNING,
        due_at=real_now(),
        lease_version=1,
    )


def go_on(live: LiveShop, run: JobRun, *, seconds: float = 120) -> bool:
    return advance(run, client=ozon_seller(live.shop), as_of=run.as_of, deadline=time.monotonic() + seconds)


def free_limits() -> None:
    """What the marketplace allows in a minute is free again, though the last test, or day, took seconds."""
    with Redis.from_url(settings.REDIS_URL) as limits:
        limits.flushdb()


@contextmanager
def live_shop(settings: Settings, *, skus: int = 60, seed: int = 1, history_days: int = 100) -> Iterator[LiveShop]:
    """Anna's shop on a stand-in of `skus` products with `history_days` of sales."""
    free_limits()
    imitated = ImitatedShop(client_id="101", api_key=API_KEY, seed=seed, skus=skus, history_days=history_days)
    with running_standins(shops=[imitated]) as standins:
        settings.OZON_API_URL = settings.WORLD_URL = settings.TELEGRAM_API_URL = standins.url
        owner = anna()
        shop = owner.seller.shops.get()
        PricingSettings.objects.create(shop=shop)
        assert Credential.objects.get(shop=shop).secret.reveal() == API_KEY
        yield LiveShop(owner, shop, World(standins.url), standins)
