"""What KeyCRM's triggers send leads to a reading by the API, and to nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from apps.common.periods import Period, day_of
from apps.jobs import by_hand
from apps.jobs.by_hand import Errand
from apps.jobs.hints import hint
from apps.jobs.models import Hint, JobRun
from apps.marketplaces.keycrm.client import KeyCrm
from apps.marketplaces.standins.keycrm.rows import webhook_body
from apps.sales import hints
from apps.sales.models import DayCheck, Order
from apps.shops import key_check
from apps.shops.models import Credential, Shop
from apps.shops.push import push_path
from tasks import runners
from tests import cast
from tests.flows.crm import CrmLife, crm_life
from tests.flows.shop import free_limits

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def life(settings: Settings) -> Iterator[CrmLife]:
    with crm_life(settings, orders=120, products=10, history_days=40) as life:
        yield life


def push(shop: Shop, body: Any) -> int:
    path = push_path(shop.pk, shop.kind)
    return Client().post(path, json.dumps(body), content_type="application/json").status_code


def subjects() -> list[str]:
    return list(Hint.objects.order_by("subject").values_list("subject", flat=True))


def test_a_webhook_leads_to_the_order_as_it_stands_in_the_crm(life: CrmLife) -> None:
    life.sync()
    order_id = life.crm.last_id - 3
    late = webhook_body(life.crm, order_id)
    life.crm.edit(order_id, status_id=19, status_changed_at=life.now)
    assert [push(life.shop, late), push(life.shop, late)] == [200, 200]
    assert subjects() == [str(order_id)], "however often it comes"
    assert hints.follow(now=life.now) == 1
    assert life.order(order_id).status == "cancelled"
    assert subjects() == []


@pytest.mark.parametrize(
    "wrap",
    [
        lambda event: event,
        lambda event: [event, event],
        lambda event: {"body": event},
        lambda event: [{"body": event}],
    ],
)
def test_events_come_bare_listed_or_relayed(life: CrmLife, wrap: Any) -> None:
    assert push(life.shop, wrap(webhook_body(life.crm, 7))) == 200
    assert subjects() == ["7"]


@pytest.mark.parametrize(
    "body",
    [
        [{"offer_id": 1, "sku": "x", "in_stock": 1, "in_reserve": 0}],
        {"event": "lead.change_lead_status", "context": {"id": 7}},
        {"event": "order.change_order_status", "context": {"id": "7; drop table"}},
        {"event": "order.change_order_status", "context": {"id": -7}},
        "text",
        None,
    ],
)
def test_what_says_nothing_of_an_order_leaves_nothing(life: CrmLife, body: Any) -> None:
    assert push(life.shop, body) == 200
    assert subjects() == []


def test_a_trigger_that_was_set_to_get_is_understood(life: CrmLife) -> None:
    path = push_path(life.shop.pk, "keycrm")
    assert Client().get(path, {"event": "order.change_order_status", "id": "7"}).status_code == 200
    assert subjects() == ["7"]


def test_a_wrong_secret_and_another_kind_of_shop_are_told_alike(life: CrmLife) -> None:
    ozon = cast.anna().seller.shops.get()
    path = push_path(life.shop.pk, "keycrm")
    for address in (path[:-1] + "x", push_path(ozon.pk, "keycrm")):
        assert Client().post(address, "{}", content_type="application/json").status_code == 404
    assert Client().post(path, "no json", content_type="application/json").status_code == 400


def test_an_order_that_was_deleted_since_does_no_harm(life: CrmLife) -> None:
    life.sync()
    life.crm.delete(7)
    push(life.shop, webhook_body(life.crm, 7))
    assert hints.follow(now=life.now) == 1
    assert Order.objects.filter(shop=life.shop, external_id="7").exists(), "the night takes it out, with its day"


@pytest.mark.parametrize("job", ["keycrm_sync", pytest.param("keycrm_night", marks=pytest.mark.slow)])
def test_what_was_read_before_a_sync_is_not_written_over_what_the_sync_has_read(
    life: CrmLife, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    """The order as it was is on its way to us while it is cancelled in the CRM and the whole shop is read."""
    life.sync()
    order_id = life.crm.last_id - 3
    push(life.shop, webhook_body(life.crm, order_id))
    read = KeyCrm.order

    def read_and_be_overtaken(client: KeyCrm, number: int) -> Any:
        order = read(client, number)
        monkeypatch.setattr(KeyCrm, "order", read)
        life.crm.edit(order_id, status_id=19, status_changed_at=life.now, updated_at=life.now)
        run = by_hand.start(Errand.of(job=job, shop=life.shop, as_of=life.now), by=life.owner)
        runners.carry_out(run.pk)
        return order

    monkeypatch.setattr(KeyCrm, "order", read_and_be_overtaken)
    assert hints.follow(now=life.now) == 0
    assert life.order(order_id).status == "cancelled"
    assert subjects() == [str(order_id)], "it waits for the next minute"
    assert hints.follow(now=life.now) == 1
    assert life.order(order_id).status == "cancelled"


def test_more_hints_than_calls_of_a_minute_are_followed_a_few_at_a_time(life: CrmLife, settings: Settings) -> None:
    life.sync()
    settings.KEYCRM_CALLS_A_MINUTE = 30
    free_limits()
    hint(shop=life.shop, topic=Hint.Topic.ORDER, subjects=[str(number) for number in range(1, 51)])
    hints.follow(now=life.now)
    assert Hint.objects.count() == 30, "those that were read before the calls were used up are done with"


def test_days_are_compared_without_changing_anything(life: CrmLife) -> None:
    life.sync()
    order_id = life.crm.last_id - 3
    day = life.order(order_id).placed_on
    said = StringIO()
    call_command("compare_days", shop=life.shop.pk, first=day, last=day, stdout=said)
    assert "difference 0" in said.getvalue()
    life.crm.edit(order_id, grand_total="99999.00")
    said = StringIO()
    with pytest.raises(CommandError, match="1 differences"):
        call_command("compare_days", shop=life.shop.pk, first=day, last=day, stdout=said)
    assert f"order {order_id}: total: 99999.00 / {life.order(order_id).total}" in said.getvalue()
    assert day_of(life.now, "Europe/Kyiv") > day


def test_a_key_that_is_refused_opens_its_circuit_and_closes_it_when_it_is_taken_again(life: CrmLife) -> None:
    key = Credential.objects.get(shop=life.shop)
    Credential.objects.filter(pk=key.pk).update(secret="another-key-of-olena")
    key.refresh_from_db()
    key_check.check(key)
    assert Credential.objects.get(pk=key.pk).is_refused
    Credential.objects.filter(pk=key.pk).update(secret="demo-keycrm-key", checked_at=None, ask_at=None)
    assert key_check.due().filter(pk=key.pk).exists()
    key_check.probe(key.pk)
    key.refresh_from_db()
    assert (key.is_refused, key.problem) == (False, "")


@pytest.mark.slow
def test_a_person_has_both_jobs_run_and_a_night_for_days_that_have_passed(life: CrmLife) -> None:
    yesterday = day_of(life.now, "Europe/Kyiv") - timedelta(days=1)
    days = Period.ending(yesterday, days=2)
    for job, errand_days in (("keycrm_sync", None), ("keycrm_night", None), ("keycrm_night", days)):
        first, last = (errand_days.first, errand_days.last) if errand_days else (None, None)
        errand = Errand.of(job=job, shop=life.shop, as_of=life.now, first=first, last=last)
        run = by_hand.start(errand, by=life.owner)
        runners.carry_out(run.pk)
        run.refresh_from_db()
        assert run.state == JobRun.State.DONE, run.error
    assert Order.objects.filter(shop=life.shop).count() == life.crm.last_id
    assert DayCheck.objects.filter(shop=life.shop).count() == 30


def test_a_wrong_key_waits_for_another_without_failing_the_run(life: CrmLife) -> None:
    Credential.objects.filter(shop=life.shop).update(secret="another-key-of-olena")
    run = by_hand.start(Errand.of(job="keycrm_sync", shop=life.shop, as_of=life.now), by=life.owner)
    runners.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == (JobRun.State.PLANNED, 0)
    assert Credential.objects.get(shop=life.shop).is_refused
