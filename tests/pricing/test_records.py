from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter

from apps.pricing.choice import choose
from apps.pricing.records import Choice, PastChange, PriceFacts, PriceRules, SendContext
from tests.pricing.cases import AS_OF, RULES, D, any_facts, context, facts


def test_cover_is_what_the_stock_lasts() -> None:
    assert facts().cover_days == D(40)
    assert facts(stock=None).cover_days is None
    assert facts(units_per_day=None).cover_days is None


@pytest.mark.parametrize(("stock", "per_day", "days"), [(0, "0", 0), (5, "0", 999), (999, "1", 999), (998, "1", 998)])
def test_cover_has_an_end_where_nothing_is_sold(stock: int, per_day: str, days: int) -> None:
    assert facts(stock=stock, units_per_day=D(per_day)).cover_days == days


def test_days_since_the_last_change_are_counted_in_the_shops_days() -> None:
    change = PastChange(changed_on=date(2026, 5, 11), old_price=D(950), new_price=D(1000))
    assert facts(last_change=change).days_since_change == 21
    assert facts().days_since_change is None


def test_data_have_an_age() -> None:
    assert facts().age_at(AS_OF + timedelta(hours=3)) == timedelta(hours=3)


@settings(max_examples=50, deadline=None)
@given(of=any_facts())
def test_facts_survive_being_kept_as_json(of: PriceFacts) -> None:
    kept: TypeAdapter[PriceFacts] = TypeAdapter(PriceFacts)
    assert kept.validate_json(kept.dump_json(of)) == of


@pytest.mark.parametrize("record", [choose(facts(cost=D(600)), RULES), RULES, context()])
def test_so_do_choice_rules_and_context(record: Any) -> None:
    assert isinstance(record, Choice | PriceRules | SendContext)
    kept: TypeAdapter[Any] = TypeAdapter(type(record))
    assert kept.validate_json(kept.dump_json(record)) == record
