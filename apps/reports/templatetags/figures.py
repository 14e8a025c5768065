"""Figures and names in templates. How a figure is written says `apps.common.formats`; unknown is written as a dash."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from django import template
from django.utils.text import Truncator

from apps.common import clock, formats

register = template.Library()

UNKNOWN = "–"
LONGEST_NAME = 120
BREAKS = {"Cc", "Zl", "Zp"}
INVISIBLE = "Cf"
"""The Unicode category of the characters that turn the direction of writing, among others."""


def _alone(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: UNKNOWN if value is None else write(value)


def _beside(write: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    """Of a figure and what stands beside it: its currency, or a zone."""
    return lambda value, beside: UNKNOWN if value is None else write(value, beside)


for _write in (
    formats.percent,
    formats.change,
    formats.probability,
    formats.number,
    formats.whole,
    formats.day,
    formats.short_day,
    formats.weekday,
):
    register.filter(_write.__name__, _alone(_write))
for _write_beside in (formats.money, formats.gain, formats.moment):
    register.filter(_write_beside.__name__, _beside(_write_beside))


register.filter(clock.business_time.__name__, lambda real: real and clock.business_time(real))


@register.filter
def plain(name: object, longest: int = LONGEST_NAME) -> str:
    """A text from outside on one line, without characters that would disturb the text around it. What our own figures
    hold together in it (1 490 ₽) stays together."""
    kinds = ((sign, unicodedata.category(sign)) for sign in str(name))
    visible = "".join(" " if kind in BREAKS else sign for sign, kind in kinds if kind != INVISIBLE)
    return Truncator(" ".join(filter(None, visible.split(" ")))).chars(longest)
