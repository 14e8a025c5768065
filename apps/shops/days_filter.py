"""A filter of a list by days, from one to another: typed, so that no list is read through to offer them."""

from __future__ import annotations

from datetime import date

from django import forms
from django.contrib import messages
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter

ENDS = {"from": "gte", "to": "lte"}


class DaysFilter(RangeDateFilter):
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
