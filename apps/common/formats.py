"""Money, shares, counts, days and moments as people write them, in the active language. The one place that does it.

A number and its unit are kept together by a no-break space. Rates are fractions: 0.22 is written as 22 %.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from django.utils.translation import get_language

Number = Decimal | float | int

SPACE = "\N{NO-BREAK SPACE}"
CENT = Decimal("0.01")
SUREST = Decimal("0.99")
"""A probability that would round to 100 % is written as 99 %: nothing here is certain."""


def language() -> Locale:
    return Locale.parse(get_language() or "en", sep="-")


def money(amount: Number, currency: str) -> str:
    """1 090 ₽; hundredths only where there are any."""
    value = _exact(amount).quantize(CENT)
    return _amount(value, currency, _money_pattern(value))


def gain(amount: Number, currency: str) -> str:
    """An expected sum with its sign: +310 ₽. Nobody expects the hundredths of a hundred."""
    value = _exact(amount)
    shown = value.quantize(Decimal(1) if abs(value) >= 100 else CENT)
    pattern = _money_pattern(shown)
    return _amount(shown, currency, f"+{pattern};-{pattern}")


def percent(rate: Number) -> str:
    """71.3 %, without a decimal where it is zero."""
    return _percent(_exact(rate), "0.#")


def change(rate: Number) -> str:
    """A relative change with its sign, from ten percent up in whole percent: +12 %, -4.2 %."""
    value = round(_exact(rate), 3)
    digits = "0.#" if abs(value) < Decimal("0.1") else "#,##0"
    return _percent(value, digits, sign="+" if value > 0 else "")


def probability(rate: Number) -> str:
    """In whole percent, never 0 or 100."""
    return _percent(min(max(_exact(rate), 1 - SUREST), SUREST), "0")


def number(value: Number, *, decimals: int = 1) -> str:
    """1 240 or 7.1: at most so many decimals."""
    return format_decimal(_exact(value), f"#,##0.{'#' * decimals}", locale=language())


def whole(value: Number) -> str:
    return format_decimal(_exact(value), "#,##0", locale=language())


def day(on: date) -> str:
    """With its year: May 4, 2026."""
    return format_date(on, locale=language())


def days(first: date, last: date) -> str:
    """May 4 – 20, 2026; of one day just that day."""
    return day(first) if first == last else format_interval(first, last, "yMMMd", locale=language())


def short_day(on: date) -> str:
    """Without its year: May 4."""
    return format_skeleton("MMMMd", on, locale=language())


def weekday(on: date) -> str:
    """Monday, May 4."""
    return f"{format_date(on, 'EEEE', locale=language())}, {short_day(on)}"


def moment(at: datetime, zone: str) -> str:
    """Day and minute on the wall in `zone`: May 4, 10:42."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{short_day(local.date())}, {local:%H:%M}"


def duration(time: timedelta, *, least: Literal["second", "minute"] = "minute") -> str:
    """In its largest unit, from `least` up: 40 min, 2 hr."""
    return format_timedelta(time, granularity=least, threshold=2, format="short", locale=language())


def _exact(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _money_pattern(value: Decimal) -> str:
    return f"#,##0{SPACE}¤" if value == value.to_integral_value() else f"#,##0.00{SPACE}¤"


def _amount(value: Decimal, currency: str, pattern: str) -> str:
    return format_currency(value, currency, pattern, locale=language(), currency_digits=False)


def _percent(value: Decimal, digits: str, *, sign: str = "") -> str:
    """Percent the language's own way, with these digits."""
    spoken = language()
    pattern = sign + str(spoken.percent_formats[None].pattern).replace("#,##0", digits)
    return format_percent(value, pattern, locale=spoken)
