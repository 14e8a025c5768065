"""Setting a price: what is read, sent, written down, measured and taken back, against the imitated OZON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import responses
from pytest_django import Settings

from apps.catalog.models import Cost, PriceChange, Product
from apps.catalog.product_settings import set_settings
from apps.catalog.sheet_words import Field
from apps.common.clock import real_now
from apps.common.errors import NotFound
from apps.decisions.kinds import Accepted, Match, NotAccepted, Objection
from apps.decisions.models import Attempt, Command, Proposal
from apps.experiments.review import ECONOMICS
from apps.marketplaces.errors import Malformed, WrongCredentials
from apps.marketplaces.ozon_seller.client import RENEW_TIMERS
from apps.marketplaces.ozon_seller.price_import import PATH
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.registry import RunningStandins, running_standins
from apps.marketplaces.standins.registry import Shop as ImitatedShop
from apps.pricing.kinds import PricePayload, SetPrice, draft_of, treated_products, updates_last_hour, warnings_of
from apps.pricing.models import PricingSettings
from apps.shops.models import Credential, KillSwitch, Member, Shop
from tests.cast import anna
from tests.inventory.shelf import MORNING, TODAY, YESTERDAY, Shelf
from tests.reports import rows

pytestmark = pytest.mark.django_db

D = Decimal
KIND = SetPrice()
NOW = MORNING + timedelta(minutes=30)
PRICES = "/v5/product/info/prices"
Source = PriceChange.Source


@pytest.fixture(scope="module")
def ozon() -> Iterator[RunningStandins]:
    imitated = ImitatedShop(client_id="101", api_key="key-of-101", skus=60, history_days=7)
    with running_standins(shops=[imitated]) as running:
        yield running


@dataclass
class Stall:
    """Anna's shop with one product that the imitated OZON has too, at the price that stands there."""

    shelf: Shelf
    product: Product
    ozon: RunningStandins

    @property
    def shop(self) -> Shop:
        return self.shelf.shop

    def payload(self, price: Decimal | None = None, **changes: Any) -> PricePayload:
        return draft_of(self.product, price or self.dearer).model_copy(update=changes)

    @property
    def dearer(self) -> Decimal:
        """The next price that may stand on a shelf."""
        return D(int(self.product.price or 0) // 10 * 10 + 20)

    def script(self, path: str, kind: Kind) -> None:
        self.ozon.of.frame.faults.add(Fault(f"ozon:{path}", kind))


@pytest.fixture
def stall(ozon: RunningStandins, settings: Settings, empty_redis: object, request: pytest.FixtureRequest) -> Stall:
    """Each test has a product of its own: the marketplace counts its updates."""
    settings.OZON_API_URL = ozon.url
    ozon.of.frame.faults.clear()
    shelf = Shelf(anna().seller.shops.get())
    number = next(numbers)
    catalog, world = ozon.of.world.catalog, ozon.of.world
    price = D(int(world.price[number])) / 100
    product = shelf.product(price=str(price), cost=str(price / 4), fbo_logistics=10, acquiring=price / 100)
    product.external_id = str(catalog.product_id[number])
    product.save()
    shelf.sold(product, [2] * 56)
    shelf.morning(product, 40)
    for _ in range(29):
        shelf.product()
    shelf.synced()
    return Stall(shelf, product, ozon)


numbers = iter(range(60))


def proposal_of(stall: Stall, payload: PricePayload) -> Proposal:
    """As it stands before the guardrails while it is made: not yet stored."""
    return Proposal(
        shop=stall.shop, kind=KIND.key, target=KIND.target(payload), payload=payload.model_dump(mode="json")
    )


def command_of(stall: Stall, payload: PricePayload, *, state: str = "queued", **columns: Any) -> Command:
    made = rows.proposal(stall.product)
    made.payload, made.target = payload.model_dump(mode="json"), KIND.target(payload)
    made.save()
    return rows.command(made, state=state, created_at=NOW, **columns)


def earlier(stall: Stall, payload: PricePayload, *, state: str = "verified") -> Command:
    """A command of before, long measured."""
    made = command_of(stall, payload, state=state, verified_at=NOW - timedelta(days=30))
    Proposal.objects.filter(pk=made.proposal_id).update(state=Proposal.State.APPROVED)
    return made


def reversal(command: Command, payload: PricePayload) -> PricePayload:
    back = KIND.reverse(command, payload).payload
    assert isinstance(back, PricePayload)
    return back


def objection(stall: Stall, payload: PricePayload, **options: Any) -> Objection | None:
    return KIND.check(proposal_of(stall, payload), payload, now=NOW, **options).objection


class TestTheDraft:
    def test_it_holds_what_to_set_and_what_stood_there(self, stall: Stall) -> None:
        stall.product.old_price = stall.dearer * 2
        payload = draft_of(stall.product, stall.dearer)
        assert KIND.target(payload) == f"price:{stall.product.pk}"
        assert (payload.price, payload.old_price) == (stall.dearer, stall.dearer * 2)
        assert (payload.expected_price, payload.expected_old_price) == (stall.product.price, stall.dearer * 2)
        assert payload.restores is None

    def test_a_crossed_out_price_that_would_be_refused_is_reset(self, stall: Stall) -> None:
        stall.product.old_price = stall.dearer
        assert draft_of(stall.product, stall.dearer).old_price == 0

    def test_it_is_told_in_a_few_words(self, stall: Stall) -> None:
        payload = stall.payload(D(1090), expected_price=D(1000))
        assert KIND.in_words(payload).replace("\xa0", " ") == "1,000 RUB → 1,090 RUB (+9%)"
        assert str(proposal_of(stall, payload)) == KIND.in_words(payload)

    def test_without_a_current_price_there_is_none(self, stall: Stall) -> None:
        stall.product.price = None
        with pytest.raises(NotFound, match="is not known"):
            draft_of(stall.product, D(1000))

    def test_it_goes_to_the_account_of_the_shops_key(self, stall: Stall) -> None:
        assert KIND.account(stall.shop) == "101"
        Credential.objects.all().delete()
        assert KIND.account(stall.shop) == ""


class TestReading:
    def test_the_live_price_is_the_old_one_the_target_or_neither(self, stall: Stall) -> None:
        price = stall.product.price or D(0)
        reading = KIND.read(stall.shop, stall.payload())
        assert reading.match is Match.OLD
        assert (D(reading.value["price"]), reading.value["currency"]) == (price, "RUB")
        assert KIND.read(stall.shop, stall.payload(price)).match is Match.TARGET
        assert KIND.read(stall.shop, stall.payload(expected_price=price + 1)).match is Match.OTHER

    def test_many_are_read_at_once_in_the_order_asked_for(self, stall: Stall) -> None:
        unknown = stall.payload(external_id="999999999")
        here, moved = stall.payload(stall.product.price), stall.payload(expected_price=D(1))

        found = KIND.read_many(stall.shop, [unknown, moved, here])

        assert [reading and reading.match for reading in found] == [None, Match.OTHER, Match.TARGET]
        assert KIND.read_many(stall.shop, []) == []

    def test_a_product_that_is_not_in_the_answer_is_no_price(self, stall: Stall) -> None:
        with pytest.raises(Malformed, match="not in the answer"):
            KIND.read(stall.shop, stall.payload(external_id="999"))

    def test_a_refused_key_is_noted_where_it_is_kept(self, stall: Stall) -> None:
        stall.script(PRICES, Kind.REVOKED_KEY)
        with pytest.raises(WrongCredentials):
            KIND.read(stall.shop, stall.payload())
        assert "deactivated" in Credential.objects.get(shop=stall.shop).problem

    def test_the_guardrails_see_what_was_read(self, stall: Stall) -> None:
        payload = stall.payload()
        reading = KIND.read(stall.shop, payload)
        assert objection(stall, payload, reading=reading) is None
        moved = replace(reading, value={**reading.value, "price": "77777"})
        found = objection(stall, payload, reading=moved)
        assert found is not None
        assert found.code in ("unit_mismatch", "price_moved")
        dearer = replace(reading, value={**reading.value, "min_price": str(payload.price + 1)})
        found = objection(stall, payload, reading=dearer)
        assert found is not None
        assert found.code == "below_min_price"


@pytest.mark.django_db(transaction=True)
class TestSending:
    def test_what_is_accepted_is_read_back(self, stall: Stall) -> None:
        payload = stall.payload()
        answer = KIND.send(stall.shop, payload)
        assert answer == Accepted({"updated": True, "errors": []})
        assert KIND.read(stall.shop, payload).match is Match.TARGET

    def test_what_is_kept_of_a_request_is_what_goes_out(self, stall: Stall, settings: Settings) -> None:
        settings.OZON_API_URL = "http://127.0.0.1:9"
        payload = stall.payload()
        with responses.RequestsMock() as wire:
            wire.post(f"{settings.OZON_API_URL}{PATH}", json={"result": []})
            KIND.send(stall.shop, payload)
            assert json.loads(wire.calls[0].request.body or "") == KIND.request(payload)["body"]
        assert KIND.request(payload)["path"] == PATH

    def test_a_minimum_price_that_is_in_force_is_renewed_with_it(self, stall: Stall) -> None:
        self.give_a_minimum(stall, ends_at=NOW + timedelta(days=3))
        assert KIND.send(stall.shop, stall.payload()) == Accepted({"updated": True, "errors": [], "minimum": "renewed"})
        assert self.renewals(stall) == [{"product_ids": [stall.product.external_id]}]
        (said,) = warnings_of(stall.shop, stall.payload(), now=NOW)
        assert said.startswith("With it the minimum price")

    @pytest.mark.parametrize("kind", [Kind.SERVER_ERROR, Kind.REVOKED_KEY])
    def test_a_renewal_that_fails_is_noted_and_the_price_counts(self, stall: Stall, kind: Kind) -> None:
        self.give_a_minimum(stall, ends_at=NOW + timedelta(days=3))
        stall.script(RENEW_TIMERS, kind)
        answer = KIND.send(stall.shop, stall.payload())
        assert isinstance(answer, Accepted)
        assert RENEW_TIMERS in answer.answer["minimum"]
        world = stall.ozon.of.world
        place = world.catalog.of_product_id(int(stall.product.external_id))
        assert place is not None
        assert D(int(world.price[place])) / 100 == stall.payload().price

    def test_a_minimum_that_has_lapsed_is_not_switched_on_again(self, stall: Stall) -> None:
        self.give_a_minimum(stall, ends_at=None)
        assert KIND.send(stall.shop, stall.payload()) == Accepted({"updated": True, "errors": []})
        assert self.renewals(stall) == []
        assert warnings_of(stall.shop, stall.payload(), now=NOW) == []

    def test_a_price_that_was_refused_renews_nothing(self, stall: Stall) -> None:
        self.give_a_minimum(stall, ends_at=NOW + timedelta(days=3))
        assert isinstance(KIND.send(stall.shop, stall.payload(old_price=stall.dearer)), NotAccepted)
        assert self.renewals(stall) == []

    def give_a_minimum(self, stall: Stall, *, ends_at: datetime | None) -> None:
        minimum = (stall.product.price or D(0)) / 2
        Product.objects.filter(pk=stall.product.pk).update(min_price=minimum, min_price_until=ends_at)
        stall.ozon.of.frame.calls.clear()

    def renewals(self, stall: Stall) -> list[Any]:
        return [call.request for call in stall.ozon.of.frame.calls.of(f"ozon:{RENEW_TIMERS}")]

    def test_a_refusal_comes_in_the_marketplaces_words(self, stall: Stall) -> None:
        payload = stall.payload(old_price=stall.dearer)
        answer = KIND.send(stall.shop, payload)
        assert answer == NotAccepted("old_price_less_than_price", "old_price must be greater than price")

    def test_a_used_up_quota_is_no_refusal_for_good(self, stall: Stall) -> None:
        answers = [KIND.send(stall.shop, stall.payload(stall.dearer + step)) for step in range(11)]
        assert [type(answer) for answer in answers] == [Accepted] * 10 + [NotAccepted]
        assert isinstance(answers[-1], NotAccepted)
        assert answers[-1].is_quota
        assert "limit exceeded" in answers[-1].message

    def test_an_answer_that_does_not_mention_the_product_promises_nothing(
        self, stall: Stall, settings: Settings
    ) -> None:
        settings.OZON_API_URL = "http://127.0.0.1:9"
        with responses.RequestsMock() as wire:
            wire.post(f"{settings.OZON_API_URL}{PATH}", json={"result": []})
            assert KIND.send(stall.shop, stall.payload()) == Accepted({"updated": None, "errors": []})

    def test_a_refused_key_is_noted_where_it_is_kept(self, stall: Stall) -> None:
        stall.script(PATH, Kind.REVOKED_KEY)
        with pytest.raises(WrongCredentials):
            KIND.send(stall.shop, stall.payload())
        assert "deactivated" in Credential.objects.get(shop=stall.shop).problem


class TestObjections:
    def test_an_ordinary_step_passes(self, stall: Stall) -> None:
        assert objection(stall, stall.payload()) is None

    def test_a_product_that_is_not_on_sale_any_more_is_stale(self, stall: Stall) -> None:
        payload = stall.payload()
        Product.objects.filter(pk=stall.product.pk).update(is_archived=True)
        assert objection(stall, payload) == Objection("price_unknown", is_stale=True)

    def test_a_price_that_has_moved_is_stale_and_says_both_figures(self, stall: Stall) -> None:
        payload = stall.payload(expected_price=(stall.product.price or D(0)) - 1)
        found = objection(stall, payload)
        assert found is not None
        assert (found.code, found.is_stale) == ("price_moved", True)
        assert D(found.figures["live_price"]) == stall.product.price

    def test_unknown_cost_refuses(self, stall: Stall) -> None:
        Cost.objects.all().delete()
        found = objection(stall, stall.payload())
        assert found == Objection("unknown_terms", {"terms": "cost"})

    def test_bounds_that_were_set_since_hold_at_every_gate(self, stall: Stall) -> None:
        payload = stall.payload()
        command = command_of(stall, payload)
        set_settings(product=stall.product, values={Field.MAX_PRICE: payload.price - 1}, by=None)
        for subject in (proposal_of(stall, payload), command):
            found = KIND.check(subject, payload, now=NOW).objection
            assert found is not None
            assert found.code == "above_own_maximum"
            assert found.figures == {"price": str(payload.price), "highest_price": f"{payload.price - 1:.2f}"}

    def test_a_product_that_is_not_to_be_repriced_is_not_even_set_back(self, stall: Stall) -> None:
        command = earlier(stall, stall.payload())
        Product.objects.filter(pk=stall.product.pk).update(price=stall.dearer)
        set_settings(product=stall.product, values={Field.IS_REPRICED: False}, by=None)
        found = objection(stall, reversal(command, stall.payload()))
        assert found is not None
        assert found.code == "repricing_off"

    def test_each_switch_stops_it(self, stall: Stall) -> None:
        own = KillSwitch.objects.create(shop=stall.shop, is_on=True)
        assert objection(stall, stall.payload()) == Objection("shop_stopped")
        KillSwitch.objects.filter(pk=own.pk).update(shop=None)
        assert objection(stall, stall.payload()) == Objection("all_stopped")

    def test_a_live_experiment_stands_against_a_change_but_not_against_its_end(
        self, stall: Stall, owner: Member
    ) -> None:
        experiment = rows.experiment(stall.product, owner)
        payload = stall.payload()
        found = objection(stall, payload)
        assert found is not None
        assert found.code == "experiment_running"
        back = reversal(experiment.command, payload)
        Product.objects.filter(pk=stall.product.pk).update(price=payload.price)
        assert objection(stall, back) is None

    def sent(self, command: Command, *minutes_ago: int) -> None:
        first = command.attempts.count() + 1
        for number, minutes in enumerate(minutes_ago, start=first):
            Attempt.objects.create(command=command, number=number, started_at=real_now() - timedelta(minutes=minutes))

    def test_a_used_up_quota_holds_a_command_until_the_hour_has_room(self, stall: Stall) -> None:
        payload = stall.payload()
        self.sent(earlier(stall, payload), 70, 50, 40, 30)
        self.sent(earlier(stall, payload, state="rejected"), 20, 15, 10)
        command = command_of(stall, payload)
        assert updates_last_hour(stall.shop, command.target) == 6
        assert KIND.check(command, payload, now=NOW).objection is None

        self.sent(command, 5, 1)

        found = KIND.check(command, payload, now=NOW).objection
        assert found is not None
        assert (found.code, found.figures) == ("quota_used", {"updates": 8, "allowed": 8})
        assert found.until is not None
        assert timedelta(minutes=9) < found.until - real_now() <= timedelta(minutes=10), "the send 50 minutes ago"
        assert objection(stall, payload) is None, "a proposal may wait for its turn after it was approved"

    def test_going_back_may_use_the_reserve_of_the_quota(self, stall: Stall) -> None:
        payload = stall.payload()
        done = earlier(stall, payload)
        self.sent(done, *[10] * 9)
        back = reversal(done, payload)
        Product.objects.filter(pk=stall.product.pk).update(price=payload.price)
        command = command_of(stall, back)
        assert KIND.check(command, back, now=NOW).objection is None

        self.sent(command, 1)

        found = KIND.check(command, back, now=NOW).objection
        assert found is not None
        assert found.figures == {"updates": 10, "allowed": 10}

    def test_updates_of_another_product_do_not_count(self, stall: Stall) -> None:
        other = rows.command(rows.proposal(stall.shelf.products[1]), state="rejected")
        self.sent(other, *[1] * 10)
        payload = stall.payload()
        assert KIND.check(command_of(stall, payload), payload, now=NOW).objection is None

    def test_too_few_untouched_products_refuse_with_the_figure(self, stall: Stall, owner: Member) -> None:
        for product in stall.shelf.products[1:16]:
            rows.experiment(product, owner)
        found = objection(stall, stall.payload())
        assert found == Objection("too_few_controls", {"left": 14, "needed": 15, "total": 30})


@pytest.fixture
def owner(stall: Stall) -> Member:
    return stall.shop.seller.members.get()


class TestWhatIsTreated:
    def treated(self, stall: Stall) -> set[int]:
        return treated_products(stall.shop, now=NOW + timedelta(hours=1))

    @pytest.mark.parametrize(
        ("state", "counts"),
        [("queued", True), ("unknown", True), ("verified", True), ("rejected", False), ("cancelled", False)],
    )
    def test_a_command_counts_until_it_has_failed(self, stall: Stall, state: str, counts: bool) -> None:
        command_of(stall, stall.payload(), state=state, verified_at=NOW if state == "verified" else None)
        assert self.treated(stall) == ({stall.product.pk} if counts else set())

    def test_a_verified_one_that_was_never_measured_does_not_count_for_ever(self, stall: Stall) -> None:
        command_of(stall, stall.payload(), state="verified", verified_at=NOW - timedelta(days=8))
        assert self.treated(stall) == set()

    def test_an_experiment_counts_while_it_lives(self, stall: Stall, owner: Member) -> None:
        experiment = rows.experiment(stall.product, owner)
        assert self.treated(stall) == {stall.product.pk}
        experiment.state = "kept"
        experiment.save()
        assert self.treated(stall) == set()

    def test_a_rollback_ends_a_treatment_and_is_none(self, stall: Stall, owner: Member) -> None:
        experiment = rows.experiment(stall.product, owner, state="kept")
        back = rows.proposal(stall.product, reverses=experiment.command)
        rows.command(back, state="queued")
        assert self.treated(stall) == set()


class TestWritingDown:
    def record(self, command: Command, payload: PricePayload) -> None:
        KIND.record(command, payload, now=NOW)

    def test_the_price_stands_and_the_history_names_the_command(self, stall: Stall) -> None:
        payload = stall.payload(old_price=D(0))
        command = command_of(stall, payload)
        self.record(command, payload)
        self.record(command, payload)
        product = Product.objects.get(pk=stall.product.pk)
        assert (product.price, product.old_price) == (payload.price, None)
        change = PriceChange.objects.get(command_id=command.pk)
        assert (change.price_from, change.price_to) == (payload.expected_price, payload.price)
        assert (change.source, change.seen_on, change.seen_at) == (Source.VITRINA, TODAY, NOW)

    def test_a_sync_that_saw_it_first_is_not_a_second_change(self, stall: Stall) -> None:
        payload = stall.payload()
        command = command_of(stall, payload)
        seen = self.seen(stall, payload.expected_price, payload.price)
        self.record(command, payload)
        (change,) = PriceChange.objects.filter(product=stall.product)
        assert (change.pk, change.command_id, change.source) == (seen.pk, command.pk, Source.VITRINA)

    def test_what_another_command_did_before_stays_its_own(self, stall: Stall) -> None:
        payload = stall.payload()
        before = self.seen(stall, payload.expected_price, payload.price)
        PriceChange.objects.filter(pk=before.pk).update(command_id=987)
        self.record(command_of(stall, payload), payload)
        assert PriceChange.objects.filter(product=stall.product).count() == 2

    def seen(self, stall: Stall, price_from: Decimal, price_to: Decimal) -> PriceChange:
        return PriceChange.objects.create(
            product=stall.product,
            seen_at=MORNING,
            seen_on=TODAY,
            price_from=price_from,
            price_to=price_to,
            currency="RUB",
            source=Source.MARKETPLACE,
        )


class TestMeasuring:
    def test_the_economics_are_those_of_the_card_though_the_price_has_changed_since(self, stall: Stall) -> None:
        PricingSettings.objects.create(shop=stall.shop, experiment_days=14)
        price, payload = stall.product.price or D(0), stall.payload()
        command = command_of(stall, payload)
        KIND.record(command, payload, now=NOW)

        measured = KIND.measured(command, payload)

        assert measured is not None
        assert (measured.product_id, measured.days) == (stall.product.pk, 14)
        assert (measured.price_from, measured.price_to) == (price, payload.price)
        economics = ECONOMICS.validate_python(dict(measured.economics))
        assert (economics.price_from, economics.price_to) == (price, payload.price)
        assert economics.cost == (price / 4).quantize(D("0.01"))
        assert economics.logistics == 10
        assert economics.commission_rate == D("0.2") + D("0.01")

    def test_what_cannot_be_counted_is_not_measured(self, stall: Stall) -> None:
        payload = stall.payload()
        command = command_of(stall, payload)
        Cost.objects.filter(product=stall.product).update(starts_on=TODAY + timedelta(days=1))
        assert KIND.measured(command, payload) is None
        Cost.objects.filter(product=stall.product).update(starts_on=YESTERDAY)
        assert KIND.measured(command, payload) is not None
        Product.objects.filter(pk=stall.product.pk).update(is_archived=True)
        assert KIND.measured(command, payload) is None


class TestGoingBack:
    def test_it_restores_what_stood_before(self, stall: Stall) -> None:
        before = stall.product.price or D(0)
        payload = stall.payload(expected_old_price=before * 2, old_price=before * 2)
        back = reversal(command_of(stall, payload), payload)
        assert (back.price, back.restores, back.old_price) == (before, before, before * 2)
        assert (back.expected_price, back.expected_old_price) == (payload.price, before * 2)
        assert KIND.target(back) == KIND.target(payload)

    def test_a_removed_crossed_out_price_is_not_expected(self, stall: Stall) -> None:
        payload = stall.payload(old_price=D(0))
        back = reversal(command_of(stall, payload), payload)
        assert (back.old_price, back.expected_old_price) == (D(0), None)


def test_it_says_its_objections_in_words() -> None:
    figures = {"left": 14, "needed": 15, "total": 30}
    said: Callable[..., str] = KIND.say
    assert said("too_few_controls", figures, currency="RUB") == (
        "Only 14 of 30 products would stay untouched; 15 are needed to compare with."
    )
