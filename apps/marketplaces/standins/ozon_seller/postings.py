"""Postings of the imitated Seller API: the FBO v3 and FBS v4 lists.

Both are ordered and filtered by `in_process_at` (`since` and `to` inclusive), which is what OZON's own cursors hold.
How cancellations and returns show is said in `apps.marketplaces.standins.postings`.
"""

from typing import Any

import numpy as np

from apps.marketplaces.standins.catalog import FBS_WAREHOUSE
from apps.marketplaces.standins.demand import Ints
from apps.marketplaces.standins.ozon_seller.ask import Ask, ids_of, moment_of, numbers_of, one_of
from apps.marketplaces.standins.ozon_seller.gate import invalid
from apps.marketplaces.standins.ozon_seller.posting_rows import STATUSES, fbo_rows, fbs_rows, order_of, posting_number
from apps.marketplaces.standins.postings import changed_on, status_codes
from apps.marketplaces.standins.world import World

MOST_ROWS = 100
YEAR = 366 * 86_400 * 1_000_000  # microseconds
OTHER_FBS_STATUSES = (
    *("awaiting_registration", "acceptance_in_progress", "awaiting_approve", "awaiting_verification", "arbitration"),
    *("client_arbitration", "driver_pickup", "not_accepted", "sent_by_seller", "cancelled_from_split_pending"),
)
FBO_FILTER = ("since", "to", "statuses", "posting_numbers", "order_numbers")
FBS_FILTER = (
    *("since", "to", "statuses", "order_id", "order_numbers", "warehouse_ids", "delivery_method_ids", "provider_ids"),
    *("last_changed_status_date", "is_blr_traceable", "integration_type_flow"),
)
WITH = ("analytics_data", "barcodes", "financial_data", "legal_info", "translit")


def fbo_postings(ask: Ask) -> dict[str, Any]:
    """POST /v3/posting/fbo/list"""
    wanted = _checked(ask, FBO_FILTER)
    named = bool(wanted.get("posting_numbers") or wanted.get("order_numbers"))
    chosen = _in_period(ask, wanted, fbs=False, required=not named)
    chosen = _with_statuses(ask.world, chosen, wanted, STATUSES)
    chosen = _with_numbers(ask.world, chosen, wanted)
    return _answer(ask, chosen, fbs=False)


def fbs_postings(ask: Ask) -> dict[str, Any]:
    """POST /v4/posting/fbs/list"""
    wanted = _checked(ask, FBS_FILTER)
    chosen = _in_period(ask, wanted, fbs=True, required=True)
    chosen = _with_statuses(ask.world, chosen, wanted, (*STATUSES, *OTHER_FBS_STATUSES))
    chosen = _with_numbers(ask.world, chosen, wanted)
    chosen = _changed_in(ask, chosen, wanted)
    elsewhere = [numbers_of(wanted.get(name), name) for name in ("warehouse_ids", "delivery_method_ids")]
    if any(ids and FBS_WAREHOUSE.warehouse_id not in ids for ids in elsewhere):
        chosen = chosen[:0]
    return _answer(ask, chosen, fbs=True)


def _checked(ask: Ask, names: tuple[str, ...]) -> dict[str, Any]:
    ask.only("cursor", "filter", "limit", "sort_dir", "translit", "with")
    ask.object("with", *WITH)
    one_of(str(ask.fields.get("sort_dir") or "ASC").upper(), "sort_dir", ("ASC", "DESC"))
    return ask.object("filter", *names, required=True)


def _answer(ask: Ask, chosen: Ints, *, fbs: bool) -> dict[str, Any]:
    if str(ask.fields.get("sort_dir") or "ASC").upper() == "DESC":
        chosen = chosen[::-1]
    page = ask.page(len(chosen), most=MOST_ROWS)
    rows = (fbs_rows if fbs else fbo_rows)(ask.world, chosen[page.start : page.stop], ask.fields.get("with") or {})
    return {"postings": rows, "cursor": page.cursor, "has_next": page.has_next}


def _in_period(ask: Ask, wanted: dict[str, Any], *, fbs: bool, required: bool) -> Ints:
    """Places in the book of the postings of one scheme whose processing began in the period."""
    postings = ask.world.book.postings
    start, stop = 0, len(postings)
    if required or wanted.get("since") or wanted.get("to"):
        since, to = (moment_of(wanted.get(name), f"filter.{name}") for name in ("since", "to"))
        if to < since:
            raise invalid("filter.to must not be earlier than filter.since")
        if to - since > YEAR:
            raise invalid("PERIOD_IS_TOO_LONG")
        start = int(np.searchsorted(postings["at"], since, side="left"))
        stop = int(np.searchsorted(postings["at"], to, side="right"))
    return start + np.flatnonzero(postings["fbs"][start:stop] == fbs)


def _with_statuses(world: World, chosen: Ints, wanted: dict[str, Any], accepted: tuple[str, ...]) -> Ints:
    names = [one_of(name, "filter.statuses", accepted) for name in wanted.get("statuses") or ()]
    if not names:
        return chosen
    codes = [STATUSES.index(name) for name in names if name in STATUSES]
    return chosen[np.isin(status_codes(world.book.postings[chosen], world.day), codes)]


def _with_numbers(world: World, chosen: Ints, wanted: dict[str, Any]) -> Ints:
    for name in ("order_numbers", "posting_numbers"):
        numbers = set(ids_of(wanted.get(name), f"filter.{name}"))
        if numbers:
            orders = [order_of(world, number) for number in numbers]
            chosen = chosen[np.isin(world.book.postings["order"][chosen], orders)]
            texts = [posting_number(world, world.book.postings[place]) for place in chosen]
            own = [text if name == "posting_numbers" else text.rpartition("-")[0] for text in texts]
            chosen = chosen[[text in numbers for text in own]] if own else chosen
    return chosen


def _changed_in(ask: Ask, chosen: Ints, wanted: dict[str, Any]) -> Ints:
    """Postings whose status changed last within a period. OZON's clock of a change is noon of its day here."""
    period = wanted.get("last_changed_status_date")
    if not period:
        return chosen
    edges = [moment_of(period.get(name), f"filter.last_changed_status_date.{name}") for name in ("from", "to")]
    moments = ask.world.book.noons(changed_on(ask.world.book.postings[chosen], ask.world.day))
    return chosen[(moments >= edges[0]) & (moments <= edges[1])]
