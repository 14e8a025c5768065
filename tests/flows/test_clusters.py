"""Stock by cluster: what lies where, summed over the warehouses of a cluster, as it is now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from pytest_django import Settings

from apps.catalog.clusters import sync_cluster_stock
from apps.catalog.models import Cluster, ClusterStock
from apps.common.clock import real_now
from apps.jobs.models import JobRun
from apps.jobs.sync_runs import SyncIncomplete
from apps.marketplaces.standins.catalog import FBO_WAREHOUSES
from apps.marketplaces.standins.demand import Ints
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.ozon_seller import clusters, stocks
from apps.sales.shop_sync import advance
from apps.shops.clients import ozon_seller
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def live(settings: Settings, empty_redis: object) -> Iterator[LiveShop]:
    with live_shop(settings, skus=110, history_days=5) as shop:
        shop.sync()
        yield shop


def read(live: LiveShop) -> JobRun:
    run = JobRun.objects.create(
        job="ozon_background", shop=live.shop, slot=f"manual:{uuid4()}", as_of=live.now, state=JobRun.State.RUNNING,
        lease_until=real_now() + timedelta(minutes=10),
    )  # fmt: skip
    deadline, client = time.monotonic() + 240, ozon_seller(live.shop)
    assert advance(run, client=client, as_of=run.as_of, deadline=deadline, sources=(sync_cluster_stock,))
    return run


def spoil(live: LiveShop, kind: Kind, **options: Any) -> None:
    live.standins.of.frame.faults.add(Fault("ozon:/v1/analytics/stocks", kind, **options))


def in_the_world(live: LiveShop) -> dict[tuple[int, str], int]:
    world = live.standins.of.world
    present, reserved = stocks.by_place(world)
    return {
        (int(world.catalog.sku[i]), FBO_WAREHOUSES[place].cluster): int(present[i, place] - reserved[i, place])
        for i, place in stocks.fbo_shelves(world, list(range(world.demand.skus))).tolist()
    }


def first_of_each(shelves: Ints) -> Ints:
    return shelves[np.unique(shelves[:, 0], return_index=True)[1]]


def ours() -> dict[tuple[int | None, str], int]:
    rows = ClusterStock.objects.values_list("product__sku", "cluster__name", "available")
    return {(sku, name): available for sku, name, available in rows}


def test_each_cluster_has_what_lies_in_it(live: LiveShop) -> None:
    run = read(live)

    assert ours() == in_the_world(live)
    assert Cluster.objects.count() == len(FBO_WAREHOUSES)
    assert run.sync_runs.get().pages == 2, "a hundred products a call"
    assert ClusterStock.objects.filter(units_per_day__gt=0, grade="ACTUAL").exists()


@pytest.mark.slow
def test_warehouses_of_one_cluster_are_summed(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    item = clusters._item
    monkeypatch.setattr(
        clusters, "_item", lambda *asked: {**item(*asked), "cluster_id": 7, "cluster_name": "The only one"}
    )
    read(live)

    totals: dict[int, int] = {}
    for (sku, _), units in in_the_world(live).items():
        totals[sku] = totals.get(sku, 0) + units
    assert ours() == {(sku, "The only one"): units for sku, units in totals.items()}


@pytest.mark.slow
def test_a_second_look_replaces_the_first(live: LiveShop) -> None:
    read(live)
    live.world.next_day()
    before = ClusterStock.objects.count()

    read(live)

    assert ours() == in_the_world(live)
    assert ClusterStock.objects.count() == before
    assert set(ClusterStock.objects.values_list("as_of", flat=True)) != set()


@pytest.mark.slow
def test_a_cluster_that_has_nothing_left_to_tell_is_gone(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    read(live)
    shelves = clusters.fbo_shelves
    monkeypatch.setattr(clusters, "fbo_shelves", lambda *asked: first_of_each(shelves(*asked)))

    read(live)

    assert set(np.unique([sku for sku, _ in ours()], return_counts=True)[1]) == {1}


@pytest.mark.slow
def test_an_empty_answer_is_not_believed_and_an_odd_row_removes_nothing(live: LiveShop) -> None:
    read(live)
    before = ours()
    spoil(live, Kind.EMPTY_200)
    with pytest.raises(SyncIncomplete):
        read(live)
    spoil(live, Kind.ODD_ROW, times=None)

    read(live)

    assert ours() == before
