"""Reading a shop's data in short slices: the ledger, and what it takes for a run to be complete.

A list is read page by page; rows, the cursor behind them and the counts are committed together, a page or a few at a
time, and no transaction is open while a call is under way. A run that was cut off, by a crash or by a marketplace that
did not answer, goes on from its cursor when its job is tried again. It is complete when the end of the list was seen,
as many rows came as were announced, and not far fewer than the last time. Otherwise it is incomplete, says why, and
nothing that needs the whole list happens.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from typing_extensions import TypeVar

from apps.common.clock import real_now
from apps.common.periods import day_of
from apps.jobs.ledger import renew
from apps.jobs.models import JobRun, SyncRun
from apps.marketplaces.errors import ApiError, RepeatedCursor
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.paging import MOST_PAGES, BadRow, Page
from apps.shops.models import Shop

Row = TypeVar("Row")
Client = TypeVar("Client", default=OzonSeller)

MOST_BAD_ROWS = 50
LEAST_SHARE = 0.7  # of what the last complete run makes us expect
ENOUGH_TO_JUDGE = 20  # below it only nothing at all is doubted
MOST_UNREAD_SHARE, FEW_UNREAD = 0.5, 2


class SyncIncomplete(Exception):
    """A list was not read to its end, or not all of it came. What was stored stays; nothing is concluded from it."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


class Doubtful(Exception):
    """An answer that cannot be the whole truth; the text says why."""


@dataclass(frozen=True)
class Work(Generic[Client]):
    """A stretch of a shop's sync: as of which business moment, with which client, until when (`time.monotonic`)."""

    job_run: JobRun
    shop: Shop
    client: Client
    as_of: datetime
    deadline: float

    @property
    def today(self) -> date:
        return day_of(self.as_of, self.shop.timezone)

    @property
    def last_day(self) -> date:
        """The last day that has ended."""
        return self.today - timedelta(days=1)

    @property
    def in_time(self) -> bool:
        return time.monotonic() < self.deadline


@dataclass(frozen=True)
class Batch(Generic[Row]):
    """Rows that are stored together. `received` counts them, bad ones included; see `Page` for the rest."""

    rows: Sequence[Row]
    bad_rows: Sequence[BadRow]
    received: int
    cursor: str
    last: bool
    announced: int | None

    @classmethod
    def of(cls, page: Page[Row]) -> Batch[Row]:
        return cls(page.rows, page.bad_rows, page.received, page.cursor, page.last, page.announced)

    @classmethod
    def joined(cls, pages: Iterable[Page[Row]], *, most: int, seconds: float = math.inf) -> Iterator[Batch[Row]]:
        """Up to `most` pages together, or as many as come in so many seconds: a short page is not worth a transaction
        of its own, and where pages are slow to come, people still see how far it got."""
        rows: list[Row] = []
        bad_rows: list[BadRow] = []
        count, began = 0, time.monotonic()
        for page in pages:
            rows += page.rows
            bad_rows += page.bad_rows
            count += 1
            if page.last or count == most or time.monotonic() - began >= seconds:
                yield cls(rows, bad_rows, len(rows) + len(bad_rows), page.cursor, page.last, page.announced)
                rows, bad_rows, count, began = [], [], 0, time.monotonic()


@dataclass(frozen=True)
class Stored:
    """What became of a batch. `done` and `total` are for the progress bar, where the list announces no length."""

    written: int
    bad_rows: Sequence[BadRow] = ()
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Reading(Generic[Row]):
    """How a source is read: `fetch` goes on from a cursor, `store` keeps a batch, `at_end` acts on the whole list.

    `store` and `at_end` run inside the transaction that moves the cursor. A `steady` list has about as many rows as the
    last time; one that suddenly has far fewer is doubted.
    """

    source: str
    fetch: Callable[[str], Iterator[Batch[Row]]]
    store: Callable[[Sequence[Row]], Stored]
    at_end: Callable[[], None] | None = None
    since: datetime | None = None
    until: datetime | None = None
    steady: bool = False


def follow_chain(
    run: JobRun,
    *,
    client: Client,
    as_of: datetime,
    deadline: float,
    sources: Sequence[Callable[[Work[Client]], bool]],
) -> bool:
    """Read `sources` of the run's shop, in their order, until all is read (True) or `deadline`, by `time.monotonic`,
    has come (False).

    Call it again with the same run and `as_of` to go on. At least one page is read each time. Raises `SyncIncomplete`
    when a list could not be read to its end, `LeaseLost` when another worker has taken the run over.
    """
    if run.shop is None:
        raise ValueError(f"{run} is not the run of a shop")
    work = Work(job_run=run, shop=run.shop, client=client, as_of=as_of, deadline=deadline)
    return all(sync(work) for sync in sources)


def follow(work: Work[Any], reading: Reading[Row]) -> bool:
    """Read on until the list ends (True) or the deadline comes (False). Raises `SyncIncomplete`.

    A list that this job has read to its end is not read again. `LeaseLost` when the job is another worker's by now.
    """
    run = _run_of(work, reading)
    if run.state == SyncRun.State.COMPLETE:
        return True
    try:
        return _read_on(work, run, reading)
    except (ApiError, Doubtful) as error:
        _give_up(run, error)
        raise SyncIncomplete(reading.source, str(error)) from error


def follow_daily(work: Work[Any], reading: Reading[Row]) -> bool:
    """The same of a list for which one reading a day is enough: the first sync of a day reads it."""
    last = latest_complete(work.shop, reading.source)
    if last is not None and day_of(last.as_of, work.shop.timezone) >= work.today:
        return True
    return follow(work, reading)


def whole(pages: Iterable[Page[Row]]) -> tuple[list[Row], list[BadRow]]:
    """A list that is stored at once or not at all, read to its end: its rows, and those that could not be read.

    Raises `Doubtful` when fewer or more came than were announced.
    """
    rows: list[Row] = []
    bad_rows: list[BadRow] = []
    announced = None
    for page in pages:
        rows += page.rows
        bad_rows += page.bad_rows
        announced = _announced(announced, page.announced)
    doubt_unread(len(bad_rows), of=len(rows) + len(bad_rows))
    if announced is not None and len(rows) + len(bad_rows) != announced:
        raise Doubtful(f"{len(rows) + len(bad_rows)} rows came of {announced} that were announced")
    return rows, bad_rows


def latest_complete(shop: Shop, source: str) -> SyncRun | None:
    """The last run that read `source` up to its business moment; windows of the past before it do not count."""
    return _up_to_its_moment(source).filter(shop=shop).first()


def latest_moments(shops: QuerySet[Shop], source: str) -> dict[int, datetime | None]:
    """The business moment of the last such run of every shop, by the shop's id, in one query; None without a run."""
    moment = _up_to_its_moment(source).filter(shop=OuterRef("pk")).values("as_of")[:1]
    return dict(shops.order_by().values_list("pk", Subquery(moment)))


def covered_until(shop: Shop, source: str) -> datetime | None:
    """Up to when a source that is read in windows has been read without a gap."""
    last = _complete(source).filter(shop=shop).order_by("-until").first()
    return last.until if last else None


def doubt_unread(unread: int, *, of: int, what: str = "rows") -> None:
    """Raise `Doubtful` when most rows cannot be read: then it is not they that are wrong, but what we take them for.

    One or two say nothing: they may be all that there is.
    """
    if unread > max(FEW_UNREAD, MOST_UNREAD_SHARE * of):
        raise Doubtful(f"{unread} of {of} {what} could not be read")


def unread_ids(job_run: JobRun, sources: Sequence[str]) -> set[str] | None:
    """Ids of the rows of this job that could not be read; None when not all of them are known."""
    runs = SyncRun.objects.filter(job_run=job_run, source__in=sources)
    ids = [bad["id"] for run in runs for bad in run.bad_rows]
    return None if None in ids or sum(run.bad_count for run in runs) > len(ids) else set(ids)


def _complete(source: str) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(source=source, state=SyncRun.State.COMPLETE)


def _up_to_its_moment(source: str) -> QuerySet[SyncRun]:
    """The newest first."""
    return _complete(source).filter(Q(until=None) | Q(until=F("as_of"))).order_by("-id")


def _read_on(work: Work[Any], run: SyncRun, reading: Reading[Row]) -> bool:
    for batch in reading.fetch(run.cursor):
        _doubt(run, batch, steady=reading.steady)
        _keep(work, run, batch, reading)
        if batch.last or not work.in_time:
            return batch.last
    raise Doubtful("the list ended without its end marker")


def _run_of(work: Work[Any], reading: Reading[Row]) -> SyncRun:
    """The run of this job that is under way or complete, one to go on with, or a new one; what earlier jobs left open
    is closed."""
    runs = SyncRun.objects.filter(job_run=work.job_run, source=reading.source)
    run = runs.filter(since=reading.since, until=reading.until).order_by("-id").first()
    if run is not None and run.state != SyncRun.State.INCOMPLETE:
        return run
    if run is not None and run.cursor:
        return _reopened(run)
    with transaction.atomic():
        left_open = SyncRun.objects.filter(shop=work.shop, source=reading.source, state=SyncRun.State.RUNNING)
        left_open.update(state=SyncRun.State.INCOMPLETE, error="abandoned", finished_at=real_now())
        return SyncRun.objects.create(
            shop=work.shop,
            job_run=work.job_run,
            source=SyncRun.Source(reading.source),
            since=reading.since,
            until=reading.until,
            started_at=real_now(),
            as_of=work.as_of,
        )


def _reopened(run: SyncRun) -> SyncRun:
    run.state, run.error, run.finished_at = SyncRun.State.RUNNING, "", None
    run.save(update_fields=["state", "error", "finished_at"])
    return run


def _keep(work: Work[Any], run: SyncRun, batch: Batch[Row], reading: Reading[Row]) -> None:
    """Commit rows, cursor and counts, all of it only while the job's lease is ours."""
    with transaction.atomic():
        stored = reading.store(batch.rows)
        bad_rows = [asdict(bad) for bad in (*batch.bad_rows, *stored.bad_rows)]
        received = run.received + batch.received
        announced = _announced(run.announced, batch.announced)
        change: dict[str, Any] = {
            "cursor": batch.cursor,
            "pages": run.pages + 1,
            "received": received,
            "announced": announced,
            "written": run.written + stored.written,
            "bad_rows": [*run.bad_rows, *bad_rows][:MOST_BAD_ROWS],
            "bad_count": run.bad_count + len(bad_rows),
        }
        if batch.last:
            change |= {"state": SyncRun.State.COMPLETE, "finished_at": real_now()}
        SyncRun.objects.filter(pk=run.pk).update(**change)
        if batch.last and reading.at_end:
            reading.at_end()
        done, total = (received, announced) if stored.total is None else (stored.done, stored.total)
        progress = {"stage": reading.source, "done": done, "total": total, "seconds_left": _left(run, done, total)}
        renew(run=work.job_run, progress=progress)
    for name, value in change.items():
        setattr(run, name, value)


def _left(run: SyncRun, done: int | None, total: int | None) -> int | None:
    """How long the rest of the list takes at the pace so far; None where nobody can say."""
    if not done or total is None:
        return None
    return round((real_now() - run.started_at).total_seconds() * max(total - done, 0) / done)


def _give_up(run: SyncRun, error: ApiError | Doubtful) -> None:
    """A list that cannot be trusted is read from its beginning the next time: its cursor is forgotten."""
    change: dict[str, Any] = {"state": SyncRun.State.INCOMPLETE, "error": str(error), "finished_at": real_now()}
    if isinstance(error, Doubtful | RepeatedCursor):
        change["cursor"] = ""
    SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING).update(**change)


def _doubt(run: SyncRun, batch: Batch[Row], *, steady: bool) -> None:
    """Raise `Doubtful` when the list goes in a circle, cannot be read, or ends and cannot be whole."""
    if run.pages >= MOST_PAGES:
        raise Doubtful(f"no end after {MOST_PAGES} pages")
    doubt_unread(len(batch.bad_rows), of=batch.received)
    announced = _announced(run.announced, batch.announced)
    if not batch.last:
        return
    received = run.received + batch.received
    if announced is not None and received != announced:
        raise Doubtful(f"{received} rows came of {announced} that were announced")
    expected = _expected(run) if steady else 0.0
    least = LEAST_SHARE * expected if expected >= ENOUGH_TO_JUDGE else min(expected, 1.0)
    if received < least and not _was_refused_before(run, received):
        SyncRun.objects.filter(pk=run.pk).update(received=received)
        raise Doubtful(f"{received} rows came where about {expected:.0f} were expected")


def _announced(before: int | None, now: int | None) -> int | None:
    """How long the list is by what it says now. Where a row has left it in the meantime, the rows behind have moved
    up, and one of them may never be seen: `Doubtful`."""
    if before is not None and now is not None and now < before:
        raise Doubtful(f"the list shrank from {before} to {now} rows while it was read")
    return before if now is None else now


def _expected(run: SyncRun) -> float:
    """How many rows the last complete run makes us expect: all of its own, or those of the days that both cover."""
    last = latest_complete(run.shop, run.source)
    if last is None:
        return 0.0
    if run.since is None or run.until is None or last.since is None or last.until is None:
        return float(last.received)
    common = min(run.until, last.until) - max(run.since, last.since)
    return last.received * max(common / (last.until - last.since), 0.0)


def _was_refused_before(run: SyncRun, received: int) -> bool:
    """Whether an earlier job came to the very same number: then it is no accident. Nothing at all is never believed."""
    refused = SyncRun.objects.filter(
        shop=run.shop_id, source=run.source, state=SyncRun.State.INCOMPLETE, received=received
    )
    return received > 0 and refused.exclude(job_run=run.job_run_id).exists()
