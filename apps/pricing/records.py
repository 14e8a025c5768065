"""What a price decision is made from, and what it results in: frozen, plain, without a database.

Money is Decimal in the currency of the record, rates are fractions (0.22), and None means unknown, never zero.
Every record survives pydantic's `TypeAdapter(...).dump_json` and `validate_json` unchanged in value, so that it can be
kept beside its proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from apps.experiments.verdicts import Money

COVER_CAP_DAYS = Decimal(999)

Figure: TypeAlias = Decimal | int | str
"""One figure of a sentence; the end of its name says its unit (`words.py` has the list)."""


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"
    NONE = "none"


@dataclass(frozen=True)
class Violation:
    """A rule that forbids a price, or any change of it now. The words are made from `code` when it is shown."""

    code: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Passed:
    """A rule that was looked at and allows the price, with the figures it was held against."""

    code: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Reason:
    """One thing a trader would say about the price. It explains; the price itself comes from the expected profit."""

    code: str
    direction: Direction
    figures: Mapping[str, Figure]


@dataclass(frozen=True, kw_only=True)
class PastChange:
    """The last price change of a SKU, whoever made it. `verdict` is the experiment's, None when nothing was measured;
    `profit_per_day` is what that verdict says the change brought."""

    changed_on: date
    old_price: Decimal
    new_price: Decimal
    verdict: str | None = None
    profit_per_day: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class OwnRules:
    """What the seller wants of this SKU alone: the prices it may have, both inclusive, the margin it must earn, and
    whether its price may be changed at all. None: nothing but the shop's rules."""

    min_price: Decimal | None = None
    max_price: Decimal | None = None
    min_margin_rate: Decimal | None = None
    is_repriced: bool = True


@dataclass(frozen=True, kw_only=True)
class PriceFacts:
    """Everything known about one SKU when its price is looked at.

    `today` is the shop's day, `as_of` the moment the last complete sync was done. `base_price` is the market's price
    where an index names one, otherwise the seller's own before our first change. Per unit sold: `cost`, `logistics`,
    `extra_per_unit` (packaging, storage, services), `return_logistics` (of one returned unit). Shares of the price:
    `commission_rate`, `acquiring_rate`, `ad_rate`, `return_loss_rate` (revenue lost for good through returns);
    `return_rate` is returned units / units. `units_per_day` is the mean of in-stock days with the half-life of the
    shop's experiments. `days_since_sale` is None when nothing was sold in `days_observed`. `days_since_review` counts
    from the last recommendation, whatever became of it. `min_price` is the minimum at the marketplace, `own` what the
    seller has said here.
    """

    product_id: int
    sku: str
    currency: str
    today: date
    as_of: datetime

    price: Decimal
    base_price: Decimal
    old_price: Decimal | None = None
    min_price: Decimal | None = None

    cost: Decimal | None
    commission_rate: Decimal | None
    logistics: Decimal | None
    acquiring_rate: Decimal | None
    extra_per_unit: Decimal | None = None
    return_rate: Decimal | None = None
    return_logistics: Decimal | None = None
    return_loss_rate: Decimal | None = None
    ad_rate: Decimal | None = None

    units_per_day: Decimal | None
    units_last_7: int
    units_previous_7: int
    in_stock_days_last_7: int
    in_stock_days_previous_7: int
    days_observed: int
    days_since_sale: int | None

    stock: int | None
    inbound: int | None

    last_change: PastChange | None = None
    days_since_review: int | None = None
    in_experiment: bool = False
    own: OwnRules = OwnRules()

    @property
    def cover_days(self) -> Decimal | None:
        """Days the stock on hand lasts at the present rate, at most `COVER_CAP_DAYS`; None when either is unknown."""
        if self.stock is None or self.units_per_day is None:
            return None
        if self.stock >= COVER_CAP_DAYS * self.units_per_day:
            return COVER_CAP_DAYS if self.stock else Decimal(0)
        return self.stock / self.units_per_day

    @property
    def days_since_change(self) -> int | None:
        return None if self.last_change is None else (self.today - self.last_change.changed_on).days

    def age_at(self, now: datetime) -> timedelta:
        """How old the data are at `now`."""
        return now - self.as_of


@dataclass(frozen=True, kw_only=True)
class PriceRules:
    """A shop's settings for prices. ValueError names a field outside what is accepted.

    `bound_below_rate` and `bound_above_rate` hold the price around `base_price`; `quota_reserve` of the marketplace's
    `quota_per_hour` updates is kept for going back; `control_share` and `min_controls` are the SKUs that must stay
    untouched; `holding_rate_per_day` is the cost of keeping goods for a day, as a share of their cost, counted
    for at most `holding_cap_days`; `tax_rate` is the share of revenue that goes to taxes.
    """

    min_margin_rate: Decimal = Decimal("0.10")
    max_step_rate: Decimal = Decimal("0.10")
    bound_below_rate: Decimal = Decimal("0.15")
    bound_above_rate: Decimal = Decimal("0.10")
    min_gain_rate: Decimal = Decimal("0.005")
    cut_probability: Decimal = Decimal("0.6")
    days_between_changes: int = 21
    min_days_observed: int = 14
    short_cover_days: int = 14
    long_cover_days: int = 60
    quota_per_hour: int = 10
    quota_reserve: int = 2
    control_share: Decimal = Decimal("0.5")
    min_controls: int = 15
    max_age: timedelta = timedelta(hours=36)
    holding_rate_per_day: Decimal = Decimal("0.001")
    holding_cap_days: int = 120
    tax_rate: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("min_margin_rate", "min_gain_rate", "cut_probability", "control_share", "tax_rate"):
            rate = getattr(self, name)
            if rate is not None and not 0 <= rate < 1:
                raise ValueError(f"{name} must be a fraction from 0 to below 1, got {rate}")
        for name in ("max_step_rate", "bound_below_rate", "bound_above_rate"):
            rate = getattr(self, name)
            if not 0 < rate < 1:
                raise ValueError(f"{name} must be a fraction above 0 and below 1, got {rate}")
        if not 0 <= self.holding_rate_per_day * self.holding_cap_days <= 1:
            raise ValueError("holding_rate_per_day x holding_cap_days must lie between 0 and 1")
        if not 0 <= self.quota_reserve < self.quota_per_hour:
            raise ValueError(f"quota_reserve must be from 0 to below {self.quota_per_hour}, got {self.quota_reserve}")
        if self.days_between_changes < 1:
            raise ValueError(f"days_between_changes must be at least 1, got {self.days_between_changes}")

    def min_margin_of(self, facts: PriceFacts) -> Decimal:
        """What a price of this SKU must earn: the shop's share, or its own."""
        own = facts.own.min_margin_rate
        return self.min_margin_rate if own is None else own


@dataclass(frozen=True, kw_only=True)
class LivePrice:
    """What the marketplace shows for a SKU at this moment; None for what it does not show."""

    price: Decimal
    currency: str
    old_price: Decimal | None = None
    min_price: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class InPromotion:
    """A promotion of the marketplace that the SKU takes part in: what it sells at there, the most it may, and the last
    day of the promotion (None: it has no end)."""

    title: str
    action_price: Decimal | None
    max_action_price: Decimal | None
    ends_on: date | None
    is_frozen: bool


@dataclass(frozen=True, kw_only=True)
class SendContext:
    """Everything a guardrail looks at beside the price itself; filled when a price is proposed and again right before
    it is sent.

    `expected_old` is the price that the proposal was made against. `old_price` is what will be sent as the crossed-out
    price, 0 to reset it. `updates_last_hour` counts this SKU's price updates. `has_live_experiment` and
    `treated_others` (running experiments, live commands, approved proposals) do not count the proposal or command that
    is being judged; `skus_total` counts the shop's selling SKUs, this one included. `restores` is the price that
    stood before our own change of this SKU, when the command is meant to bring it back. `promotions` are those of the
    marketplace that have not ended and that this SKU takes part in.
    """

    facts: PriceFacts
    rules: PriceRules
    now: datetime
    live: LivePrice
    expected_old: Decimal
    old_price: Decimal
    updates_last_hour: int
    has_live_experiment: bool
    skus_total: int
    treated_others: int
    shop_stopped: bool
    all_stopped: bool
    restores: Decimal | None = None
    promotions: tuple[InPromotion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class UnitCosts:
    """What one sold unit costs: `goods` and `services` (delivery, returns, packaging) in money, `share_rate` of the
    price. `left_out` names terms that are unknown and therefore not in it; the required ones never are."""

    goods: Decimal
    services: Decimal
    share_rate: Decimal
    left_out: tuple[str, ...]

    def profit(self, price: Decimal) -> Decimal:
        """Money earned on one unit at `price`."""
        return price * (1 - self.share_rate) - self.goods - self.services

    def margin_rate(self, price: Decimal) -> Decimal:
        """Profit as a share of `price`, which must be above zero."""
        return self.profit(price) / price


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The price proposed and what it is expected to bring, in money per day at the present rate of sale.

    `difference` is the profit gained per day: expected, the ends of the 90 % range, and the worst case.
    `probability_better` is the chance that the new price earns more than the current one. `score_gain` is what the
    price was chosen by: `difference` and the cost of keeping stock that selling sooner saves (`holding_per_unit`).
    The prior of the elasticity is N(`prior_mean`, `prior_sd`), learned from `prior_experiments` experiments (0:
    elasticities typical of the trade). `left_out` names the unknown costs that are in none of these figures.
    """

    price: Decimal
    current_price: Decimal
    floor_price: Decimal
    units_now: Decimal
    units_then: Decimal
    revenue_now: Decimal
    revenue_then: Decimal
    profit_now: Decimal
    difference: Money
    probability_better: Decimal
    score_gain: Decimal
    holding_per_unit: Decimal
    prior_mean: Decimal
    prior_sd: Decimal
    prior_experiments: int
    left_out: tuple[str, ...]

    @property
    def profit_then(self) -> Decimal:
        return self.profit_now + self.difference.expected

    @property
    def direction(self) -> Direction:
        return Direction.UP if self.price > self.current_price else Direction.DOWN
