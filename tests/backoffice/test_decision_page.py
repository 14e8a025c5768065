"""The page of a decision tells its whole story: what, why, who, what was sent, what was read, what came of it."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from apps.common.clock import real_now
from apps.decisions.models import Attempt, Command, Proposal, ReadBack
from apps.experiments.models import Experiment
from apps.pricing.models import PriceRecommendation
from apps.shops.audit import record
from apps.shops.models import Language, Person
from apps.shops.roles import Role
from tests.backoffice.fill import NOON, Filled, add_command, add_experiment, add_product, add_proposal
from tests.backoffice.site import client_of, url

MOST_QUERIES = 30


@pytest.fixture
def pending(anna: Filled) -> Proposal:
    return add_proposal(add_product(anna.shop, "Anna", 7))


@pytest.fixture
def experiment(anna: Filled) -> Experiment:
    return add_experiment(add_product(anna.shop, "Anna", 8), anna.owner)


@pytest.fixture
def helpless(anna: Filled) -> Command:
    return add_command(add_product(anna.shop, "Anna", 9), anna.owner, state=Command.State.NEEDS_HUMAN)


def page_of(proposal: Proposal, anna: Filled, *, role: Role = Role.OWNER) -> str:
    """The page as a person reads it: its words on one line."""
    member = anna.seller.members.select_related("person__user").get(role=role)
    answer = client_of(member).get(url(Proposal, "change", proposal.pk))
    assert answer.status_code == 200
    found = re.search(r'<div class="flex flex-col gap-6" id="decision">(.*)', answer.content.decode(), re.DOTALL)
    assert found
    return " ".join(html.unescape(strip_tags(found[1].replace("<br>", " "))).split())


def test_the_summary_names_product_prices_state_and_people(pending: Proposal, anna: Filled) -> None:
    page = page_of(pending, anna)
    assert page.startswith("Anna teapot 7 Anna-7 · Anna shelf 1,490 RUB → 1,590 RUB (+6.7%)")
    assert "proposal: waiting for a decision Now To be decided before" in page
    assert "Who decided Nobody yet." in page
    assert "Is the marketplace at the new price? No: March 16, 12:00 it showed 1,490 RUB." in page


def test_the_facts_are_those_of_the_moment_of_the_proposal(pending: Proposal, anna: Filled) -> None:
    product = anna.shop.products.get(offer_id="Anna-7")
    product.price = 9999
    product.save()
    page = page_of(pending, anna)
    assert "Price 1,490 RUB" in page
    assert (
        "Unit cost 400 RUB Commission not known Logistics 60 RUB Acquiring 1.5% Packaging and storage not known" in page
    )
    assert "In stock, pcs 120" in page
    assert "Price elasticity -2.2 ± 1.2 (typical of the trade)" in page
    assert "Long stock: 120 pcs last 96 days." in page
    assert "1 guardrail passed ✓ 1,590 RUB is within one step: 1,341 RUB to 1,639 RUB is allowed at once." in page


def test_a_viewer_is_not_told_costs_and_profit(pending: Proposal, anna: Filled) -> None:
    page = page_of(pending, anna, role=Role.VIEWER)
    assert "Price 1,490 RUB" in page
    assert "Unit cost" not in page
    assert "Profit a day" not in page


def test_it_says_which_of_the_sellers_own_bounds_held(pending: Proposal, anna: Filled) -> None:
    kept = PriceRecommendation.objects.get(proposal=pending)
    kept.facts["own"] = {"min_price": "1200", "max_price": "1595", "min_margin_rate": "0.155", "is_repriced": True}
    kept.reasons = [{"code": "own_maximum_held", "direction": "none", "figures": {"highest_price": "1595"}}]
    kept.save()
    pending.checks = [
        {"code": "at_least_own_minimum", "figures": {"price": "1590", "lowest_price": "1200"}},
        {"code": "at_most_own_maximum", "figures": {"price": "1590", "highest_price": "1595"}},
    ]
    pending.save()
    figures = {"price": "1590", "highest_price": "1550.00"}
    record("proposal.objected", shop=anna.shop, subject=pending, code="above_own_maximum", figures=figures)
    page = page_of(pending, anna)
    for words in (
        "Lowest price 1,200 RUB Highest price 1,595 RUB Minimum margin 15.5%",
        "The highest price set for this product, 1,595 RUB, lets it go no further up.",
        "1,590 RUB is not below the lowest price set for this product, 1,200 RUB.",
        "1,590 RUB is not above the highest price set for this product, 1,595 RUB.",
        "1,590 RUB is above the highest price set for this product, 1,550 RUB.",
    ):
        assert words in page


def test_the_card_reads_as_it_was_sent_and_as_it_was_edited(pending: Proposal, anna: Filled) -> None:
    page = page_of(pending, anna)
    assert "Anna: sent, March 16, 12:00 Anna teapot 7: 1,490 → 1,590 as sent edited 1 time since" in page
    assert "as edited" in page


def test_a_card_from_outside_cannot_write_into_the_page(pending: Proposal, anna: Filled) -> None:
    message = anna.owner.person.messages.get(subject=f"proposal:{pending.pk}")
    message.texts = [{"at": NOON.isoformat(), "text": "&lt;script&gt;alert(1)&lt;/script&gt;"}]
    message.save()
    raw = client_of(anna.owner).get(url(Proposal, "change", pending.pk)).content.decode()
    assert "<script>alert(1)" not in raw
    assert "&lt;script&gt;alert(1)" in raw


def test_a_card_that_went_out_of_date_says_what_followed(pending: Proposal, anna: Filled) -> None:
    pending.state, pending.decided_at = Proposal.State.STALE, NOON
    pending.outcome = {"code": "price_moved", "figures": {"expected_price": "1490", "live_price": "1390"}, "renewed": 7}
    pending.save()
    assert page_of(pending, anna).count("It was computed anew: a new card has come.") == 2, "in the summary and below"


def test_a_refused_yes_is_told_with_its_name_and_its_reason(pending: Proposal, anna: Filled) -> None:
    quota = {"updates": 8, "allowed": 8}
    record(
        "proposal.objected",
        actor=anna.owner.person,
        shop=anna.shop,
        subject=pending,
        code="quota_used",
        figures=quota,
    )
    assert "Anna: The price was sent 8 times in the last hour; 8 are allowed." in page_of(pending, anna)


def test_what_was_sent_answered_and_read_back_is_told_in_order(experiment: Experiment, anna: Filled) -> None:
    page = page_of(experiment.command.proposal, anna)
    story = [
        "Proposed",
        "Shown in Telegram",
        "Approved by Anna, March 16, 12:00.",
        "Read before March 16, 12:00: the marketplace showed 1,490 RUB",
        "№ 1, March 16, 12:00: accepted",
        "Checked right before 1 guardrail passed",
        'POST /v1/product/import/prices {"prices": [{"price": "1590"}]}',
        'Answer {"shop": "Anna shelf", "updated": true}',
        "Read back March 16, 12:00: the marketplace showed 1,590 RUB",
        "How it ended Verified March 16, 12:00: the marketplace shows 1,590 RUB.",
        "SUCCESS: the new price earns more.",
        "Advice: keep the new price.",
        "Anna teapot 8: success as sent",
    ]
    places = [page.find(words, page.find("Proposed")) for words in story]
    assert -1 not in places
    assert places == sorted(places)


def test_what_needs_a_person_says_so_first(helpless: Command, anna: Filled) -> None:
    page = page_of(helpless.proposal, anna)
    assert "command: needs a person Now Needs a person: nobody can say what the price is now." in page


class TestIsTheMarketplaceAtThePrice:
    def test_a_read_back_at_the_new_price_says_yes(self, experiment: Experiment, anna: Filled) -> None:
        ReadBack.objects.filter(after_sends=1).update(at=NOON + timedelta(minutes=1))
        assert "Yes: March 16, 12:01 it showed 1,590 RUB." in page_of(experiment.command.proposal, anna)

    def test_a_later_sync_has_the_last_word(self, experiment: Experiment, anna: Filled) -> None:
        experiment.product.synced_at = NOON + timedelta(days=1)
        experiment.product.save()
        assert "No: March 17, 12:00 it showed 1,490 RUB." in page_of(experiment.command.proposal, anna)

    def test_after_a_send_nobody_knows_until_somebody_has_looked(self, helpless: Command, anna: Filled) -> None:
        Command.objects.filter(pk=helpless.pk).update(writes=2)
        words = "Not known since it was sent; before, March 16, 12:00, it showed 1,"
        assert words in page_of(helpless.proposal, anna)

    def test_nobody_has_looked_at_a_product_that_was_never_synced(self, pending: Proposal, anna: Filled) -> None:
        product = anna.shop.products.get(offer_id="Anna-7")
        product.price_changes.all().delete()
        product.synced_at = None
        product.save()
        assert "Not known: nobody has looked yet." in page_of(pending, anna)


def test_a_rollback_and_what_it_rolls_back_lead_to_each_other(experiment: Experiment, anna: Filled) -> None:
    proposal = experiment.command.proposal
    rollback = add_proposal(experiment.product)
    rollback.reverses = experiment.command
    rollback.save()
    client = client_of(anna.owner)
    there, back = (url(Proposal, "change", one.pk) for one in (rollback, proposal))
    assert f'href="{there}"' in client.get(back).content.decode()
    assert f'href="{back}"' in client.get(there).content.decode()


def test_the_page_of_a_command_is_the_page_of_its_decision(helpless: Command, anna: Filled) -> None:
    answer = client_of(anna.owner).get(url(Command, "change", helpless.pk))
    assert answer.status_code == 302
    assert answer.headers["Location"] == url(Proposal, "change", helpless.proposal_id)


def test_the_experiments_page_names_the_prices_of_its_command(experiment: Experiment, anna: Filled) -> None:
    page = client_of(anna.owner).get(url(Experiment, "change", experiment.pk)).content.decode()
    assert "price:" not in page
    assert page.replace("\xa0", " ").count("1,490 RUB → 1,590 RUB (+6.7%)") == 2


def test_whoever_may_look_may_read_it_all(experiment: Experiment, anna: Filled) -> None:
    assert "Sending to the marketplace" in page_of(experiment.command.proposal, anna, role=Role.VIEWER)


def test_no_figure_of_the_key_is_told(experiment: Experiment, anna: Filled) -> None:
    assert "canary" not in page_of(experiment.command.proposal, anna)


@pytest.mark.parametrize("language", Language.values)
def test_it_is_told_in_every_language(language: str, helpless: Command, anna: Filled) -> None:
    Person.objects.filter(pk=anna.owner.person_id).update(language=language)
    page = page_of(helpless.proposal, anna)
    assert "%(" not in page
    assert "None" not in page
    assert ("Needs a person" in page) is (language == "en")


def test_a_long_story_takes_as_few_queries_as_a_short_one(experiment: Experiment, anna: Filled) -> None:
    client = client_of(anna.owner)
    address = url(Proposal, "change", experiment.command.proposal_id)
    client.get(address)
    with CaptureQueriesContext(connection) as short:
        client.get(address)
    for number in range(2, 20):
        Attempt.objects.create(command=experiment.command, number=number, started_at=real_now())
        ReadBack.objects.create(
            command=experiment.command, at=NOON, after_sends=number, value={"price": "1490", "currency": "RUB"}
        )
    with CaptureQueriesContext(connection) as long:
        client.get(address)
    assert len(long) == len(short) < MOST_QUERIES, "\n".join(query["sql"][:150] for query in long)
