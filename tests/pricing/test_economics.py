from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from apps.pricing.economics import acquiring_rate, change_economics, floor_price, unit_costs
from apps.pricing.grid import grid_of
from apps.pricing.records import PriceFacts, PriceRules, UnitCosts, Violation
from tests.pricing.cases import RULES, D, any_facts, facts


def costs_of(of: PriceFacts, rules: PriceRules = RULES) -> UnitCosts:
    costs = unit_costs(of, rules)
    assert isinstance(costs, UnitCosts)
    return costs


def test_a_unit_earns_its_price_less_shares_goods_and_services() -> None:
    costs = costs_of(facts())
    assert costs.profit(D(1000)) == D("325.000")
    assert costs.margin_rate(D(1000)) == D("0.325")


def test_every_known_item_counts_on_its_side() -> None:
    full = facts(
        extra_per_unit=D(15),
        return_rate=D("0.10"),
        return_logistics=D(50),
        return_loss_rate=D("0.01"),
        ad_rate=D("0.05"),
    )
    costs = costs_of(full, PriceRules(tax_rate=D("0.06")))
    assert (costs.goods, costs.services) == (D(400), D(80))
    assert costs.share_rate == D("0.335")
    assert costs.left_out == ()


def test_it_names_the_items_that_are_not_known_and_not_counted() -> None:
    assert costs_of(facts(ad_rate=D(0))).left_out == (
        "extra_per_unit",
        "return_rate",
        "return_logistics",
        "return_loss_rate",
        "tax_rate",
    )


@pytest.mark.parametrize("term", ["cost", "commission_rate", "logistics", "acquiring_rate"])
def test_an_unknown_cost_is_not_zero(term: str) -> None:
    assert unit_costs(facts(**{term: None}), RULES) == Violation("unknown_terms", {"terms": term})


def test_it_names_all_that_is_unknown_at_once() -> None:
    refused = unit_costs(facts(cost=None, logistics=None), RULES)
    assert refused == Violation("unknown_terms", {"terms": "cost, logistics"})


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("cost", "0"),
        ("cost", "-1"),
        ("commission_rate", "1"),
        ("commission_rate", "-0.01"),
        ("logistics", "-0.01"),
        ("return_rate", "20"),
    ],
)
def test_it_refuses_impossible_figures_by_name(term: str, value: str) -> None:
    assert unit_costs(facts(**{term: D(value)}), RULES) == Violation(
        "impossible_term", {"term": term, "value": D(value)}
    )


def test_the_floor_has_every_share_in_the_denominator_and_rounds_up() -> None:
    # 460 / (1 - .2 - .015 - .1) = 671.53...
    assert floor_price(costs_of(facts()), min_margin_rate=D("0.10"), currency="RUB") == D(672)
    # 460 / (1 - .215 - 0) = 585.98...
    assert floor_price(costs_of(facts()), min_margin_rate=D(0), currency="RUB") == D(586)


def test_a_floor_on_the_grid_stays_where_it_is() -> None:
    # 350 / (1 - .2 - .1) = 500
    even = costs_of(facts(cost=D(300), logistics=D(50), acquiring_rate=D(0)))
    assert floor_price(even, min_margin_rate=D("0.10"), currency="RUB") == D(500)


@pytest.mark.parametrize(("commission", "refused"), [("0.835", True), ("0.84", True), ("0.834", False)])
def test_it_refuses_when_the_shares_leave_next_to_nothing(commission: str, refused: bool) -> None:
    costs = costs_of(facts(commission_rate=D(commission)))
    floor = floor_price(costs, min_margin_rate=D("0.10"), currency="RUB")
    assert isinstance(floor, Violation) is refused
    if isinstance(floor, Violation):
        assert floor == Violation("no_share_kept", {"kept_rate": D("0.885") - D(commission), "needed_rate": D("0.05")})


@given(of=any_facts())
def test_the_floor_is_the_lowest_grid_price_that_earns_the_margin(of: PriceFacts) -> None:
    costs = unit_costs(of, RULES)
    if isinstance(costs, Violation):
        return
    floor = floor_price(costs, min_margin_rate=D("0.10"), currency=of.currency)
    if isinstance(floor, Violation):
        return
    grid = grid_of(of.currency)
    assert floor > 0
    assert grid.holds(floor)
    assert costs.margin_rate(floor) >= D("0.10")
    below = floor - grid.smallest
    assert below <= 0 or costs.margin_rate(grid.floor(below)) < D("0.10")


def test_acquiring_becomes_a_share_of_the_price_rounded_up() -> None:
    assert acquiring_rate(D("30.34"), D(1829)) == D("0.0166")
    assert acquiring_rate(D(15), D(1000)) == D("0.0150")
    assert acquiring_rate(None, D(1000)) is None
    assert acquiring_rate(D(15), D(0)) is None


def test_an_experiment_counts_the_same_profit() -> None:
    costs = costs_of(facts(return_rate=D("0.1"), return_logistics=D(50)))
    economics = change_economics(costs, price_from=D(1000), price_to=D(1090))
    assert (economics.price_from, economics.price_to) == (D(1000), D(1090))
    for price in (D(1000), D(1090)):
        assert economics.unit_profit(price) == costs.profit(price)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("min_margin_rate", D(1)),
        ("min_margin_rate", D("-0.1")),
        ("max_step_rate", D(0)),
        ("max_step_rate", D(1)),
        ("bound_below_rate", D(1)),
        ("control_share", D(2)),
        ("tax_rate", D(6)),
        ("holding_rate_per_day", D("0.01")),
        ("quota_reserve", 10),
        ("days_between_changes", 0),
    ],
)
def test_settings_outside_reason_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        replace(RULES, **{field: value})  # type: ignore[arg-type]
