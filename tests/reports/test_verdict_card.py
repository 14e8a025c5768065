from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from apps.experiments.models import Experiment, Verdict
from apps.experiments.verdicts import Reason
from apps.reports import verdict_card
from apps.shops.models import Member
from apps.shops.roles import Role
from tests import cast
from tests.inventory.shelf import TODAY, Shelf
from tests.reports.rows import LANGUAGES, NOW, TO_THE_PAGE, Read, experiment, told, verdict

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=8)


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def judged(anna: Member) -> Experiment:
    return experiment(Shelf(anna.seller.shops.get()).product("Grey scarf"), anna, state="judged")


def card(to: Member, of: Experiment, *, weeks: int = 1, **options: Any) -> Read:
    as_of = TODAY + timedelta(days=1, weeks=weeks)
    return told(to, "verdict_card", experiment=of.pk, as_of=str(as_of), now=LATER, **options)


def test_a_success_says_what_was_found_and_what_to_do(anna: Member, judged: Experiment) -> None:
    verdict(judged)
    assert card(anna, judged).text == (
        "Grey scarf\n"
        "SKU-1 · Shelf\n"
        "\n"
        "1,000 RUB → 1,090 RUB (+9%)\n"
        "Measured from March 3 to March 9.\n"
        "\n"
        "SUCCESS: the new price earns more.\n"
        "\n"
        "Profit +12% against what was expected without the change (90%: +2.1% to +21%).\n"
        "The new price is better with a probability of 97%.\n"
        "41 units sold; without the change 38.2 were expected.\n"
        "The whole shop in that time: +6.2%.\n"
        "In money: +310 RUB a day (90%: +42 RUB to +520 RUB).\n"
        "\n"
        "Advice: keep the new price." + TO_THE_PAGE
    )


def test_it_leads_to_the_page_of_the_decision(anna: Member, judged: Experiment) -> None:
    verdict(judged)
    (link,) = card(anna, judged).links
    assert link.endswith(f"/admin/decisions/proposal/{judged.command.proposal_id}/change/")


def test_its_buttons_name_the_experiment(anna: Member, judged: Experiment) -> None:
    verdict(judged)
    assert card(anna, judged).buttons == (
        ("experiment.keep", {"experiment": judged.pk}),
        ("experiment.roll_back", {"experiment": judged.pk}),
        ("experiment.extend", {"experiment": judged.pk}),
    )


def test_four_weeks_are_not_extended(anna: Member, judged: Experiment) -> None:
    judged.days = 28
    judged.save()
    verdict(judged, as_of=TODAY + timedelta(days=29))
    assert card(anna, judged, weeks=4).actions == ["experiment.keep", "experiment.roll_back"]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
def test_who_may_not_decide_gets_no_buttons(anna: Member, judged: Experiment, role: Role) -> None:
    verdict(judged)
    vera = cast.member(anna.seller, "Vera", role, telegram_id=5)
    assert card(vera, judged).buttons == ()


def test_another_sellers_experiment_is_not_rendered(judged: Experiment) -> None:
    verdict(judged)
    with pytest.raises(Experiment.DoesNotExist):
        card(cast.boris(), judged)


def test_a_failure_is_sure_that_it_is_worse(anna: Member, judged: Experiment) -> None:
    verdict(judged, result="FAILED", probability=0.012, lean="roll_back", advice="roll_back", effect=-0.08)
    text = card(anna, judged).text
    assert "FAILED: the new price earns less." in text
    assert "Profit -8% against" in text
    assert "The new price is worse with a probability of 99%." in text
    assert "Advice: go back to the old price." in text


def test_neutral_makes_no_difference(anna: Member, judged: Experiment) -> None:
    verdict(judged, result="NEUTRAL", probability=0.6)
    assert "NEUTRAL: the new price makes no noticeable difference." in card(anna, judged).text


def test_too_little_data_leans_and_names_the_risk(anna: Member, judged: Experiment) -> None:
    verdict(
        judged,
        result="INCONCLUSIVE",
        reasons=["LITTLE_DATA"],
        advice="extend",
        probability=0.71,
        prior_probability=0.70,
        loss_if_kept=0.0083,
        observed=1,
        expected=7.13,
    )
    text = card(anna, judged).text
    assert (
        "INCONCLUSIVE: not enough is known for a verdict.\nIt sells too little to tell anything in this time." in text
    )
    assert "better with a probability of 71%.\nThis rests on elasticities typical of the trade" in text
    assert "1 unit sold; without the change 7.1 were expected." in text
    assert "Advice: measure seven more days.\nSo far it leans to keeping it; on average that risks 0.8%" in text
    assert "of the profit before." in text


def test_leaning_back_names_the_risk_of_going_back(anna: Member, judged: Experiment) -> None:
    verdict(judged, result="INCONCLUSIVE", reasons=["WIDE_RANGE"], lean="roll_back", advice="roll_back")
    assert "So far it leans to going back; on average that risks 12.5%" in card(anna, judged).text


def test_what_moved_far_from_the_belief_is_a_finding(anna: Member, judged: Experiment) -> None:
    verdict(judged, probability=0.97, prior_probability=0.7)
    assert "typical of the trade" not in card(anna, judged).text


def test_hardly_any_profit_before_is_put_over_the_turnover(anna: Member, judged: Experiment) -> None:
    verdict(judged, basis="TURNOVER", effect=0.031)
    assert "The profit changed by +3.1% of the turnover (90%: +2.1% to +21%); before there was hardly any." in (
        card(anna, judged).text
    )


def test_an_unknown_cost_leaves_revenue_and_no_advice(anna: Member, judged: Experiment) -> None:
    nothing: dict[str, Any] = {"per_day": None, "per_day_low": None, "per_day_high": None, "lean": "", "advice": ""}
    verdict(judged, result="INCONCLUSIVE", reasons=["UNKNOWN_COST"], basis="REVENUE", probability=0.8, **nothing)
    seen = card(anna, judged)
    assert "The unit cost is not known, so the profit cannot be told." in seen.text
    assert "Revenue +12% against" in seen.text
    assert "The new price brings more revenue with a probability of 80%." in seen.text
    assert "There is no advice: revenue alone is no ground to decide on." in seen.text
    assert "In money" not in seen.text
    assert len(seen.buttons) == 3


def test_days_that_did_not_count_and_days_that_were_inferred_are_named(anna: Member, judged: Experiment) -> None:
    verdict(judged, valid_days=5, inferred_days=3, shop_change=None)
    text = card(anna, judged).text
    assert "Days in stock that could be compared: 5 of 7." in text
    assert "On 3 days, counting those before the change, the stock was inferred from the sales." in text
    assert "The whole shop" not in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("kept", "Kept by Anna, March 10, 12:30: the new price stays."),
        ("rolling_back", "Anna rolls back, March 10, 12:30. How far it has come says the card of the rollback."),
        ("rolled_back", "Rolled back by Anna, March 10, 12:30: the price is 1,000 RUB again."),
    ],
)
def test_after_the_decision_it_is_its_own_record(anna: Member, judged: Experiment, state: str, words: str) -> None:
    verdict(judged)
    judged.state, judged.decided_by, judged.decided_at = state, anna, LATER
    judged.save()
    seen = card(anna, judged)
    assert seen.text.endswith(words + TO_THE_PAGE)
    assert seen.buttons == ()


def test_an_extended_experiment_goes_on_and_the_old_card_keeps_its_days(anna: Member, judged: Experiment) -> None:
    verdict(judged, valid_days=7)
    judged.state, judged.days = "running", 14
    judged.save()
    seen = card(anna, judged)
    assert "Measured from March 3 to March 9." in seen.text
    assert "Days in stock" not in seen.text
    assert seen.text.endswith("The experiment goes on until March 16." + TO_THE_PAGE)
    assert seen.buttons == ()


def test_an_extension_that_was_stopped_can_still_be_decided_on(anna: Member, judged: Experiment) -> None:
    verdict(judged)
    judged.state, judged.days, judged.stopped_on = "stopped", 14, TODAY + timedelta(days=10)
    judged.save()
    seen = card(anna, judged)
    assert "Stopped early on March 12: no further verdict. Keep the new price or roll it back." in seen.text
    assert seen.actions == ["experiment.keep", "experiment.roll_back"]


def test_only_the_latest_verdict_can_be_decided_on(anna: Member, judged: Experiment) -> None:
    judged.days = 14
    judged.save()
    verdict(judged)
    verdict(judged, as_of=TODAY + timedelta(days=15), valid_days=14)
    assert card(anna, judged, weeks=1).buttons == ()
    second = card(anna, judged, weeks=2)
    assert "Measured from March 3 to March 16." in second.text
    assert len(second.buttons) == 3


def test_a_late_review_does_not_lengthen_the_window(anna: Member, judged: Experiment) -> None:
    verdict(judged, as_of=TODAY + timedelta(days=15))
    assert "Measured from March 3 to March 9." in card(anna, judged, weeks=2).text


def test_a_void_experiment_says_why(anna: Member, judged: Experiment) -> None:
    judged.state, judged.void_reason = "void", "price_changed"
    judged.save()
    seen = card(anna, judged)
    assert seen.text.endswith(
        "Measured from March 3 to March 9.\n\n"
        "VOID: there will be no verdict.\n"
        "The price was changed again while it ran." + TO_THE_PAGE
    )
    assert seen.buttons == ()


def test_every_reason_has_words() -> None:
    assert set(verdict_card.REASONS) == set(Reason)


@pytest.mark.parametrize("result", Verdict.Result.values)
def test_every_verdict_can_be_told_in_every_language(anna: Member, judged: Experiment, result: str) -> None:
    reasons = [*Reason] if result == "INCONCLUSIVE" else []
    row = verdict(judged, result=result, reasons=reasons, inferred_days=2, valid_days=6, prior_probability=0.96)
    for row.basis, row.advice in product(Verdict.Basis.values, ["", *Verdict.Advice.values]):
        row.save()
        assert len({card(anna, judged, language=language).text for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize("state", Experiment.State.values)
def test_every_state_can_be_told_in_every_language(anna: Member, judged: Experiment, state: str) -> None:
    verdict(judged)
    judged.state, judged.decided_by, judged.decided_at = state, anna, LATER
    judged.save()
    assert len({card(anna, judged, language=language).text for language in LANGUAGES}) == len(LANGUAGES)
