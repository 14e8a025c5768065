"""The press on a card whose figures have moved: nothing is applied, and the product is looked at anew."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import Cost, Product
from apps.decisions.approval import OutOfDate, approve
from apps.decisions.kinds import payload_of
from apps.decisions.models import Command, DecisionRules, Proposal
from apps.notifications.models import OutboxMessage
from apps.pricing.analysis import analyse
from apps.pricing.models import PriceRecommendation, PricingSettings
from apps.shops.models import Member
from tests.cast import anna
from tests.inventory.shelf import MORNING, TODAY, Shelf

pytestmark = pytest.mark.django_db

NOW = MORNING + timedelta(minutes=30)
LATER = NOW + timedelta(hours=2)
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def owner() -> Member:
    return anna()


@pytest.fixture
def shelf(owner: Member) -> Shelf:
    """Anna's shop with one product that sells, enough that do not, and the morning's only card."""
    shelf = Shelf(owner.seller.shops.get())
    PricingSettings.objects.create(shop=shelf.shop, days_between_changes=1)
    product = shelf.product()
    shelf.sold(product, [2] * 56)
    shelf.morning(product, 80)
    for _ in range(15):
        shelf.product()
    shelf.synced()
    assert analyse(shop=shelf.shop, now=NOW, expires_at=TOMORROW)["proposed"] == 1
    return shelf


def card() -> Proposal:
    return Proposal.objects.get(state=Proposal.State.PENDING)


def press(proposal: Proposal, by: Member) -> Command | None:
    return approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=by, now=LATER)


def refused(proposal: Proposal, by: Member) -> str:
    """The words with which the press on a card that went out of date is refused."""
    with pytest.raises(OutOfDate) as refusal:
        press(proposal, by)
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.STALE
    assert not Command.objects.exists()
    return str(refusal.value).replace("\xa0", " ")


def cost_becomes(product: Product, amount: str) -> None:
    Cost.objects.create(product=product, starts_on=TODAY, amount=Decimal(amount), currency="RUB")


def test_a_card_whose_figures_stand_is_applied(shelf: Shelf, owner: Member) -> None:
    assert press(card(), owner) is not None


def test_a_new_cost_makes_a_new_card_at_once(shelf: Shelf, owner: Member) -> None:
    old = card()
    cost_becomes(shelf.products[0], "600")

    words = refused(old, owner)

    assert words.startswith("Costs or fees have moved: the floor is ")
    assert words.endswith("It was computed anew: a new card has come.")
    fresh = card()
    assert (fresh.target, fresh.expires_at, fresh.created_at) == (old.target, old.expires_at, LATER)
    assert PriceRecommendation.objects.get(proposal=fresh).facts["cost"] == "600.00"
    assert OutboxMessage.objects.filter(name="proposal_card", params={"proposal": fresh.pk}).exists()


def test_the_new_card_can_be_applied(shelf: Shelf, owner: Member) -> None:
    cost_becomes(shelf.products[0], "600")
    refused(card(), owner)

    command = press(card(), owner)

    assert command is not None
    assert payload_of(command) == payload_of(Proposal.objects.get(state=Proposal.State.APPROVED))


def test_how_far_a_cost_may_move_is_the_shops_to_say(shelf: Shelf, owner: Member) -> None:
    DecisionRules.objects.create(shop=shelf.shop, moved_rate=Decimal("0.9"))
    cost_becomes(shelf.products[0], "520")

    assert press(card(), owner) is not None


def test_goods_that_ran_out_leave_nothing_to_propose(shelf: Shelf, owner: Member) -> None:
    shelf.morning(shelf.products[0], 0)

    assert refused(card(), owner) == "SKU-1 has run out since. There is no new proposal now: SKU-1 is out of stock."

    assert not Proposal.objects.filter(state=Proposal.State.PENDING).exists()


def test_a_price_that_somebody_changed_today_is_left_to_them(shelf: Shelf, owner: Member) -> None:
    product = shelf.products[0]
    product.price_changes.create(
        seen_at=LATER, seen_on=TODAY, price_from=1000, price_to=950, currency="RUB", source="marketplace"
    )
    Product.objects.filter(pk=product.pk).update(price=950)

    words = refused(card(), owner)

    assert words.startswith("The price at the marketplace is now 950 RUB, not 1,000 RUB. There is no new proposal now:")


def test_stock_that_lasts_for_another_reason_is_looked_at_anew(shelf: Shelf, owner: Member) -> None:
    shelf.morning(shelf.products[0], 20)

    assert refused(card(), owner).startswith("The stock now lasts 10 days, not 40.")

    assert card().created_at == LATER
