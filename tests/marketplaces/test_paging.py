"""Paging ends only at an end marker, never in a circle, and one bad row never loses the others."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import count

import pytest

from apps.marketplaces.errors import RepeatedCursor
from apps.marketplaces.fields import ApiRow, Id, Money
from apps.marketplaces.paging import BadRow, Page, converted, pages, parse_rows, sure_of_its_end


class Thing(ApiRow):
    id: Id
    price: Money


def page(rows: Sequence[int], cursor: str, *, last: bool = False) -> Page[int]:
    return Page(tuple(rows), (), cursor, last)


def read(*script: Page[int], cursor: str = "", most: int = 100) -> tuple[list[Page[int]], list[str], str | None]:
    """What was yielded, which cursors were asked for, and the error if there was one."""
    left = iter(script)
    asked: list[str] = []
    got: list[Page[int]] = []

    def fetch(cursor: str) -> Page[int]:
        asked.append(cursor)
        return next(left)

    try:
        got.extend(pages(fetch, api="A", path="/list", cursor=cursor, most=most))
    except RepeatedCursor as error:
        return got, asked, str(error)
    return got, asked, None


def test_it_follows_the_cursor_to_the_end_marker() -> None:
    got, asked, error = read(page([1, 2], "a"), page([3, 4], "b"), page([5], "", last=True))

    assert [row for one in got for row in one.rows] == [1, 2, 3, 4, 5]
    assert asked == ["", "a", "b"]
    assert error is None


def test_a_short_page_in_the_middle_is_not_the_end() -> None:
    got, _, _ = read(page([1, 2], "a"), page([3], "b"), page([4, 5], "c"), page([], "c", last=True))

    assert [row for one in got for row in one.rows] == [1, 2, 3, 4, 5]


def test_it_resumes_from_a_cursor() -> None:
    _, asked, _ = read(page([3], "b"), page([], "", last=True), cursor="a")

    assert asked == ["a", "b"]


def test_a_page_with_a_repeated_cursor_is_not_yielded() -> None:
    got, asked, error = read(page([1], "a"), page([2], "b"), page([3], "a"))

    assert [one.cursor for one in got] == ["a", "b"]
    assert asked == ["", "a", "b"]
    assert error == "A /list: HTTP 200: the answer repeats a cursor that was already used"


def test_the_cursor_it_was_given_counts_as_used() -> None:
    got, _, error = read(page([1], "a"), cursor="a")

    assert got == []
    assert error is not None


def test_the_last_page_may_repeat_a_cursor() -> None:
    got, _, error = read(page([1], "a"), page([], "a", last=True))

    assert [one.last for one in got] == [False, True]
    assert error is None


def test_it_stops_a_list_that_never_ends() -> None:
    numbers = count()
    endless = pages(lambda _: page([1], str(next(numbers))), api="A", path="/list", most=5)

    with pytest.raises(RepeatedCursor, match="no end after 5 pages"):
        list(endless)


def test_it_fetches_only_what_is_asked_for() -> None:
    asked: list[str] = []

    def fetch(cursor: str) -> Page[int]:
        asked.append(cursor)
        return page([1], cursor + "x")

    next(pages(fetch, api="A", path="/list"))

    assert asked == [""]


@pytest.mark.parametrize(
    ("script", "asked", "rows"),
    [
        ([page([1], "", last=True)], 1, (1,)),
        ([page([], "a")], 1, ()),
        ([page([], "", last=True), page([], "", last=True)], 2, ()),
        ([page([], "", last=True), page([1], "a")], 2, (1,)),
    ],
)
def test_an_empty_end_is_believed_when_it_comes_twice(script: list[Page[int]], asked: int, rows: tuple[int]) -> None:
    left = iter(script)

    assert sure_of_its_end(lambda _: next(left))("").rows == rows
    assert len(script) - len(list(left)) == asked


def test_rows_can_be_converted_page_by_page() -> None:
    bad = BadRow(2, None, "id: Field required")

    (made,) = converted([Page((1, 2), (bad,), "a", last=False, announced=7)], str)

    assert made == Page(("1", "2"), (bad,), "a", last=False, announced=7)


def test_bad_rows_stand_aside_with_the_field_at_fault() -> None:
    rows, bad_rows = parse_rows(
        Thing,
        [{"id": 1, "price": "10"}, {"id": 2, "price": "Ivan Petrov"}, "junk", {"price": 1}, {"id": 5, "price": 7}],
        ids=("id",),
    )

    assert rows == (Thing(id=1, price=Decimal(10)), Thing(id=5, price=Decimal(7)))
    assert [(bad.index, bad.id) for bad in bad_rows] == [(1, "2"), (2, None), (3, None)]
    assert bad_rows[0].reason == "price: Value error, expected a decimal number"
    assert bad_rows[2].reason == "id: Field required"
    assert "Ivan" not in repr(bad_rows)


def test_bad_rows_count_as_received() -> None:
    assert Page((1, 2), (BadRow(2, None, "id: Field required"),), "", last=True).received == 3


def test_a_bad_row_names_the_best_id_it_has() -> None:
    _, bad_rows = parse_rows(Thing, [{"sku": 0, "offer_id": "A-1"}, {"sku": [1]}], ids=("sku", "offer_id"))

    assert [bad.id for bad in bad_rows] == ["A-1", None]
