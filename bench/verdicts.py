"""How often the verdicts are right, on simulated shops whose truth is known.

    python bench/verdicts.py [--quick] [--seed 1] [--kind main] [--skus 300] [--shops 40]

Every shop has its stock-outs and its replenishment. On a fifth of its SKUs (chosen by the square root of their sales)
the price moves by 3 to 15 % up or down on a random day; as many untouched ones get a placebo window in which nothing
happens. The verdict of `apps.experiments` is printed beside the rule of an earlier bot: revenue of the seven days
after against the seven before, 10 % more is SUCCESS, 10 % less FAILED, and only FAILED goes back.

A SUCCESS is correct when the true change of profit X is above zero, a FAILED when it is below, however small X is.
A placebo has no price, so its verdict is the one for changes of content. Regret is the profit lost against knowing
the truth, in percent of the SKU's profit, after keeping or rolling back as advised.

Without --quick there are more shops, and the four other kinds of world follow. RESULT is about the first kind.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from apps.experiments.counterfactual import OUT_OF_STOCK, PRE_DAYS, UNKNOWN_STOCK, Panel, ShopWindow, stock_of_days
from apps.experiments.verdicts import (
    CLAIM,
    EXTENSION_DAYS,
    MAX_DAYS,
    Action,
    Economics,
    Outcome,
    Question,
    Verdict,
    content_question,
    forecast,
    judge,
    price_question,
)
from apps.marketplaces.standins.demand import KINDS, Demand
from apps.marketplaces.standins.replenishment import Shelf
from bench.common import print_result, print_table

QUICK_SHOPS, SHOPS, SHOPS_OF_OTHER_KINDS = 40, 150, 60
TREATED_SHARE = 0.2
START_DAYS = 63  # days on which a window may begin
DAYS = PRE_DAYS + START_DAYS + MAX_DAYS
SETTLING_DAYS = 40
REVENUE_RULE_DAYS, REVENUE_RULE_CHANGE = 7, 0.10
NOTICEABLE = 0.02
CLAIMS = (Outcome.SUCCESS, Outcome.FAILED)


@dataclass(frozen=True)
class Test:
    """One window of one SKU; `truth` is the true relative change of profit, zero for a placebo."""

    sku: int
    t0: int
    question: Question
    truth: float


@dataclass(frozen=True)
class Finding:
    """What a rule said of a test, and what it advised after how many days."""

    outcome: Outcome
    kept: bool
    days: int
    truth: float

    @property
    def claims(self) -> bool:
        return self.outcome in CLAIMS

    @property
    def correct(self) -> bool:
        return self.truth > 0 if self.outcome is Outcome.SUCCESS else self.truth < 0

    @property
    def regret(self) -> float:
        return max(-self.truth, 0) if self.kept else max(self.truth, 0)


class Shop:
    """A shop lived through once, with its price changes."""

    def __init__(self, seed: int, kind: str, skus: int) -> None:
        self.demand = Demand(seed, skus, kind)
        numbers = np.random.default_rng([seed, 1])
        popularity = np.sqrt(self.demand.rate)
        tests = round(TREATED_SHARE * skus)
        chosen = numbers.choice(skus, size=2 * tests, replace=False, p=popularity / popularity.sum())
        starts = numbers.integers(PRE_DAYS, PRE_DAYS + START_DAYS, size=skus)
        changes = 1 + numbers.uniform(0.03, 0.15, skus) * numbers.choice([-1, 1], skus)
        self.prices = np.tile(self.demand.price0[:, None], (1, DAYS))
        for sku in chosen[:tests]:
            self.prices[sku, starts[sku] :] = round(self.demand.price0[sku] * changes[sku], 2)
        self.units, mornings = live(self.demand, self.prices)
        controls = np.isin(np.arange(skus), chosen[:tests], invert=True)
        self.panel = Panel(self.units, stock_of_days(mornings), self.demand.category, controls)
        self.empty_mornings = float((mornings == OUT_OF_STOCK).mean())
        self.window = lru_cache(maxsize=None)(self._window)
        self.experiments = [self._experiment(sku, int(starts[sku])) for sku in chosen[:tests]]
        self.placebos = [Test(sku, int(starts[sku]), content_question(None), 0.0) for sku in chosen[tests:]]

    def verdict(self, test: Test, days: int = EXTENSION_DAYS, *, past_stock: bool = True) -> Verdict:
        return judge(self.window(test.t0, days, past_stock).of(test.sku), test.question)

    def _window(self, t0: int, days: int, past_stock: bool) -> ShopWindow:
        panel = self.panel
        if not past_stock:
            stock = panel.stock.copy()
            stock[:, :t0] = UNKNOWN_STOCK
            panel = Panel(panel.units, stock, panel.categories, panel.controls)
        return ShopWindow(panel, t0=t0, days=days)

    def _experiment(self, sku: int, t0: int) -> Test:
        demand, price_from, price_to = self.demand, self.prices[sku, 0], self.prices[sku, -1]
        amounts = (price_from, price_to, demand.commission[sku], demand.cost[sku], demand.logistics[sku])
        question = price_question(Economics(*(Decimal(f"{amount:.2f}") for amount in amounts)))
        return Test(sku, t0, question, demand.true_effect(sku, price_from, price_to))


def live(demand: Demand, prices: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Units of every day at these prices (SKUs x days), and whether there was stock on every morning, one more.

    The shelf settles before the first day. Nothing is cancelled or returned, so it is emptier than that of the world.
    """
    skus, days = prices.shape
    shelf = Shelf(demand)
    units, mornings = np.zeros((skus, days), dtype=np.int64), np.zeros((skus, days + 1), dtype=np.int8)
    for day in range(-SETTLING_DAYS, days):
        shelf.receive(day)
        column = max(day, 0)
        mornings[:, column] = shelf.free > 0
        units[:, column] = demand.draw(day, prices[:, column], shelf.free)
        shelf.close(day, units[:, column])
    shelf.receive(days)
    mornings[:, days] = shelf.free > 0
    return units, mornings


def finding(verdict: Verdict, test: Test) -> Finding:
    return Finding(verdict.outcome, verdict.lean is Action.KEEP, verdict.sales.days, test.truth)


def after_a_week(shop: Shop, test: Test) -> Finding:
    return finding(shop.verdict(test), test)


def without_past_stock(shop: Shop, test: Test) -> Finding:
    """As in a shop connected on the day before: nobody recorded the stock of the pre days."""
    return finding(shop.verdict(test, past_stock=False), test)


def extended_as_advised(shop: Shop, test: Test) -> Finding:
    days = EXTENSION_DAYS
    while (verdict := shop.verdict(test, days)).action is Action.EXTEND:
        days += EXTENSION_DAYS
    return finding(verdict, test)


def started_if_worth_it(shop: Shop, test: Test) -> Finding:
    """Extended as advised, and not even started where the prior expects no gain."""
    if forecast(test.question, daily_units=1).vetoed:
        return Finding(Outcome.INCONCLUSIVE, False, 0, test.truth)
    return extended_as_advised(shop, test)


def prior_alone(shop: Shop, test: Test) -> Finding:
    """What the elasticity prior says without any sales."""
    effect = forecast(test.question, daily_units=1).effect
    sure = max(effect.probability, 1 - effect.probability) >= CLAIM
    claim = Outcome.SUCCESS if effect.expected > 0 else Outcome.FAILED
    return Finding(claim if sure else Outcome.INCONCLUSIVE, effect.expected > 0, 0, test.truth)


def revenue_rule(shop: Shop, test: Test) -> Finding:
    """The earlier bot's: without sales before, nothing has changed."""
    revenue = shop.units[test.sku] * shop.prices[test.sku]
    before = revenue[test.t0 - REVENUE_RULE_DAYS : test.t0].sum()
    after = revenue[test.t0 : test.t0 + REVENUE_RULE_DAYS].sum()
    change = after / before - 1 if before else 0.0
    outcome = Outcome.NEUTRAL
    if abs(change) >= REVENUE_RULE_CHANGE:
        outcome = Outcome.SUCCESS if change > 0 else Outcome.FAILED
    return Finding(outcome, outcome is not Outcome.FAILED, REVENUE_RULE_DAYS, test.truth)


def always(kept: bool) -> Callable[[Shop, Test], Finding]:
    return lambda shop, test: Finding(Outcome.INCONCLUSIVE, kept, 0, test.truth)


Rules = dict[str, Callable[[Shop, Test], Finding]]
OURS, THEIRS = "verdict after 7 days", "revenue +-10 %"
WINDOW_RULES: Rules = {
    OURS: after_a_week,
    "- past stock unknown": without_past_stock,
    "- extended as advised": extended_as_advised,
    THEIRS: revenue_rule,
}
PRICE_RULES: Rules = WINDOW_RULES | {
    "- and vetoed as advised": started_if_worth_it,
    "prior without sales": prior_alone,
    "always keep": always(True),
    "always roll back": always(False),
}


@dataclass(frozen=True)
class Findings:
    """All that one rule found, shop by shop: shops are the independent units."""

    by_shop: list[list[Finding]]

    @property
    def all(self) -> list[Finding]:
        return list(chain.from_iterable(self.by_shop))

    def share(self, hit: Callable[[Finding], bool], among: Callable[[Finding], bool] = lambda f: True) -> str:
        chosen = [f for f in self.all if among(f)]
        hits = sum(map(hit, chosen))
        return f"{hits / len(chosen):.3f} ({hits}/{len(chosen)})" if chosen else "none"

    def mean(self, value: Callable[[Finding], float]) -> str:
        means = np.array([np.mean([value(f) for f in findings]) for findings in self.by_shop])
        return f"{means.mean():.3f} ±{means.std(ddof=1) / np.sqrt(len(means)):.3f}"

    @property
    def claimed(self) -> float:
        return float(np.mean([f.claims for f in self.all]))

    @property
    def correct(self) -> float | None:
        claims = [f for f in self.all if f.claims]
        return float(np.mean([f.correct for f in claims])) if claims else None


def print_placebos(found: dict[str, Findings]) -> None:
    rows = [
        [
            rule,
            findings.share(lambda f: f.outcome is Outcome.SUCCESS),
            findings.share(lambda f: f.outcome is Outcome.FAILED),
            findings.mean(lambda f: f.claims),
        ]
        for rule, findings in found.items()
    ]
    print_table("Placebo windows: nothing changed", ["rule", "SUCCESS", "FAILED", "any claim"], rows)


def print_experiments(found: dict[str, Findings]) -> None:
    rows = [
        [
            rule,
            findings.share(lambda f: f.claims),
            findings.share(lambda f: f.correct, lambda f: f.claims),
            findings.share(lambda f: f.outcome is Outcome.SUCCESS, lambda f: f.truth < -NOTICEABLE),
            findings.share(lambda f: f.outcome is Outcome.FAILED, lambda f: f.truth > NOTICEABLE),
            findings.mean(lambda f: 100 * f.regret),
            f"{np.mean([f.days for f in findings.all]):.1f}",
        ]
        for rule, findings in found.items()
    ]
    headers = ["rule", "claims", "correct", "SUCCESS at X<-2 %", "FAILED at X>2 %", "regret %", "days"]
    print_table("Price experiments: X is the true change of profit", headers, rows)


def measure(kind: str, *, seed: int, skus: int, count: int) -> dict[str, float | int | None]:
    """Lives through the shops one by one, prints the tables of this kind of world and returns the figures."""
    placebos: dict[str, list[list[Finding]]] = {rule: [] for rule in WINDOW_RULES}
    experiments: dict[str, list[list[Finding]]] = {rule: [] for rule in PRICE_RULES}
    empty = []
    for number in range(count):
        shop = Shop(seed * 100_000 + number, kind, skus)
        empty.append(shop.empty_mornings)
        for name, rule in WINDOW_RULES.items():
            placebos[name].append([rule(shop, test) for test in shop.placebos])
        for name, rule in PRICE_RULES.items():
            experiments[name].append([rule(shop, test) for test in shop.experiments])
    first = seed * 100_000
    print(f"\n{kind}: {count} shops of {skus} SKUs, seeds {first}..{first + count - 1},", end=" ")
    print(f"{np.mean(empty):.1%} of mornings without stock")
    aa = {rule: Findings(by_shop) for rule, by_shop in placebos.items()}
    ab = {rule: Findings(by_shop) for rule, by_shop in experiments.items()}
    print_placebos(aa)
    print_experiments(ab)
    return {
        "aa_claims": aa[OURS].claimed,
        "correct": ab[OURS].correct,
        "seed_aa_claims": aa[THEIRS].claimed,
        "seed_correct": ab[THEIRS].correct,
        "placebos": len(aa[OURS].all),
        "experiments": len(ab[OURS].all),
        "claims": sum(f.claims for f in ab[OURS].all),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one kind of world, fewer shops, under a minute")
    parser.add_argument("--seed", type=int, default=1, help="another number is another set of shops")
    parser.add_argument("--kind", choices=KINDS, default="main", help="family of elasticities and margins")
    parser.add_argument("--skus", type=int, default=300)
    parser.add_argument("--shops", type=int, help="at least 2")
    options = parser.parse_args()
    count = options.shops or (QUICK_SHOPS if options.quick else SHOPS)
    if count < 2 or options.skus < 20 or options.seed < 0:
        parser.error("needs at least 2 shops of at least 20 SKUs, and a seed of 0 or more")
    figures = measure(options.kind, seed=options.seed, skus=options.skus, count=count)
    for kind in KINDS:
        if not options.quick and kind != options.kind:
            measure(kind, seed=options.seed, skus=options.skus, count=min(count, SHOPS_OF_OTHER_KINDS))
    print_result(figures)


if __name__ == "__main__":
    main()
