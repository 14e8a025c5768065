"""Rows of /v1/analytics/data, with the names of their dimensions and metrics put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Self

from pydantic import ValidationInfo, model_validator

from apps.marketplaces.fields import ApiRow, Money, Text
from apps.marketplaces.paging import Page, parse_rows

PATH = "/v1/analytics/data"
LIMIT = 1000


@dataclass(frozen=True)
class AnalyticsFact:
    """{"sku": "1904686181", "day": "2026-09-30"} and {"ordered_units": Decimal(3)}."""

    keys: Mapping[str, str]
    values: Mapping[str, Decimal]


class _Dimension(ApiRow):
    id: Text


class _Asked(NamedTuple):
    metrics: int
    dimensions: int


class _Row(ApiRow):
    dimensions: tuple[_Dimension, ...]
    metrics: tuple[Money, ...]

    @model_validator(mode="after")
    def _as_asked(self, info: ValidationInfo) -> Self:
        if info.context != (len(self.metrics), len(self.dimensions)):
            raise ValueError("expected as many metrics and dimensions as were asked for")
        return self


def page(
    raw_rows: Sequence[Any], *, offset: int, metrics: Sequence[str], dimensions: Sequence[str]
) -> Page[AnalyticsFact]:
    """The page at `offset`. A row with more or fewer figures than were asked for is bad: they would change places."""
    rows, bad_rows = parse_rows(_Row, raw_rows, ids=(), context=_Asked(len(metrics), len(dimensions)))
    facts = tuple(
        AnalyticsFact(
            keys=dict(zip(dimensions, (one.id for one in row.dimensions), strict=True)),
            values=dict(zip(metrics, row.metrics, strict=True)),
        )
        for row in rows
    )
    return Page(facts, bad_rows, str(offset + len(raw_rows)), last=len(raw_rows) < LIMIT)
