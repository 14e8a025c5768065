"""What is stored together of a list, and what is not believed of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.jobs.sync_runs import Batch, Doubtful, doubt_unread, whole
from apps.marketplaces.paging import BadRow, Page

BAD = BadRow(0, None, "price: Field required")


@pytest.mark.parametrize(("unread", "of"), [(0, 0), (2, 2), (3, 6), (500, 1000)])
def test_rows_that_cannot_be_read_cost_nobody_else_his(unread: int, of: int) -> None:
    doubt_unread(unread, of=of)


@pytest.mark.parametrize(("unread", "of"), [(3, 3), (3, 5), (501, 1000)])
def test_a_list_most_of_which_cannot_be_read_is_doubted(unread: int, of: int) -> None:
    with pytest.raises(Doubtful, match=f"^{unread} of {of} rows could not be read$"):
        doubt_unread(unread, of=of)


def page(*rows: int, announced: int | None, bad: int = 0) -> Page[int]:
    return Page(rows, (BAD,) * bad, "", last=False, announced=announced)


def test_a_whole_list_has_the_rows_of_all_its_pages() -> None:
    assert whole([page(1, 2, announced=4), page(3, announced=None, bad=1)]) == ([1, 2, 3], [BAD])


@pytest.mark.parametrize(
    ("pages", "doubt"),
    [
        ([page(1, 2, announced=3)], "2 rows came of 3 that were announced"),
        ([page(1, 2, announced=4), page(4, announced=3)], "the list shrank from 4 to 3 rows while it was read"),
        ([page(1, announced=4, bad=3)], "3 of 4 rows could not be read"),
    ],
)
def test_a_list_that_cannot_be_whole_is_doubted(pages: list[Page[int]], doubt: str) -> None:
    with pytest.raises(Doubtful, match=f"^{doubt}$"):
        whole(pages)


def five_pages() -> Iterator[Page[int]]:
    for number in range(1, 6):
        yield Page((number,), (), str(number), last=number == 5)


def test_pages_are_stored_together_up_to_so_many() -> None:
    batches = list(Batch.joined(five_pages(), most=2))
    assert [list(batch.rows) for batch in batches] == [[1, 2], [3, 4], [5]]
    assert [(batch.cursor, batch.last) for batch in batches] == [("2", False), ("4", False), ("5", True)]


def test_pages_are_not_held_back_for_others_that_are_slow_to_come() -> None:
    batches = Batch.joined(five_pages(), most=10, seconds=0)
    assert [list(batch.rows) for batch in batches] == [[1], [2], [3], [4], [5]]
