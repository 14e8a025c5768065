"""Reasons, warnings, and what the guardrails found, in words, in the active language.

A template says where a figure stands, the end of the figure's name how it is written: ..._price and ..._money as money,
..._gain as money with its sign, ..._rate as percent, ..._days as a whole number, ..._on as a date; `term` and `terms`
name costs. Figures may come as they were made or as JSON gave them back (numbers as strings).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.common import formats

TERMS: dict[str, str | Promise] = {
    "cost": _("unit cost"),
    "commission_rate": _("commission"),
    "logistics": _("logistics"),
    "acquiring_rate": _("acquiring"),
    "extra_per_unit": _("packaging and storage"),
    "return_rate": _("share of returns"),
    "return_logistics": _("logistics of returns"),
    "return_loss_rate": _("losses on returns"),
    "ad_rate": _("advertising"),
    "tax_rate": _("tax"),
}

REASONS: dict[str, str | Promise] = {
    "profit_typical": _(
        "Expected profit %(profit_gain)s a day (90%%: %(low_gain)s to %(high_gain)s); better with a probability of "
        "%(probability_rate)s, by price elasticities typical of the trade."
    ),
    "profit_learned": _(
        "Expected profit %(profit_gain)s a day (90%%: %(low_gain)s to %(high_gain)s); better with a probability of "
        "%(probability_rate)s, by this shop's own experiments (%(experiments)s)."
    ),
    "holding_saved": _("A unit sold sooner saves %(holding_price)s of keeping it."),
    "stock_long": _("Long stock: %(stock)s pcs last %(cover_days)s days."),
    "stock_short": _("Short stock: %(stock)s pcs last %(cover_days)s days and nothing is on the way."),
    "stock_short_unknown": _("Short stock: %(stock)s pcs last %(cover_days)s days; what is on the way is not known."),
    "stock_short_inbound": _("Short stock: %(stock)s pcs last %(cover_days)s days; %(inbound)s pcs are on the way."),
    "trend_up": _(
        "Sales grow: %(units)s pcs in the last 7 days (%(stock_days)s in stock), %(units_before)s in the 7 before "
        "(%(stock_days_before)s in stock)."
    ),
    "trend_down": _(
        "Sales fall: %(units)s pcs in the last 7 days (%(stock_days)s in stock), %(units_before)s in the 7 before "
        "(%(stock_days_before)s in stock)."
    ),
    "no_sales": _("Nothing sold for %(quiet_days)s days with %(stock)s pcs in stock."),
    "margin_below_min": _("Margin %(margin_rate)s is below the minimum of %(min_margin_rate)s."),
    "near_floor": _("The price %(price)s is close to the floor of %(floor_price)s."),
    "own_maximum_held": _("The highest price set for this product, %(highest_price)s, lets it go no further up."),
    "own_minimum_held": _("The lowest price set for this product, %(lowest_price)s, lets it go no further down."),
    "change_succeeded": _("The last change (%(changed_on)s, %(old_price)s to %(new_price)s) earned more."),
    "change_failed": _("The last change (%(changed_on)s, %(old_price)s to %(new_price)s) earned less."),
    "change_unclear": _("The last change (%(changed_on)s, %(old_price)s to %(new_price)s) had no clear effect."),
    "change_unmeasured": _("Last change: %(changed_on)s, %(old_price)s to %(new_price)s; its effect was not measured."),
    "profit_against_stock": _(
        "The stock speaks for the opposite; the expected profit (%(profit_gain)s a day) decides."
    ),
    "profit_against_trend": _("The sales speak for the opposite; the expected profit (%(profit_gain)s a day) decides."),
    "profit_against_history": _(
        "The last change speaks for the opposite; the expected profit (%(profit_gain)s a day) decides."
    ),
    "costs_left_out": _("Not known and not counted: %(terms)s."),
}

VIOLATIONS: dict[str, str | Promise] = {
    "all_stopped": _("Everything is stopped by the general switch."),
    "shop_stopped": _("Changes of this shop are stopped by its switch."),
    "repricing_off": _("The settings of %(sku)s say that its price is not to be changed."),
    "price_not_positive": _("A price must be above zero, not %(price)s."),
    "price_unknown": _("The current price is not known."),
    "currency_mismatch": _("The shop counts in %(ours)s, the marketplace answers in %(theirs)s."),
    "unit_mismatch": _("%(price)s after %(last_price)s looks like a mistake of the unit (ten times more or less)."),
    "stale_data": _("The data are %(age_hours)s h old; %(limit_hours)s h are allowed."),
    "price_moved": _("The price at the marketplace is now %(live_price)s, not %(expected_price)s."),
    "stock_gone": _("%(sku)s has run out since."),
    "stock_lost": _("Its stock is not known any more; it was %(stock)s pcs."),
    "cover_moved": _("The stock now lasts %(cover_days)s days, not %(before_days)s."),
    "costs_moved": _(
        "Costs or fees have moved: the floor is %(floor_price)s, not %(old_floor_price)s; a unit at the new price "
        "earns %(unit_gain)s, not %(old_unit_gain)s."
    ),
    "unknown_terms": _("Not known: %(terms)s. Without it no floor can be computed."),
    "impossible_term": _("%(term)s has an impossible value: %(value)s."),
    "no_share_kept": _(
        "Commission, other shares and the minimum margin leave %(kept_rate)s of the price; more than %(needed_rate)s "
        "is needed to compute a floor."
    ),
    "below_floor": _("%(price)s is below the floor of %(floor_price)s."),
    "below_own_floor": _(
        "%(price)s is below the floor of %(floor_price)s, which this product's own minimum margin of "
        "%(min_margin_rate)s calls for."
    ),
    "below_own_minimum": _("%(price)s is below the lowest price set for this product, %(lowest_price)s."),
    "above_own_maximum": _("%(price)s is above the highest price set for this product, %(highest_price)s."),
    "below_min_price": _("%(price)s is below the minimum price set at the marketplace, %(min_price)s."),
    "promotion_frozen": _(
        "The product takes part in the promotion “%(promotion)s”, which is frozen: until it ends, the marketplace "
        "accepts no price above %(live_price)s."
    ),
    "step_too_large": _("%(price)s is too large a step: %(low_price)s to %(high_price)s is allowed at once."),
    "out_of_bounds": _("%(price)s is outside the bounds around the base price, %(low_price)s to %(high_price)s."),
    "off_grid": _("%(price)s is not a price for the shelf; the nearest is %(nearest_price)s."),
    "old_price_not_above": _("The crossed-out price %(old_price)s must be above the price %(price)s."),
    "old_price_gap_too_small": _(
        "The crossed-out price is %(gap_money)s above the price; the marketplace wants more than %(needed_money)s."
    ),
    "discount_too_big": _("From %(old_price)s to %(price)s is a discount of %(limit_rate)s or more: not accepted."),
    "quota_used": _("The price was sent %(updates)s times in the last hour; %(allowed)s are allowed."),
    "experiment_running": _("An experiment on %(sku)s is running."),
    "too_few_controls": _(
        "Only %(left)s of %(total)s products would stay untouched; %(needed)s are needed to compare with."
    ),
    "too_few_days": _("Too little is known of its sales: %(observed_days)s days seen, %(min_days)s needed."),
    "out_of_stock": _("%(sku)s is out of stock."),
    "not_due": _("One look at a price in %(spacing_days)s days; its turn has not come."),
    "no_room": _(
        "Floor (%(floor_price)s), minimum price, step, bounds and the product's own settings leave no price between "
        "%(low_price)s and %(high_price)s."
    ),
    "gain_too_small": _("No allowed price is expected to gain %(min_gain_rate)s of the profit."),
}

PASSED: dict[str, str | Promise] = {
    "not_stopped": _("No kill switch is on."),
    "repricing_on": _("The settings of the product allow a new price."),
    "above_zero": _("%(price)s is above zero."),
    "same_currency": _("The shop and the marketplace both count in %(currency)s."),
    "same_unit": _("%(price)s after %(last_price)s: no mistake of the unit (ten times more or less)."),
    "fresh_data": VIOLATIONS["stale_data"],
    "unmoved": _("The price at the marketplace is %(live_price)s, as expected."),
    "at_least_the_floor": _("%(price)s is not below the floor of %(floor_price)s."),
    "at_least_the_minimum": _("%(price)s is not below the minimum price set at the marketplace, %(min_price)s."),
    "at_least_own_floor": _(
        "%(price)s is not below the floor of %(floor_price)s, which this product's own minimum margin of "
        "%(min_margin_rate)s calls for."
    ),
    "at_least_own_minimum": _("%(price)s is not below the lowest price set for this product, %(lowest_price)s."),
    "no_own_minimum": _("No lowest price is set for this product."),
    "at_most_own_maximum": _("%(price)s is not above the highest price set for this product, %(highest_price)s."),
    "no_own_maximum": _("No highest price is set for this product."),
    "no_minimum": _("No minimum price is set at the marketplace."),
    "within_step": _("%(price)s is within one step: %(low_price)s to %(high_price)s is allowed at once."),
    "within_bounds": _("%(price)s is within the bounds around the base price, %(low_price)s to %(high_price)s."),
    "on_grid": _("%(price)s is a price for the shelf."),
    "old_price_accepted": _("The crossed-out price %(old_price)s is far enough above %(price)s."),
    "no_old_price": _("No crossed-out price is sent."),
    "quota_left": VIOLATIONS["quota_used"],
    "one_experiment": _("No experiment on %(sku)s is running."),
    "enough_controls": _("%(left)s of %(total)s products stay untouched; %(needed)s are needed to compare with."),
    "not_frozen": _("No promotion that forbids a higher price holds the product."),
    "restores": _(
        "It brings back the price that stood before our own change: step, bounds, shelf prices, experiments and "
        "untouched products do not limit it."
    ),
}

WARNINGS: dict[str, str | Promise] = {
    "promotion_left": _("Above %(max_price)s the product drops out of the promotion “%(promotion)s”."),
    "promotion_undercut": _(
        "The price goes below the %(action_price)s of the promotion “%(promotion)s”, which then gives no discount."
    ),
    "promotion_holds": _(
        "The product takes part in the promotion “%(promotion)s”: buyers pay %(action_price)s, whatever the price."
    ),
    "promotion_holds_until": _(
        "The product takes part in the promotion “%(promotion)s” until %(ends_on)s: buyers pay %(action_price)s, "
        "whatever the price."
    ),
    "promotion_price_unknown": _(
        "The product takes part in the promotion “%(promotion)s”; what buyers pay there is not known."
    ),
    "minimum_renewed": _(
        "With it the minimum price %(min_price)s, in force until %(ends_on)s, is renewed for 30 days."
    ),
}

TEMPLATES = REASONS | VIOLATIONS | PASSED | WARNINGS


def say(code: str, figures: Mapping[str, object], *, currency: str) -> str:
    """A reason, a warning or a finding of a guardrail in words, money in `currency`. KeyError for an unknown code."""
    written = {name: _written(name, figure, currency) for name, figure in figures.items()}
    sentence = str(TEMPLATES[code]) % written
    if code.startswith("change_") and "profit_gain" in written:
        sentence += " " + str(_("%(profit_gain)s a day.")) % written
    return sentence


def _written(name: str, figure: object, currency: str) -> str:
    write = WRITERS.get(name) or WRITERS.get(name.rpartition("_")[2], _plain)
    return write(figure, currency)


def _money(figure: object, currency: str) -> str:
    return formats.money(_number(figure), currency)


def _gain(figure: object, currency: str) -> str:
    return formats.gain(_number(figure), currency)


def _rate(figure: object, currency: str) -> str:
    return formats.percent(_number(figure))


def _probability(figure: object, currency: str) -> str:
    return formats.probability(_number(figure))


def _day(figure: object, currency: str) -> str:
    return formats.day(date.fromisoformat(str(figure)))


def _days(figure: object, currency: str) -> str:
    return formats.whole(_number(figure))


def _terms(figure: object, currency: str) -> str:
    return ", ".join(str(TERMS[term]) for term in str(figure).split(", "))


def _plain(figure: object, currency: str) -> str:
    return formats.number(figure, decimals=3) if isinstance(figure, int | Decimal) else str(figure)


WRITERS: dict[str, Callable[[object, str], str]] = {
    "price": _money,
    "money": _money,
    "gain": _gain,
    "rate": _rate,
    "probability_rate": _probability,
    "days": _days,
    "on": _day,
    "term": _terms,
    "terms": _terms,
}
"""How a figure is written, by its name or by the end of it."""


def _number(figure: object) -> Decimal:
    return Decimal(str(figure))
