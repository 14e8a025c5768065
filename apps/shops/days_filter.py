"""A filter of a list by days, from one to another: typed, so that no list is read through to offer them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import DateTimeField, Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.formats import localize_input
from unfold.contrib.filters.admin import RangeDateFilter

ENDS = {"from": "gte", "to": "lte"}


class DaysFilter(RangeDateFilter):
    """From one day to another, both inclusive. `chosen_from` is the day that was chosen for the person, if any."""

    chosen_from: date | None = None

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        day = f"{self.field_path}__date" if isinstance(self.field, DateTimeField) else self.field_path
        return queryset.filter(**self.wanted(request, day))

    def wanted(self, request: HttpRequest, day: str) -> dict[str, date]:
        """The lookups on `day` for what was typed; what is no day is said, and does not filter."""
        given = {f"{day}__{lookup}": self._typed(request, end) for end, lookup in ENDS.items()}
        return {lookup: typed for lookup, typed in given.items() if typed}

    def _typed(self, request: HttpRequest, end: str) -> date | None:
        field = forms.DateField(required=False)
        try:
            day: date | None = field.clean(self.used_parameters.get(f"{self.parameter_name}_{end}"))
        except forms.ValidationError as error:
            messages.error(request, f"{self.title}: {error.messages[0]}")
            return None
        return day


class NewestDayFilter(DaysFilter):
    """For a list that grows by a row a day for each product: its newest day, until days or a search are typed.

    The list says so beside a link to all days, and the filter shows the day as if it had been typed. The page knows its
    newest day: `newest_day(request)`, None while there is none.
    """

    def __init__(  # noqa: PLR0917 - the library's own signature
        self, field: Field, request: HttpRequest, params: dict[str, str], model: type[Model], page: Any, field_path: str
    ) -> None:
        is_told = request.GET.get(SEARCH_VAR) or any(f"{field_path}_{end}" in params for end in ENDS)
        super().__init__(field, request, params, model, page, field_path)
        self.chosen_from = None if is_told else page.newest_day(request)
        if self.chosen_from:
            self.used_parameters[f"{field_path}_from"] = localize_input(self.chosen_from)
