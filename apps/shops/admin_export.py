"""Every list of the admin as a table to take away: the same rows, filters, search and columns as on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from html import unescape
from operator import attrgetter
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField, DecimalField, Field, ForeignKey
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext as _

from apps.common import formats
from apps.common.clock import real_now
from apps.common.encrypted import SecretField
from apps.common.errors import Refused
from apps.common.sheet_writer import KINDS, Kind, written
from apps.shops.asking import person_of, seller_of_request, visible
from apps.shops.audit import record
from apps.shops.models import AuditEntry, Shop
from apps.shops.typed_unfold import ModelAdmin, Row

MOST_ROWS = 50_000
EXPORTS_AN_HOUR = 30
CHECKBOX = "action_checkbox"

Source = str | Callable[[Any], object]


@dataclass(frozen=True)
class Column:
    """A column of the file. `figure` is the field that it shows bare, where the page shows it in words."""

    title: str
    value: Callable[[Any], object]
    figure: Field | None = None


class ExportedList(ModelAdmin[Row]):
    """A list with buttons that hand it out. Whoever may see the list may have it.

    `exported` names, for a column that shows figures in words ("1 490 ₽"), what holds them: an attribute of its rows,
    or a function of a row; several of them, by their titles, become as many columns.
    """

    exported: ClassVar[Mapping[str, Source | Mapping[str | Promise, Source]]] = {}
    export_kinds = tuple(KINDS.values())

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        page = path("export/<str:kind>/", self.admin_site.admin_view(self.export_view), name=name)
        return [page, *super().get_urls()]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """The list that the query describes. By POST, for each is written down and counts."""
        if kind not in KINDS:
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            return self._export(request, KINDS[kind])
        except IncorrectLookupParameters:
            return self._back(request, _("There is no such filter."))
        except Refused as refusal:
            return self._back(request, str(refusal), query=request.GET.urlencode())

    def _back(self, request: HttpRequest, words: str, *, query: str = "") -> HttpResponse:
        self.message_user(request, words, messages.ERROR)
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return redirect(f"{address}?{query}" if query else address)

    def _export(self, request: HttpRequest, kind: Kind) -> FileResponse:
        shown = self.get_changelist_instance(request)
        _check_size(shown.result_count)
        _check_pace(request)
        zone = zone_of(request)
        columns = self.export_columns([str(name) for name in shown.list_display if name != CHECKBOX], zone)
        record(
            "list.exported",
            actor=person_of(request),
            seller=seller_of_request(request),
            subject=self.opts.label_lower,
            login=request.user.get_username(),
            kind=kind.name,
            rows=shown.result_count,
            query=request.GET.urlencode()[:500],
        )
        rows = shown.queryset[:MOST_ROWS].iterator(chunk_size=1000)
        cells = ([column.value(row) for column in columns] for row in rows)
        file = written(kind, [column.title for column in columns], cells, zone=zone)
        name = f"{self.opts.model_name}-{real_now().astimezone(zone):%Y-%m-%d}.{kind.name}"
        return FileResponse(file, as_attachment=True, filename=name, content_type=kind.content_type)

    def export_columns(self, names: Sequence[str], zone: ZoneInfo) -> list[Column]:
        """Those of the page; beside money as bare numbers stands what money it is."""
        columns = [column for name in names for column in self._columns(name, zone)]
        currency, is_money = self._field("currency"), any(isinstance(column.figure, DecimalField) for column in columns)
        if currency and is_money and "currency" not in names:
            columns.append(self._column(str(currency.verbose_name), currency.name, zone))
        return columns

    def _columns(self, name: str, zone: ZoneInfo) -> Iterator[Column]:
        """What a column of the page becomes in the file."""
        title, source = str(label_for_field(name, self.model, model_admin=self)), self.exported.get(name)
        if isinstance(source, Mapping):
            yield from (self._column(str(own_title), one, zone) for own_title, one in source.items())
        elif source is not None:
            yield self._column(title, source, zone)
        else:
            yield replace(self._column(title, name, zone), value=partial(self._value, name=name), figure=None)

    def _column(self, title: str, source: Source, zone: ZoneInfo) -> Column:
        """Moments are told with the zone whose clock they are told by."""
        if callable(source):
            return Column(capfirst(title), source)
        field = self._field(source)
        ending = f" ({zone})" if isinstance(field, DateTimeField) else ""
        return Column(capfirst(title) + ending, attrgetter(source), field)

    def _field(self, name: str) -> Field | None:
        return next((field for field in self.model._meta.fields if field.name == name), None)

    def _value(self, row: Row, name: str) -> object:
        field, method, value = lookup_field(name, row, self)
        if field is None:
            return _said(method, value)
        if isinstance(field, SecretField):
            return value and value.masked
        if isinstance(field, ForeignKey):
            return getattr(row, field.name)
        return dict(field.flatchoices).get(value, value) if field.flatchoices else value


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The zone of the shops that the person may see, or, when they are in several, the installation's."""
    zones = set(visible(request, Shop.objects.order_by()).values_list("timezone", flat=True).distinct())
    return ZoneInfo(zones.pop() if len(zones) == 1 else get_current_timezone_name())


def _said(method: Any, value: object) -> object:
    """What a column's method shows: of a badge its words, of a link its text."""
    if isinstance(value, tuple):
        return value[-1]
    if getattr(method, "boolean", False):
        return None if value is None else bool(value)
    return unescape(strip_tags(value)) if isinstance(value, SafeString) else value


def _check_size(rows: int) -> None:
    if rows > MOST_ROWS:
        raise Refused(
            _("The list has %(rows)s rows, and a file holds %(most)s at most: narrow it down with the filters.")
            % {"rows": formats.whole(rows), "most": formats.whole(MOST_ROWS)}
        )


def _check_pace(request: HttpRequest) -> None:
    """The trail itself counts, for it forgets nothing."""
    since = real_now() - timedelta(hours=1)
    asked = AuditEntry.objects.filter(at__gt=since, action="list.exported", data__login=request.user.get_username())
    if asked.count() >= EXPORTS_AN_HOUR:
        raise Refused(
            _("You have exported %(number)s lists within an hour, the most there may be. Please wait.")
            % {"number": EXPORTS_AN_HOUR}
        )
