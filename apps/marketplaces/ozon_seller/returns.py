"""Rows of /v1/returns/list, FBO and FBS: what came back, and when; nothing about the buyer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from apps.marketplaces.fields import ApiRow, Count, Id, MaybeMoment, Name, Text
from apps.marketplaces.paging import Page, parse_rows

PATH = "/v1/returns/list"
LIMIT = 500


class ReturnedProduct(ApiRow):
    sku: Id
    offer_id: Text = ""
    quantity: Annotated[Count, Field(ge=1)]


class ReturnLogistic(ApiRow):
    """`return_date` is when the customer gave the product back; None: not yet."""

    return_date: MaybeMoment = None


class Return(ApiRow):
    """`kind` says at which stage it came back: Cancellation, FullReturn, PartialReturn, ClientReturn or Unknown."""

    return_id: Id = Field(alias="id")
    kind: Text = Field("", alias="type")
    posting_number: Name
    product: ReturnedProduct
    logistic: ReturnLogistic | None = None


def page(raw_rows: Sequence[Any], *, has_next: object) -> Page[Return]:
    """The list goes on after its last row: there is no cursor beside it."""
    rows, bad_rows = parse_rows(Return, raw_rows, ids=("id",))
    cursor = str(rows[-1].return_id) if rows else ""
    return Page(rows, bad_rows, cursor, last=not raw_rows or has_next is not True)
