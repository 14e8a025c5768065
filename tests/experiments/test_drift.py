"""Whether what we set still stands: looked at again, told once, never set back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.decisions.approval import approve
from apps.decisions.kinds import Match, Reading
from apps.decisions.models import Command, DecisionRules
from apps.experiments.drift import in_force, look_at_all, look_due, wake_due
from apps.experiments.lifecycle import undo
from apps.experiments.models import Experiment
from apps.marketplaces.errors import Temporary
from apps.notifications.models import OutboxMessage
from apps.pricing.kinds import SetPrice
from apps.shops.models import AuditEntry, Member, Person, Shop
from apps.shops.roles import Role
from tests.cast import anna, boris, member
from tests.decisions.markets import NOON, Market, Setting, SetValue, market, offer, steps
from tests.experiments.test_lifecycle import carried_out, started
from tests.inventory.shelf import Shelf
from tests.threads import at_once

__all__ = ["market"]

pytestmark = pytest.mark.django_db

EARLY, DUE = NOON + timedelta(minutes=14), NOON + timedelta(minutes=15)


@pytest.fixture
def owner() -> Member:
    return anna()


@pytest.fixture
def shop(owner: Member) -> Shop:
    shop: Shop = owner.seller.shops.get()
    return shop


def changed(owner: Member, *, value: int = 110, was: int = 100) -> Command:
    """Sent, and verified at noon."""
    proposal = offer(owner.seller.shops.get(), value=value, was=was)
    command = approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=owner, now=NOON)
    assert command is not None
    return steps(command)


def told() -> list[Person]:
    return [message.person for message in OutboxMessage.objects.filter(name="price_drift").order_by("pk")]


class TestAfterMinutes:
    def test_what_stands_is_looked_at_once(self, owner: Member, shop: Shop, market: Market) -> None:
        command = changed(owner)

        assert wake_due(now=EARLY) == 0
        assert wake_due(now=DUE) == 1
        assert look_due(shop=shop, now=DUE) == 0
        assert wake_due(now=DUE) == 0

        command.refresh_from_db()
        assert (command.look_at, command.drifted_at) == (None, None)
        assert told() == []

    def test_what_somebody_else_changed_is_told_once_to_each_approver(
        self, owner: Member, shop: Shop, market: Market
    ) -> None:
        olga = member(owner.seller, "Olga", Role.APPROVER, telegram_id=1002)
        member(owner.seller, "Vera", Role.ANALYST, telegram_id=1003)
        boris()
        command = changed(owner)
        market.values["tea"] = 95

        assert look_due(shop=shop, now=DUE) == 1
        assert look_due(shop=shop, now=DUE) == 0
        assert look_at_all(shop=shop, now=DUE) == {"in_force": 0, "changed": 0}

        command.refresh_from_db()
        assert (command.drifted_at, command.drift) == (DUE, {"value": 95})
        assert told() == [owner.person, olga.person]
        assert AuditEntry.objects.get(action="command.drifted").data == {"value": 95}

    def test_nothing_is_set_back(self, owner: Member, shop: Shop, market: Market) -> None:
        changed(owner)
        market.values["tea"] = 95

        look_due(shop=shop, now=DUE)

        assert (market.values["tea"], len(market.sends), Command.objects.count()) == (95, 1, 1)

    def test_how_many_minutes_is_the_shops_to_say(self, owner: Member, shop: Shop, market: Market) -> None:
        DecisionRules.objects.create(shop=shop, drift_minutes=5)
        changed(owner)
        assert wake_due(now=NOON + timedelta(minutes=5)) == 1

    def test_a_marketplace_that_does_not_answer_is_asked_again(self, owner: Member, shop: Shop, market: Market) -> None:
        command = changed(owner)

        def unavailable(_payload: Setting) -> None:
            raise Temporary("market", "/values", "unavailable", 503)

        market.on_read = unavailable
        assert look_due(shop=shop, now=DUE) == 0
        command.refresh_from_db()
        assert command.look_at == DUE + timedelta(minutes=5)

        look_due(shop=shop, now=NOON + timedelta(hours=2))
        command.refresh_from_db()
        assert command.look_at is None, "the daily look will"


class TestDaily:
    def test_every_value_of_ours_that_is_in_force_is_looked_at(self, owner: Member, shop: Shop, market: Market) -> None:
        changed(owner)
        assert look_at_all(shop=shop, now=DUE) == {"in_force": 1, "changed": 0}
        market.values["tea"] = 95
        assert look_at_all(shop=shop, now=DUE) == {"in_force": 1, "changed": 1}
        assert look_at_all(shop=shop, now=DUE) == {"in_force": 0, "changed": 0}

    def test_a_later_change_of_our_own_explains_the_earlier_value(
        self, owner: Member, shop: Shop, market: Market
    ) -> None:
        changed(owner)
        later = changed(owner, value=120, was=110)

        assert list(in_force(shop)) == [later]
        assert look_at_all(shop=shop, now=DUE) == {"in_force": 1, "changed": 0}

    def test_what_is_being_undone_is_not_looked_at(self, owner: Member, shop: Shop, market: Market) -> None:
        undo(command_id=changed(owner).pk, by=owner, now=NOON)
        assert not in_force(shop).exists()

    def test_what_the_marketplace_does_not_show_says_nothing(self, owner: Member, shop: Shop, market: Market) -> None:
        changed(owner)
        del market.values["tea"]
        assert look_at_all(shop=shop, now=DUE) == {"in_force": 1, "changed": 0}

    def test_another_shops_values_are_left_alone(self, owner: Member, market: Market) -> None:
        changed(owner)
        market.values["tea"] = 95
        assert look_at_all(shop=boris().seller.shops.get(), now=DUE) == {"in_force": 0, "changed": 0}

    def test_a_change_of_our_own_that_begins_over_the_look_explains_it(
        self, owner: Member, shop: Shop, market: Market, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changed(owner)
        read = SetValue.read

        def read_late(kind: SetValue, of: Shop, payload: Setting) -> object:
            if payload.value == 110:
                monkeypatch.setattr(SetValue, "read", read)
                changed(owner, value=120, was=110)
            return read(kind, of, payload)

        monkeypatch.setattr(SetValue, "read", read_late)

        assert look_at_all(shop=shop, now=DUE) == {"in_force": 1, "changed": 0}
        assert told() == []


@pytest.mark.parametrize(("state", "after"), [("running", "void"), ("judged", "judged"), ("kept", "kept")])
def test_a_running_experiment_on_it_is_void(
    owner: Member, shop: Shop, monkeypatch: pytest.MonkeyPatch, state: str, after: str
) -> None:
    shelf = Shelf(shop)
    shelf.synced()
    command = carried_out(shelf.product(), owner)
    experiment = started(command)
    Experiment.objects.update(state=state)
    monkeypatch.setattr(SetPrice, "read_many", lambda *_: [Reading({"price": "950.00"}, Match.OTHER)])

    look_at_all(shop=shop, now=DUE)

    experiment.refresh_from_db()
    assert (experiment.state, experiment.void_reason) == (after, "price_changed" if after == "void" else "")


@pytest.mark.django_db(transaction=True)
def test_eight_looks_at_once_tell_it_once(market: Market) -> None:
    owner = anna()
    shop = owner.seller.shops.get()
    changed(owner)
    market.values["tea"] = 95

    found = at_once(*[lambda: look_due(shop=shop, now=DUE)] * 8)

    assert sum(count for count in found if isinstance(count, int)) == 1
    assert told() == [owner.person]
