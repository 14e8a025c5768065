"""The first load of a shop in KeyCRM, and lists that do not tell the whole."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests
from pytest_django import Settings

from apps.jobs.models import SyncRun
from apps.jobs.sync_runs import SyncIncomplete
from apps.sales.models import (
    MissingOrder,
    Order,
    Source,
)
from tests.flows.crm import CrmLife, crm_life

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]

CENT = Decimal("0.01")


@pytest.fixture
def life(settings: Settings) -> Iterator[CrmLife]:
    with crm_life(settings) as life:
        yield life


def test_a_sync_in_many_slices_is_one_in_a_single_slice(life: CrmLife) -> None:
    life.run(seconds=0)
    assert Order.objects.filter(shop=life.shop).count() == life.crm.last_id
    run = SyncRun.objects.get(shop=life.shop, source="orders")
    assert (run.state, run.received, run.announced) == ("complete", life.crm.last_id, life.crm.last_id)


@pytest.mark.slow
def test_a_number_that_is_missing_is_asked_for_and_a_true_gap_is_remembered(life: CrmLife) -> None:
    life.crm.delete(100)
    life.sync()
    Order.objects.filter(shop=life.shop, external_id="120").delete()
    life.night()
    assert life.order(120).lines.exists()
    assert MissingOrder.objects.get(shop=life.shop).external_id == 100
    requests.delete(f"{life.standins.url}/_calls", timeout=60)
    life.night()
    calls = requests.get(f"{life.standins.url}/_calls", params={"route": "keycrm:/order/{id}"}, timeout=60).json()
    assert calls == [], "it is not asked for again before its day"


@pytest.mark.parametrize("kind", ["half_page", "repeated_cursor"])
def test_a_list_that_is_not_whole_is_not_believed(life: CrmLife, kind: str) -> None:
    script = {"route": "keycrm:/order", "kind": kind, "times": 1, "after_calls": 5}
    requests.post(f"{life.standins.url}/_faults", json=script, timeout=60)
    with pytest.raises(SyncIncomplete):
        life.sync()
    assert not SyncRun.objects.filter(shop=life.shop, source="orders", state="complete").exists()
    life.sync()
    assert Order.objects.filter(shop=life.shop).count() == life.crm.last_id


@pytest.mark.slow
def test_a_night_that_is_told_of_no_orders_removes_none_that_are_there(life: CrmLife) -> None:
    life.sync()
    script = {"route": "keycrm:/order", "kind": "empty_200", "times": None}
    requests.post(f"{life.standins.url}/_faults", json=script, timeout=60)
    life.night()
    assert Order.objects.filter(shop=life.shop).count() == life.crm.last_id


def test_roles_of_sources_stay_as_people_said(life: CrmLife) -> None:
    Source.objects.filter(shop=life.shop, external_id=1).update(role=Source.Role.HISTORY)
    life.sync()
    source = Source.objects.get(shop=life.shop, external_id=1)
    assert (source.name, source.role, source.currency) == ("Instagram", "history", "UAH")
