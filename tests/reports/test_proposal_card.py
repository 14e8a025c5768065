from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from apps.decisions.models import Approval, Command, DecisionRules, Proposal
from apps.notifications.models import OutboxMessage
from apps.reports.messages import render
from apps.shops.models import Member
from apps.shops.roles import Role
from tests import cast
from tests.inventory.shelf import Shelf
from tests.reports.rows import LANGUAGES, NOW, Read, choice, command, decided, experiment, proposal, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def shelf(anna: Member) -> Shelf:
    return Shelf(anna.seller.shops.get())


def card(to: Member, of: Proposal, **options: Any) -> Read:
    return told(to, "proposal_card", proposal=of.pk, **options)


def test_it_says_everything_that_a_decision_needs(anna: Member, shelf: Shelf) -> None:
    text = card(anna, proposal(shelf.product("Grey scarf"))).text
    assert text.startswith("Grey scarf\nSKU-1 · Shelf\n\n1,000 RUB → 1,090 RUB (+9%)\n")
    assert "Expected profit +310 RUB a day (90%: -42.13 RUB to +960 RUB); better with a probability of 97%" in text
    assert "In the worst of 100 cases: -120 RUB a day." in text
    assert "Revenue: -81.60 RUB a day (-4.1%)." in text
    assert "• Sales grow: 21 pcs in the last 7 days (7 in stock), 9 in the 7 before (7 in stock)." in text
    assert "• Not known and not counted: advertising." in text
    assert "Data as of March 2, 09:00 (3 h old)." in text
    assert "To be decided before March 3, 09:30." in text


@pytest.mark.parametrize("state", Proposal.State)
def test_it_leads_to_the_page_of_the_decision(anna: Member, shelf: Shelf, settings: Settings, state: str) -> None:
    settings.DASHBOARD_URL = "https://vitrina.example.com"
    made = proposal(shelf.product(), state=state)
    address = f"https://vitrina.example.com/admin/decisions/proposal/{made.pk}/change/"
    assert card(anna, made).links == (address,)


def test_the_expected_profit_is_said_once(anna: Member, shelf: Shelf) -> None:
    assert card(anna, proposal(shelf.product())).text.count("Expected profit") == 1


def test_its_buttons_speak_the_recipients_language_when_they_are_sent(anna: Member, shelf: Shelf) -> None:
    anna.person.language = "uk"
    message = OutboxMessage(name="proposal_card", seller=anna.seller, person=anna.person)
    message.params = {"proposal": proposal(shelf.product()).pk}
    rendered = render(message, now=NOW)
    assert [button.label for row in rendered.rows for button in row] == ["Застосувати", "Відхилити", "Пізніше"]


def test_its_buttons_name_the_proposal_and_its_content(anna: Member, shelf: Shelf) -> None:
    made = proposal(shelf.product())
    assert card(anna, made).buttons == (
        ("proposal.approve", {"proposal": made.pk, "hash": made.payload_hash}),
        ("proposal.reject", {"proposal": made.pk}),
        ("proposal.later", {"proposal": made.pk}),
    )


@pytest.mark.parametrize(("role", "count"), [(Role.OWNER, 3), (Role.APPROVER, 3), (Role.ANALYST, 0), (Role.VIEWER, 0)])
def test_only_who_may_approve_gets_buttons(shelf: Shelf, anna: Member, role: Role, count: int) -> None:
    made = proposal(shelf.product())
    vera = cast.member(anna.seller, "Vera", role, telegram_id=5)
    assert len(card(vera, made).buttons) == count


def test_who_has_left_the_team_gets_none(anna: Member, shelf: Shelf) -> None:
    made = proposal(shelf.product())
    Member.objects.filter(pk=anna.pk).delete()
    assert card(anna, made).buttons == ()


def test_another_sellers_proposal_is_not_rendered(shelf: Shelf) -> None:
    made = proposal(shelf.product())
    with pytest.raises(Proposal.DoesNotExist):
        card(cast.boris(), made)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name", ["<b>bold & brave</b>", "Scarf\n\nfree", "שָׁלוֹם \u202eevil\u202c", "'\"><a href=x>", "x" * 500]
)
def test_no_name_disturbs_the_card(anna: Member, shelf: Shelf, name: str, language: str) -> None:
    seen = card(anna, proposal(shelf.product(name)), language=language)
    first, second, *_ = seen.text.split("\n")
    assert second == "SKU-1 · Shelf"
    assert len(first) <= 120
    assert "\u202e" not in seen.text


def test_a_name_is_shown_as_it_is_written(anna: Member, shelf: Shelf) -> None:
    assert card(anna, proposal(shelf.product("<b>bold & brave</b>"))).text.startswith("<b>bold & brave</b>\n")


def test_later_takes_the_buttons_away_until_it_comes_back(anna: Member, shelf: Shelf) -> None:
    made = proposal(shelf.product())
    again_at = NOW + timedelta(hours=2)
    put_off = card(anna, made, put_off_until=again_at)
    assert "Put off: it comes again on March 2, 14:30." in put_off.text
    assert put_off.buttons == ()
    assert len(card(anna, made, put_off_until=again_at, now=again_at).buttons) == 3


def test_a_second_sending_says_so(anna: Member, shelf: Shelf) -> None:
    seen = card(anna, proposal(shelf.product()), is_repeat=True)
    assert seen.text.startswith("Sent again: the first time may not have arrived.\n\nScarf")
    assert len(seen.buttons) == 3


def test_the_first_of_two_approvals_is_shown(anna: Member, shelf: Shelf) -> None:
    made = proposal(shelf.product(), needed=2)
    Approval.objects.create(proposal=made, member=anna, verdict="approve", at=NOW)
    olga = cast.member(anna.seller, "Olga", Role.APPROVER, telegram_id=5)
    for who in (anna, olga):
        assert "Needs two people: Anna approved on March 2, 12:30, one more has to agree." in card(who, made).text
    assert card(anna, made).actions == ["proposal.reject"]
    assert card(olga, made).actions == ["proposal.approve", "proposal.reject", "proposal.later"]


def test_a_card_above_the_limit_says_that_it_needs_two(anna: Member, shelf: Shelf) -> None:
    made = proposal(shelf.product())
    DecisionRules.objects.create(shop=shelf.shop, two_above_money=310)
    assert "Needs two people: it is above what one may decide on." in card(anna, made).text
    DecisionRules.objects.update(two_above_money=311)
    assert "Needs two people" not in card(anna, made).text


def test_a_card_that_nobody_decided_on_in_time_is_over(anna: Member, shelf: Shelf) -> None:
    made = proposal(shelf.product())
    late = card(anna, made, now=made.expires_at)
    assert "Expired on March 3, 09:30: nobody decided in time." in late.text
    assert late.buttons == ()
    made.state = Proposal.State.EXPIRED
    made.save()
    assert card(anna, made, now=made.expires_at).text == late.text


ENDED = {
    "superseded": "A newer proposal has taken the place of this one.",
    "stale": "Out of date: it can no longer be applied.\nThe price at the marketplace is now 950 RUB, not 1,000 RUB.",
}


@pytest.mark.parametrize("state", ENDED)
def test_how_it_ended_is_told_in_words(anna: Member, shelf: Shelf, state: str) -> None:
    moved = {"code": "price_moved", "figures": {"live_price": "950.00", "expected_price": "1000.00"}}
    made = proposal(shelf.product(), state=state, outcome=moved if state == "stale" else {})
    seen = card(anna, made)
    assert ENDED[state] in seen.text
    assert seen.buttons == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_that_is_out_of_date_says_what_follows(anna: Member, shelf: Shelf, language: str) -> None:
    moved = {"code": "stock_gone", "figures": {"sku": "SKU-1"}}
    why = {"code": "out_of_stock", "figures": {"sku": "SKU-1"}}
    renewed = proposal(shelf.product(), state="stale", outcome={**moved, "renewed": 5})
    ended = proposal(shelf.product(), state="stale", outcome={**moved, "not_renewed": why})

    first, second = card(anna, renewed, language=language).text, card(anna, ended, language=language).text

    if language == "en":
        assert "SKU-1 has run out since.\nIt was computed anew: a new card has come." in first
        assert "SKU-1 has run out since.\nThere is no new proposal now: SKU-1 is out of stock." in second
    else:
        assert "computed" not in first
        assert "proposal" not in second


def test_a_rejection_has_a_name_and_a_time(anna: Member, shelf: Shelf) -> None:
    made = decided(proposal(shelf.product()), anna, state="rejected")
    seen = card(anna, made)
    assert "Rejected by Anna, March 2, 12:30." in seen.text
    assert seen.buttons == ()


REFUSED = {"code": "PRICE_TOO_LOW", "message": "price is <too> low & wrong"}
STORIES = {
    "queued": ({}, "Waiting to be sent."),
    "sending": ({}, "Sending…"),
    "sent": ({}, "Sent March 2, 12:31. Looking whether the price has arrived…"),
    "unknown": ({}, "Sent, the answer was not clear. Looking at what the marketplace shows…"),
    "reconciling": ({}, "Sent, the answer was not clear. Looking at what the marketplace shows…"),
    "verified": ({}, "Verified March 2, 12:32: the marketplace shows 1,090 RUB."),
    "rejected": (
        REFUSED,
        "The marketplace rejected it; the price was not changed.\nThe marketplace says: price is <too> low & wrong",
    ),
    "needs_human": (
        {"code": "never_applied", "figures": {"sends": 5}},
        "Needs a person: nobody can say what the price is now. Please look at it at the marketplace.\n"
        "The marketplace accepted the change 5 times and never applied it.",
    ),
    "superseded": ({}, "Not sent: a newer decision has taken its place."),
    "cancelled": (
        {"code": "stopped"},
        "Not sent; the price was not changed.\nThe kill switch is on: nothing is sent.",
    ),
}


def test_every_state_of_a_command_has_a_story() -> None:
    assert set(STORIES) == set(Command.State.values)


@pytest.mark.parametrize("state", STORIES)
def test_after_the_decision_the_card_is_its_own_record(anna: Member, shelf: Shelf, state: str) -> None:
    problem, words = STORIES[state]
    made = decided(proposal(shelf.product()), anna)
    command(made, state=state, problem=problem)
    seen = card(anna, made)
    assert f"Approved by Anna, March 2, 12:30.\n{words}" in seen.text
    assert set(seen.actions) <= {"command.undo"}
    assert "Expected profit" not in seen.text


class TestUndo:
    def test_what_has_arrived_can_be_undone_until_its_time_is_over(self, anna: Member, shelf: Shelf) -> None:
        made = decided(proposal(shelf.product()), anna)
        done = command(made, state="verified", undo_until=NOW + timedelta(minutes=10))
        seen = card(anna, made)
        assert "It can be undone until March 2, 12:40." in seen.text
        assert seen.buttons == (("command.undo", {"command": done.pk}),)
        late = card(anna, made, now=NOW + timedelta(minutes=10))
        assert "can be undone" not in late.text
        assert late.buttons == ()

    @pytest.mark.parametrize("state", Command.LIVE)
    def test_what_is_under_way_can_be_undone(self, anna: Member, shelf: Shelf, state: str) -> None:
        made = decided(proposal(shelf.product()), anna)
        command(made, state=state)
        assert card(anna, made).actions == ["command.undo"]

    def test_who_may_not_approve_gets_no_button(self, anna: Member, shelf: Shelf) -> None:
        made = decided(proposal(shelf.product()), anna)
        command(made, state="sent")
        assert card(cast.member(anna.seller, "Vera", Role.ANALYST, telegram_id=5), made).buttons == ()

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_the_card_says_who_has_undone_it(self, anna: Member, shelf: Shelf, language: str) -> None:
        words = {
            "sent": "Undone by Anna: the old price is sent as soon as it is known what became of this change.",
            "verified": "Undone by Anna. How the price goes back says a card of its own.",
            "cancelled": "Not sent; the price was not changed.\nIt was undone before it was sent.\nUndone by Anna.",
        }
        for state, sentence in words.items():
            made = decided(proposal(shelf.product()), anna)
            command(made, state=state, undo_by=anna, problem={"code": "undone"} if state == "cancelled" else {})
            seen = card(anna, made, language=language)
            assert (sentence in seen.text) == (language == "en")
            assert "Anna" in seen.text
            assert seen.buttons == ()

    def test_why_it_was_not_undone(self, anna: Member, shelf: Shelf) -> None:
        made = decided(proposal(shelf.product()), anna)
        command(made, state="verified", undo_problem={"code": "undo_failed"})
        assert "It was not undone.\nThe way back did not come about; its own card says why." in card(anna, made).text


def test_a_send_that_has_to_be_repeated_says_why(anna: Member, shelf: Shelf) -> None:
    made = decided(proposal(shelf.product()), anna)
    command(made, state="queued", problem={"code": "LIMIT", "message": "too many updates"})
    assert "Waiting to be sent again.\nThe marketplace says: too many updates" in card(anna, made).text


def test_it_says_until_when_the_experiment_runs(anna: Member, shelf: Shelf) -> None:
    running = experiment(shelf.product(), anna)
    made = running.command.proposal
    assert "The experiment runs from March 3 to March 9; the verdict follows the next morning." in card(anna, made).text
    running.state = "kept"
    running.save()
    assert "Experiment: kept." in card(anna, made).text


def test_a_rollback_says_what_it_brings_back(anna: Member, shelf: Shelf) -> None:
    back = choice(price=choice().current_price, current_price=choice().price)
    ended = experiment(shelf.product(), anna, state="rolling_back")
    made = proposal(
        ended.product,
        chosen=back,
        reverses=ended.command,
        effect=None,
        effect_low=None,
        effect_high=None,
        worst_case=None,
        data_as_of=None,
    )
    text = card(anna, made).text
    assert "1,090 RUB → 1,000 RUB (-8.3%)\nBrings back the price that stood before." in text
    assert "Expected profit" not in text
    command(decided(made, anna), state="verified")
    assert "Verified March 2, 12:32: the marketplace shows 1,000 RUB." in card(anna, made).text


@pytest.mark.parametrize("state", Proposal.State)
def test_every_state_is_told_in_every_language(anna: Member, shelf: Shelf, state: str) -> None:
    made = proposal(shelf.product(), state=state)
    assert len({card(anna, made, language=language).text for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize("state", STORIES)
def test_every_story_of_a_command_is_told_in_every_language(anna: Member, shelf: Shelf, state: str) -> None:
    made = decided(proposal(shelf.product()), anna)
    command(made, state=state, problem=STORIES[state][0])
    assert len({card(anna, made, language=language).text for language in LANGUAGES}) == len(LANGUAGES)


def test_money_and_days_follow_the_language(anna: Member, shelf: Shelf) -> None:
    text = card(anna, proposal(shelf.product()), language="ru").text
    assert "1 000 ₽ → 1 090 ₽ (+9 %)" in text
    assert "2 марта, 09:00" in text


def test_the_days_are_those_of_the_shops_zone(anna: Member) -> None:
    far = Shelf(cast.shop(anna.seller, "Far", timezone="Asia/Vladivostok"))
    assert "To be decided before March 3, 16:30." in card(anna, proposal(far.product())).text
