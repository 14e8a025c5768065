"""A list that comes in pages: typed rows, the bad ones aside, and a cursor to go on from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from apps.marketplaces.errors import RepeatedCursor

Row = TypeVar("Row")
Other = TypeVar("Other")
Model = TypeVar("Model", bound=BaseModel)

MOST_PAGES = 10_000  # a million postings of 100 a page; more is a circle without a repeated cursor


@dataclass(frozen=True)
class BadRow:
    """A row that could not be read: its place in the page, its id if it has one, and the field at fault."""

    index: int
    id: str | None
    reason: str


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page. `cursor` goes on after it; `last` says that the end marker was seen.

    `announced` is how many rows the API says the whole list has, None when it does not say.
    """

    rows: tuple[Row, ...]
    bad_rows: tuple[BadRow, ...]
    cursor: str
    last: bool
    announced: int | None = None

    @property
    def received(self) -> int:
        """All rows of the page, bad ones included: what `announced` is to be compared with."""
        return len(self.rows) + len(self.bad_rows)


def pages(
    fetch: Callable[[str], Page[Row]], *, api: str, path: str, cursor: str = "", most: int = MOST_PAGES
) -> Iterator[Page[Row]]:
    """Every page from `cursor` on, up to and including the one with the end marker.

    A short page is not the end. A page whose cursor was seen before is not yielded, because its cursor must not be
    kept: `RepeatedCursor` is raised instead, as it is after `most` pages.
    """
    seen = {cursor}
    for _ in range(most):
        page = fetch(cursor)
        if not page.last and page.cursor in seen:
            raise RepeatedCursor(api, path, "the answer repeats a cursor that was already used", 200)
        yield page
        if page.last:
            return
        cursor = page.cursor
        seen.add(cursor)
    raise RepeatedCursor(api, path, f"no end after {most} pages", 200)


def converted(pages: Iterable[Page[Row]], convert: Callable[[Row], Other]) -> Iterator[Page[Other]]:
    """The same pages with what is made of each row: a list that is kept whole need not be kept as it came."""
    for page in pages:
        yield Page(tuple(map(convert, page.rows)), page.bad_rows, page.cursor, page.last, page.announced)


def sure_of_its_end(fetch: Callable[[str], Page[Row]]) -> Callable[[str], Page[Row]]:
    """`fetch`, which asks once more when an empty page ends the list: an API in trouble answers with nothing at all."""

    def fetch_again(cursor: str) -> Page[Row]:
        page = fetch(cursor)
        return fetch(cursor) if page.last and not page.received else page

    return fetch_again


def parse_rows(
    model: type[Model], raw_rows: Iterable[Any], *, ids: tuple[str, ...], context: Any = None
) -> tuple[tuple[Model, ...], tuple[BadRow, ...]]:
    """The rows that fit `model` and the ones that do not. `ids` are the fields that may name a bad row, best first."""
    rows: list[Model] = []
    bad_rows: list[BadRow] = []
    for index, raw in enumerate(raw_rows):
        try:
            rows.append(model.model_validate(raw, context=context))
        except ValidationError as error:
            bad_rows.append(BadRow(index, _id_of(raw, ids), reason_of(error)))
    return tuple(rows), tuple(bad_rows)


def reason_of(error: ValidationError) -> str:
    """The fields at fault and what was expected there, without their values: those may be personal."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc'])) or 'row'}: {problem['msg']}" for problem in problems[:3])


def _id_of(raw: Any, ids: tuple[str, ...]) -> str | None:
    if not isinstance(raw, dict):
        return None
    return next((str(raw[name]) for name in ids if isinstance(raw.get(name), int | str) and raw[name]), None)
