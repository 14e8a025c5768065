"""A price of a product that takes part in a promotion of the marketplace."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.pricing.guardrails import violations
from apps.pricing.promotions import not_frozen, warnings
from apps.pricing.records import InPromotion, Passed, Violation
from apps.pricing.words import say
from tests.pricing.cases import D, context


def boost(**changes: Any) -> InPromotion:
    """A promotion until the tenth of June in which the product costs 950 and may cost 1050."""
    ordinary: dict[str, Any] = {
        "title": "Boost",
        "action_price": D(950),
        "max_action_price": D(1050),
        "ends_on": date(2026, 6, 10),
        "is_frozen": False,
    }
    return InPromotion(**(ordinary | changes))


def warned(price: int, **changes: Any) -> Violation:
    (warning,) = warnings((boost(**changes),), D(1000), D(price))
    return warning


class TestAFrozenPromotion:
    def test_it_refuses_a_higher_price_and_names_the_promotion(self) -> None:
        found = violations(context(promotions=(boost(is_frozen=True),)), D(1040))
        assert found == (Violation("promotion_frozen", {"promotion": "Boost", "live_price": D(1000)}),)
        assert "“Boost”" in say(found[0].code, found[0].figures, currency="RUB")

    @pytest.mark.parametrize("price", [D(1000), D(960)])
    def test_it_allows_the_same_and_a_lower_one(self, price: D) -> None:
        assert not_frozen(context(promotions=(boost(is_frozen=True),)), price) == Passed("not_frozen", {})

    def test_a_price_that_is_brought_back_is_refused_too(self) -> None:
        back = context(promotions=(boost(is_frozen=True),), restores=D(1040))
        assert [violation.code for violation in violations(back, D(1040))] == ["promotion_frozen"]

    def test_one_that_is_not_frozen_forbids_nothing(self) -> None:
        assert violations(context(promotions=(boost(),)), D(1040)) == ()


class TestWarnings:
    def test_without_a_promotion_there_are_none(self) -> None:
        assert warnings((), D(1000), D(1090)) == ()

    def test_above_the_highest_price_the_product_drops_out(self) -> None:
        assert warned(1060) == Violation("promotion_left", {"promotion": "Boost", "max_price": D(1050)})

    def test_at_the_highest_price_it_stays(self) -> None:
        assert warned(1050).code == "promotion_holds_until"

    def test_a_price_that_was_above_the_highest_already_changes_nothing(self) -> None:
        assert warned(1090, max_action_price=D(990)).code == "promotion_holds_until"

    def test_below_the_price_in_the_promotion_there_is_no_discount_left(self) -> None:
        assert warned(940) == Violation("promotion_undercut", {"promotion": "Boost", "action_price": D(950)})
        assert warned(950).code == "promotion_holds_until"

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            (
                {},
                "The product takes part in the promotion “Boost” until Jun 10, 2026: buyers pay 950 RUB, "
                "whatever the price.",
            ),
            (
                {"ends_on": None},
                "The product takes part in the promotion “Boost”: buyers pay 950 RUB, whatever the price.",
            ),
            (
                {"action_price": None},
                "The product takes part in the promotion “Boost”; what buyers pay there is not known.",
            ),
        ],
    )
    def test_otherwise_it_says_what_buyers_pay_and_until_when(self, changes: dict[str, Any], sentence: str) -> None:
        warning = warned(1010, **changes)
        assert say(warning.code, warning.figures, currency="RUB").replace("\xa0", " ") == sentence
