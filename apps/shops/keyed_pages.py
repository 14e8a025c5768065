"""Pages of a long list, the last one as quick as the first."""

from __future__ import annotations

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class KeyedPaginator(Paginator):
    """Finds a page by its keys alone, from the nearer end of the list, and only then reads its rows.

    What lies before a page is passed over without being computed, joined or sorted with all its columns. The order must
    be a total one, as that of Django's lists is.
    """

    object_list: QuerySet

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        return Page(self._rows(first, min(first + self.per_page, self.count)), number, self)

    def _rows(self, first: int, end: int) -> QuerySet:
        keys = self.object_list.values_list("pk", flat=True)
        is_in_second_half = first > self.count // 2
        found = keys.reverse()[self.count - end : self.count - first] if is_in_second_half else keys[first:end]
        return self.object_list.filter(pk__in=list(found))
