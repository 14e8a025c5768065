from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.decisions.models import Batch, DecisionRules
from apps.shops.models import Member
from apps.shops.roles import Role
from tests import cast
from tests.inventory.shelf import TODAY, Shelf
from tests.reports.rows import LANGUAGES, NOW, Read, proposal, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def shelf(anna: Member) -> Shelf:
    """Two cards, each +310.40 expected and -120 at worst, where a worst case of -200 may be applied together."""
    shelf = Shelf(anna.seller.shops.get())
    DecisionRules.objects.create(shop=shelf.shop, together_worst=200)
    for name in ("Grey scarf", "Red scarf"):
        proposal(shelf.product(name))
    return shelf


def summary(to: Member, shelf: Shelf, **options: Any) -> Read:
    return told(to, "proposal_summary", shop=shelf.shop.pk, day=str(TODAY), **options)


def question(anna: Member, shelf: Shelf, **columns: Any) -> Batch:
    asked = [{"proposal": one.pk, "hash": one.payload_hash} for one in shelf.shop.proposals.order_by("pk")]
    sums = {"effect": "620.80", "worst_case": "-240"}
    return Batch.objects.create(
        **{"shop": shelf.shop, "member": anna, "day": TODAY, "asked": asked, "asked_at": NOW, **sums, **columns}
    )


def test_it_says_how_many_wait_and_how_many_fit_together(anna: Member, shelf: Shelf) -> None:
    DecisionRules.objects.update(together_worst=121)
    seen = summary(anna, shelf)
    assert "Shelf: the day's price cards\nWaiting for a decision: 2." in seen.text
    assert "With a worst case better than -121 RUB a day: 2." in seen.text
    assert seen.buttons == (("together.ask", {"shop": shelf.shop.pk}),)


def test_without_any_that_fit_there_is_no_button(anna: Member, shelf: Shelf) -> None:
    DecisionRules.objects.update(together_worst=120)
    assert summary(anna, shelf).buttons == ()


def test_it_asks_once_more_with_the_sums(anna: Member, shelf: Shelf) -> None:
    asked = question(anna, shelf)
    seen = summary(anna, shelf)
    assert "Apply 2 changes together?" in seen.text
    assert "Expected in all: +621 RUB a day. In the worst of 100 cases of each, in all: -240 RUB a day." in seen.text
    assert seen.buttons == (("together.apply", {"batch": asked.pk}), ("together.leave", {"batch": asked.pk}))


def test_the_question_is_only_the_askers(anna: Member, shelf: Shelf) -> None:
    question(anna, shelf)
    olga = cast.member(anna.seller, "Olga", Role.APPROVER, telegram_id=5)
    assert summary(olga, shelf).actions == ["together.ask"]


def test_who_may_not_approve_gets_no_button(anna: Member, shelf: Shelf) -> None:
    assert summary(cast.member(anna.seller, "Vera", Role.ANALYST, telegram_id=5), shelf).buttons == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_became_of_each_is_told_in_every_language(anna: Member, shelf: Shelf, language: str) -> None:
    problems = {
        "applied": {},
        "one_more": {},
        "left_out": {},
        "refused": {"code": "below_floor", "figures": {"price": "1090", "floor_price": "1100"}},
        "stale": {"code": "stock_gone", "figures": {"sku": "SKU-1"}, "renewed": 7},
    }
    one = shelf.shop.proposals.order_by("pk")[0]
    outcomes = [{"proposal": one.pk, "code": code, "problem": problem} for code, problem in problems.items()]
    question(anna, shelf, answered_at=NOW + timedelta(minutes=1), outcomes=outcomes)

    text = summary(anna, shelf, language=language).text

    told_in_english = {
        "Grey scarf (SKU-1) 1,000 RUB → 1,090 RUB: accepted, it is being sent.",
        "Grey scarf (SKU-1) 1,000 RUB → 1,090 RUB: refused. 1,090 RUB is below the floor of 1,100 RUB.",
        "out of date, not applied. SKU-1 has run out since. It was computed anew: a new card has come.",
        "left out: it was changed or decided on since.",
        "accepted, one more person has to agree.",
    }
    assert text.count("Grey scarf (SKU-1)") == 5
    assert all((sentence in text) == (language == "en") for sentence in told_in_english)
