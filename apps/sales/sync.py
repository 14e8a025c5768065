"""Orders out of OZON's postings, in windows of time.

The first sync reads `HISTORY_DAYS`. Every later one reads again whatever may still change: the last `REREAD_DAYS`, and
further back if a posting of then is still on its way. FBS can also be asked for what changed lately, however old.
Days that a person wants read again are read under names of their own: that they were read does not mean that everything
up to them was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Min

from apps.catalog.models import Warehouse
from apps.catalog.stock import Place, warehouse_ids
from apps.common.periods import Period, start_of
from apps.jobs.models import SyncRun
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, covered_until, doubt_unread, follow, latest_complete
from apps.marketplaces.ozon_seller.postings import Posting
from apps.marketplaces.paging import BadRow, Page
from apps.sales import orders
from apps.sales.models import Order, SalesHistory
from apps.sales.parcels import OPEN, Parcel, Unusable
from apps.sales.postings import Products, channel_of, is_known, parcel_of
from apps.sales.sources import marketplace_source

HISTORY_DAYS = 180
REREAD_DAYS = 30
WINDOW = timedelta(days=31)
PAGES_AT_ONCE = 10  # of 100 postings
LONGEST_PERIOD = timedelta(days=364)  # the API allows a year
# A posting may be created on the evening before the day on which it is processed and counts.
EARLIER = timedelta(days=1)

Fetch = Callable[[datetime, datetime, str], Iterator[Page[Posting]]]


@dataclass(frozen=True)
class Source:
    """Postings of one scheme; of the days `again` alone, when a person asked for them. `named` are the warehouses whose
    names were kept in this slice."""

    work: Work
    name: str
    scheme: str
    history: SalesHistory
    products: Products
    marketplace_id: int
    again: Period | None = None
    named: set[Place] = field(default_factory=set)

    @classmethod
    def of(cls, work: Work, name: str, scheme: str, again: Period | None = None) -> Source:
        first = work.today - timedelta(days=HISTORY_DAYS)
        history, _ = SalesHistory.objects.get_or_create(shop=work.shop, defaults={"sales_from": first})
        marketplace = marketplace_source(work.shop)
        name = f"{name}_again" if again else name
        return cls(work, name, scheme, history, Products.of(work.shop), marketplace.pk, again)

    @property
    def end(self) -> datetime:
        """Where the last window of this job ends."""
        if self.again is None:
            return self.work.as_of
        return min(self.again.bounds(self.work.shop.timezone)[1], self.work.as_of)


@dataclass(frozen=True)
class Window:
    """From `since` to `until`; `start` is where the first window of this job began."""

    since: datetime
    until: datetime
    start: datetime


def sync_fbo(work: Work, again: Period | None = None) -> bool:
    def fetch(since: datetime, until: datetime, cursor: str) -> Iterator[Page[Posting]]:
        return work.client.fbo_postings(since=since, to=until, finance=False, cursor=cursor)

    return _sync_windows(Source.of(work, "fbo_postings", Warehouse.Scheme.FBO, again), fetch)


def sync_fbs(work: Work, again: Period | None = None) -> bool:
    def fetch(since: datetime, until: datetime, cursor: str) -> Iterator[Page[Posting]]:
        return work.client.fbs_postings(since=since, to=until, finance=False, cursor=cursor)

    return _sync_windows(Source.of(work, "fbs_postings", Warehouse.Scheme.FBS, again), fetch)


def sync_fbs_changes(work: Work) -> bool:
    """FBS postings of the last year whose status has changed since the last sync: the end of reading postings."""
    source = Source.of(work, "fbs_changes", Warehouse.Scheme.FBS)
    last = latest_complete(work.shop, source.name)

    def fetch(cursor: str) -> Iterator[Batch[Posting]]:
        pages = work.client.fbs_postings(
            since=work.as_of - LONGEST_PERIOD,
            to=work.as_of,
            changed_since=(last.as_of if last else work.as_of) - EARLIER,
            changed_to=work.as_of,
            finance=False,
            cursor=cursor,
        )
        return Batch.joined(pages, most=PAGES_AT_ONCE)

    return follow(work, Reading(source.name, fetch, partial(_store, source), partial(_events_are_known, work)))


def _sync_windows(source: Source, fetch: Fetch) -> bool:
    while window := _next_window(source):
        reading = Reading(
            source.name,
            partial(_batches, fetch, window),
            partial(_store, source, window=window),
            since=window.since,
            until=window.until,
            steady=source.again is None,
        )
        if not follow(source.work, reading):
            return False
    return True


def _batches(fetch: Fetch, window: Window, cursor: str) -> Iterator[Batch[Posting]]:
    return Batch.joined(fetch(window.since, window.until, cursor), most=PAGES_AT_ONCE)


def _next_window(source: Source) -> Window | None:
    """The window that this job has under way, or the next one; None when it has come to its end."""
    work = source.work
    runs = SyncRun.objects.filter(job_run=work.job_run, source=source.name).exclude(state=SyncRun.State.INCOMPLETE)
    windows = [(run.since, run.until, run.state) for run in runs.order_by("id") if run.since and run.until]
    if not windows:
        start = since = _start(source)
    else:
        (start, _, _), (last_since, since, state) = windows[0], windows[-1]
        if state == SyncRun.State.RUNNING:
            return Window(last_since, since, start)
    return Window(since, min(since + WINDOW, source.end), start) if since < source.end else None


def _start(source: Source) -> datetime:
    """From when on postings must be read: what was asked for, or what was never read and what may have changed."""
    work = source.work
    if source.again:
        return start_of(source.again.first, work.shop.timezone) - EARLIER
    beginning = start_of(source.history.sales_from, work.shop.timezone) - EARLIER
    covered = covered_until(work.shop, source.name)
    if covered is None:
        return beginning
    on_their_way = Order.objects.filter(shop=work.shop, channel=channel_of(source.scheme), status=OPEN)
    oldest = on_their_way.aggregate(oldest=Min("placed_at"))["oldest"] or work.as_of
    return max(beginning, min(covered, oldest, work.as_of - timedelta(days=REREAD_DAYS)) - EARLIER)


def _store(source: Source, postings: Sequence[Posting], *, window: Window | None = None) -> Stored:
    work = source.work
    parcels, bad_rows = _parcels(source, postings)
    _name_warehouses(source, postings)
    written = orders.store(work.shop, parcels, last_day=work.last_day)
    if window is None:
        return Stored(written, bad_rows)
    reached = parcels[-1].placed_at if parcels else window.since
    done, total = (reached - window.start).days, (source.end - window.start).days
    return Stored(written, bad_rows, done=min(max(done, 0), total), total=total)


def _parcels(source: Source, postings: Sequence[Posting]) -> tuple[list[Parcel], list[BadRow]]:
    """Postings of the days whose sales are known; the day before them comes with the first window in part only."""
    parcels: dict[str, Parcel] = {}
    bad_rows: list[BadRow] = []
    unusable = 0
    for index, posting in enumerate(postings):
        try:
            parcel = parcel_of(
                posting,
                shop=source.work.shop,
                scheme=source.scheme,
                products=source.products,
                source_id=source.marketplace_id,
            )
        except Unusable as error:
            bad_rows.append(BadRow(index, posting.posting_number, str(error)))
            unusable += 1
            continue
        if not is_known(posting.status):
            reason = f"status: {posting.status[:60]!r} is not known, counted as on its way"
            bad_rows.append(BadRow(index, posting.posting_number, reason))
        if parcel.external_id in parcels:
            bad_rows.append(BadRow(index, posting.posting_number, "it came twice, the last one counts"))
        if parcel.placed_on >= source.history.sales_from:
            parcels[parcel.external_id] = parcel
    doubt_unread(unusable, of=len(postings))
    return list(parcels.values()), bad_rows


def _name_warehouses(source: Source, postings: Sequence[Posting]) -> None:
    """Only postings tell what OZON's warehouses are called."""
    if source.scheme != Warehouse.Scheme.FBO:
        return
    sent_from = (posting.analytics_data for posting in postings if posting.analytics_data)
    names = {
        Place(source.scheme, str(place.warehouse_id)): place.warehouse_name for place in sent_from if place.warehouse_id
    }
    new = {place: name for place, name in names.items() if name and place not in source.named}
    if new:
        warehouse_ids(source.work.shop.pk, new)
        source.named.update(new)


def _events_are_known(work: Work) -> None:
    """From the first day on which everything was read, a change of status is seen when it happens."""
    SalesHistory.objects.filter(shop=work.shop, events_from=None).update(events_from=work.today)
