"""The main job, from a sync over HTTP to a rollback that the marketplace shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from apps.backoffice.demo.checks import compare
from apps.catalog.models import PriceChange, Product
from apps.decisions.approval import approve
from apps.decisions.models import Command, Proposal
from apps.experiments import lifecycle
from apps.experiments.models import Experiment
from apps.experiments.review import review_due
from apps.pricing.models import PricingSettings
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]


def apply(live: LiveShop, proposal: Proposal) -> Command:
    command = approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=live.owner, now=live.now)
    assert command is not None
    return live.carry_out(command)


@pytest.mark.slow
def test_a_price_is_recommended_approved_changed_measured_and_rolled_back(settings: Settings) -> None:
    with live_shop(settings, skus=40, history_days=60) as live:
        live.sync()
        live.enter_costs()
        PricingSettings.objects.update(days_between_changes=1)  # every product's turn is today

        counts = live.analyse()
        proposals = list(Proposal.objects.order_by("pk"))
        assert counts["proposed"] == len(proposals) > 0

        command = apply(live, proposals[0])
        assert command.state == Command.State.VERIFIED
        product = Product.objects.get(pk=command.payload["product_id"])
        assert live.world.price_of(product.external_id) == product.price
        assert PriceChange.objects.get(command_id=command.pk).price_to == product.price

        experiment = Experiment.objects.get()
        assert experiment.starts_on == live.today + timedelta(days=1)
        for _ in range(7):
            live.next_morning()
            assert review_due(shop=live.shop, today=live.today) == {}
        live.next_morning()
        assert compare(live.world, live.shop, live.today - timedelta(days=1)).wrong == ()
        assert sum(review_due(shop=live.shop, today=live.today).values()) == 1

        experiment.refresh_from_db()
        assert experiment.state == Experiment.State.JUDGED
        verdict = experiment.verdicts.get()
        assert verdict.valid_days >= 5
        assert verdict.controls >= 30

        rollback = lifecycle.roll_back(experiment_id=experiment.pk, by=live.owner, now=live.now)
        assert rollback is not None
        assert live.carry_out(rollback).state == Command.State.VERIFIED
        experiment.refresh_from_db()
        assert experiment.state == Experiment.State.ROLLED_BACK
        assert live.world.price_of(product.external_id) == experiment.price_from
        assert PriceChange.objects.filter(product=product, source=PriceChange.Source.VITRINA).count() == 2
