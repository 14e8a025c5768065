from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from django.utils import translation

from apps.pricing import choice, economics, guardrails, kinds, moves, promotions, reasons, words
from apps.pricing.records import Direction, PriceFacts, Reason, Violation
from tests.pricing.cases import RULES, D, context, facts

GAIN = {"profit_gain": D("310.40"), "low_gain": D("-42.13"), "high_gain": D("96.5"), "probability_rate": D("0.7134")}


def said(code: str, **figures: object) -> str:
    with translation.override("en"):
        return words.say(code, figures, currency="RUB").replace("\xa0", " ")


def test_money_rates_days_and_dates_are_written_for_people() -> None:
    assert said("profit_typical", **GAIN) == (
        "Expected profit +310 RUB a day (90%: -42.13 RUB to +96.50 RUB); better with a probability of 71%, "
        "by price elasticities typical of the trade."
    )
    assert said("stock_long", stock=1240, cover_days=D("150.4")) == "Long stock: 1,240 pcs last 150 days."
    assert said("below_floor", price=D("963.99"), floor_price=D(12900)) == (
        "963.99 RUB is below the floor of 12,900 RUB."
    )
    assert said("change_failed", old_price=D(920), new_price=D(1000), changed_on="2026-05-04") == (
        "The last change (May 4, 2026, 920 RUB to 1,000 RUB) earned less."
    )


def test_what_a_change_brought_follows_where_it_is_known() -> None:
    sentence = said("change_failed", old_price=D(920), new_price=D(1000), changed_on="2026-05-04", profit_gain=D(-120))
    assert sentence.endswith("earned less. -120 RUB a day.")


def test_costs_are_named_in_words() -> None:
    assert said("unknown_terms", terms="cost, ad_rate") == (
        "Not known: unit cost, advertising. Without it no floor can be computed."
    )
    assert said("impossible_term", term="commission_rate", value=D("1.2")) == (
        "commission has an impossible value: 1.2."
    )


def test_every_language_writes_numbers_its_own_way() -> None:
    with translation.override("ru"):
        sentence = words.say("price_moved", {"live_price": D(12900), "expected_price": D("990.5")}, currency="RUB")
    assert "12\xa0900\xa0₽" in sentence
    assert "990,50\xa0₽" in sentence


def test_without_a_language_it_is_english() -> None:
    with translation.override(None):
        assert words.say("out_of_stock", {"sku": "790001"}, currency="RUB") == "790001 is out of stock."


def test_figures_that_come_back_from_json_read_the_same() -> None:
    moved = Violation("price_moved", {"live_price": D(12900), "expected_price": D("990.5")})
    stored = json.loads(json.dumps(asdict(moved), default=str))
    assert said(stored["code"], **stored["figures"]) == said(moved.code, **moved.figures)


@pytest.mark.parametrize("module", [choice, economics, guardrails, kinds, moves, promotions, reasons])
def test_every_code_that_can_arise_has_words(module: object) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    codes = {code for call in ast.walk(tree) if isinstance(call, ast.Call) for code in _codes(call)}
    assert codes
    assert codes | set(reasons.AGAINST.values()) <= set(words.TEMPLATES)


def _codes(call: ast.Call) -> Iterator[str]:
    """The codes written in a call of Violation, Passed, Reason or the helper that makes one of the first two."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    first = {"Violation": 1, "Passed": 1, "Reason": 1, "_within": 2}.get(name, 0)
    for node in (node for argument in call.args[:first] for node in ast.walk(argument)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_there_are_no_words_for_what_cannot_arise() -> None:
    modules = (choice, economics, guardrails, kinds, moves, promotions, reasons)
    sources = "".join(Path(str(module.__file__)).read_text() for module in modules)
    assert [code for code in words.TEMPLATES if f'"{code}"' not in sources] == []


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
def test_all_that_arises_can_be_said(language: str) -> None:
    hostile: list[PriceFacts] = [facts(), facts(cost=None), facts(cost=D(-1)), facts(commission_rate=D("0.9"))]
    with translation.override(language):
        for of in hostile:
            strict = context(of, updates_last_hour=10, skus_total=3, old_price=D(3), has_live_experiment=True)
            for found in (*guardrails.findings(strict, D("4.5")), *guardrails.findings(context(of), D(1090))):
                assert words.say(found.code, found.figures, currency="RUB")
        for reason in reasons.signs(facts(cost=D(900), stock=3, units_last_7=1, units_previous_7=30), RULES):
            assert isinstance(reason, Reason)
            assert reason.direction in Direction
            assert words.say(reason.code, reason.figures, currency="RUB")
