"""What may happen around a change at a marketplace that answers over HTTP: figures that moved, an undo, a stranger."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db.models import F
from pytest_django import Settings

from apps.catalog.models import Cost, Product
from apps.decisions.approval import OutOfDate, approve
from apps.decisions.models import Command, DecisionRules, Proposal
from apps.decisions.together import apply, ask
from apps.experiments.drift import look_at_all
from apps.experiments.lifecycle import undo
from apps.experiments.models import Experiment
from apps.marketplaces.ozon_seller.price_import import PriceItem
from apps.notifications.models import OutboxMessage
from apps.pricing.models import PricingSettings
from apps.shops.clients import ozon_seller
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]


def cards() -> list[Proposal]:
    return list(Proposal.objects.filter(state=Proposal.State.PENDING, reverses=None).order_by("pk"))


def product_of(change: Proposal | Command) -> Product:
    return Product.objects.get(pk=change.payload["product_id"])


def applied(live: LiveShop, proposal: Proposal) -> Command:
    command = approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=live.owner, now=live.now)
    assert command is not None
    return live.carry_out(command)


def somebody_else_sets(live: LiveShop, product: Product, price: Decimal) -> None:
    item = PriceItem(
        price=price, currency_code=product.currency, product_id=int(product.external_id), old_price=Decimal(0)
    )
    (outcome,) = ozon_seller(live.shop).import_prices([item])
    assert outcome.updated


@pytest.mark.slow
def test_moved_figures_an_undo_a_stranger_and_many_at_once(settings: Settings) -> None:
    with live_shop(settings, skus=40, history_days=60) as live:
        live.sync()
        live.enter_costs()
        PricingSettings.objects.update(days_between_changes=1)
        DecisionRules.objects.create(shop=live.shop, together_worst=100_000)
        live.analyse()
        moved, undone, strange, *_rest = cards()
        assert OutboxMessage.objects.filter(name="proposal_summary").count() == 1

        Cost.objects.filter(product=product_of(moved)).update(amount=F("amount") * 2)
        with pytest.raises(OutOfDate, match="Costs or fees have moved"):
            approve(proposal_id=moved.pk, payload_hash=moved.payload_hash, by=live.owner, now=live.now)
        assert not Command.objects.exists()

        command = applied(live, undone)
        product = product_of(command)
        back = undo(command_id=command.pk, by=live.owner, now=live.now)
        assert back is not None
        assert live.carry_out(back).state == Command.State.VERIFIED
        assert live.world.price_of(product.external_id) == Decimal(command.payload["expected_price"])
        assert Experiment.objects.get(command=command).void_reason == "undone"

        command = applied(live, strange)
        product = product_of(command)
        assert product.price is not None
        assert look_at_all(shop=live.shop, now=live.now) == {"in_force": 2, "changed": 0}
        somebody_else_sets(live, product, product.price + 10)
        assert look_at_all(shop=live.shop, now=live.now) == {"in_force": 2, "changed": 1}
        assert Experiment.objects.get(command=command).void_reason == "price_changed"
        assert live.world.price_of(product.external_id) == product.price + 10
        assert OutboxMessage.objects.filter(name="price_drift", params={"command": command.pk}).count() == 1

        waiting = cards()
        batch = ask(shop_id=live.shop.pk, by=live.owner, now=live.now)
        batch = apply(batch_id=batch.pk, by=live.owner, now=live.now)
        assert {one["code"] for one in batch.outcomes} == {"applied"}
        assert len(batch.outcomes) == len(waiting) > 0
        for queued in Command.objects.filter(state=Command.State.QUEUED):
            assert live.carry_out(queued).state == Command.State.VERIFIED
