"""The pages of costs from a file: the upload, the comparison that asks for a yes, and what was wrong, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.catalog.cost_file import TITLES, Field
from apps.catalog.cost_import import Fate, Line, Outcome, enter_import, has_expired, lines_of, prepare_import
from apps.catalog.models import CostImport
from apps.common import clock, formats
from apps.common.errors import UserError
from apps.common.sheet_reader import MOST_ROWS, SheetError, read_sheet
from apps.common.sheet_writer import XLSX, Row, written
from apps.common.uploads import MOST_BYTES
from apps.shops.admin_export import zone_of
from apps.shops.asking import person_of, require_member, visible
from apps.shops.models import Shop
from apps.shops.roles import Action
from apps.shops.scoped_admin import Context, ScopedAdmin
from apps.shops.typed_unfold import display

COLORS = {CostImport.State.WAITING: "warning", CostImport.State.ENTERED: "success"}
MOST_SHOWN = 200
"""Rows of each kind on the page. Only a row that is shown can be ticked."""

FIELD_NAMES: dict[str, Promise] = {
    Field.OFFER_ID: gettext_lazy("offer id"),
    Field.SKU: gettext_lazy("SKU"),
    Field.AMOUNT: gettext_lazy("unit cost"),
    Field.CURRENCY: gettext_lazy("currency"),
    Field.STARTS_ON: gettext_lazy("from"),
}
TITLES_OF_KINDS: dict[Fate, tuple[Promise, Promise]] = {
    Fate.ENTERED: (gettext_lazy("Entered"), gettext_lazy("These costs hold now.")),
    Fate.MOVED: (
        gettext_lazy("Changed in the meantime"),
        gettext_lazy("Somebody has entered another cost since the file was read. The newer one stays."),
    ),
    Fate.HELD: (
        gettext_lazy("Large changes"),
        gettext_lazy("A slip of the pen looks like this. Only what is ticked is entered."),
    ),
    Fate.CHANGED: (gettext_lazy("Changes"), gettext_lazy("Entered with the press of the button.")),
    Fate.NEW: (gettext_lazy("New"), gettext_lazy("Nobody has said yet what these products cost.")),
}


@dataclass(frozen=True)
class Group:
    """Rows of one kind, of which the first are shown."""

    fate: Fate
    lines: list[Line]
    currency: str

    @property
    def title(self) -> Promise:
        return TITLES_OF_KINDS[self.fate][0]

    @property
    def explanation(self) -> Promise:
        return TITLES_OF_KINDS[self.fate][1]

    @property
    def is_to_tick(self) -> bool:
        return self.fate == Fate.HELD

    @property
    def shown(self) -> list[dict[str, Any]]:
        return [_in_words(line, self.currency) for line in self.lines[:MOST_SHOWN]]

    @property
    def left_off(self) -> int:
        return max(0, len(self.lines) - MOST_SHOWN)


class UploadForm(forms.Form):
    shop = forms.ModelChoiceField(Shop.objects.none(), label=gettext_lazy("Shop"), widget=UnfoldAdminSelectWidget())
    file = forms.FileField(
        label=gettext_lazy("File"), widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.csv,.tsv,.txt"})
    )

    def __init__(self, *args: Any, shops: QuerySet[Shop], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["shop"]
        choice.queryset = shops
        choice.initial = shops.first()
        self.fields["file"].help_text = _(
            ".xlsx, of which the first sheet is read, or .csv: at most %(rows)s rows and %(size)s MB."
        ) % {"rows": formats.whole(MOST_ROWS), "size": MOST_BYTES // 2**20}


class CostImportAdmin(ScopedAdmin[CostImport]):
    """A file's page is the comparison of what it says with what holds; the yes is given there."""

    list_display = ["file_name", "shop", "state_badge", "entered_count", "uploaded_by", "created_at", "entered_at"]
    list_select_related = ["shop", "uploaded_by__user"]
    list_filter = ["shop", "state"]
    search_fields = ["file_name"]
    add_action = change_action = Action.EDIT_CATALOG
    audit_name = None  # entering leaves its own rows; an upload changes nothing

    def get_queryset(self, request: HttpRequest) -> QuerySet[CostImport]:
        return super().get_queryset(request).defer("lines", "header")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("template/", view(self.template_view), name="catalog_costimport_template"),
            path("<int:object_id>/wrong/", view(self.wrong_view), name="catalog_costimport_wrong"),
            *super().get_urls(),
        ]

    @display(description=gettext_lazy("state"), label=COLORS, ordering="state")
    def state_badge(self, row: CostImport) -> tuple[str, str]:
        return row.state, row.get_state_display()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Context = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = (request.POST, request.FILES) if request.method == "POST" else ()
        form = UploadForm(*given, shops=visible(request, Shop.objects.all()))
        if form.is_valid():
            try:
                made = _read(form, request)
            except SheetError as error:
                form.add_error("file", str(error))
            else:
                return redirect("admin:catalog_costimport_change", made.pk)
        return self._page(request, "admin/cost_upload.html", title=_("Costs from a file"), form=form, names=_names())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Context = None
    ) -> HttpResponse:
        self._check_known(request, object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_queryset(request).defer(None).select_related("shop").get(pk=object_id)
        if request.method == "POST":
            return self._enter(request, found)
        return self._page(
            request,
            "admin/cost_import.html",
            title=found.file_name,
            comparison=_compared(found),
            may_enter=self.has_change_permission(request),
        )

    def _enter(self, request: HttpRequest, found: CostImport) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        ticked = {int(number) for number in request.POST.getlist("row") if number.isdecimal()}
        try:
            outcome = enter_import(import_id=found.pk, ticked=ticked, by=require_member(request))
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _in_sum(outcome), messages.SUCCESS)
        return redirect("admin:catalog_costimport_change", found.pk)

    def template_view(self, request: HttpRequest) -> FileResponse:
        """An empty table with the titles that are read, in the person's language."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return _download(_names(), [], zone=zone_of(request), name="costs.xlsx")

    def wrong_view(self, request: HttpRequest, object_id: int) -> FileResponse:
        """The person's own rows that were wrong, with a column that says why: to be put right and uploaded again."""
        self._check_known(request, str(object_id))
        found = self.get_queryset(request).defer(None).get(pk=object_id)
        width = len(found.header)
        rows = [
            [*line.cells[:width], *[None] * (width - len(line.cells)), _why(line)]
            for line in lines_of(found)
            if line.fate == Fate.WRONG
        ]
        header = [*found.header, _("What is wrong")]
        return _download(header, rows, zone=zone_of(request), name=f"costs-{found.pk}-wrong.xlsx")

    def _page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, {**shared, **context})


@dataclass(frozen=True)
class Comparison:
    """What the page shows of a file: of each kind of row how many, and the rows themselves."""

    found: CostImport
    lines: tuple[Line, ...]

    def of(self, fate: Fate) -> list[Line]:
        return [line for line in self.lines if line.fate == fate]

    @property
    def groups(self) -> list[Group]:
        currency = self.found.shop.currency
        return [Group(fate, lines, currency) for fate in TITLES_OF_KINDS if (lines := self.of(fate))]

    @property
    def wrong(self) -> list[dict[str, Any]]:
        return [_wrong_in_words(line) for line in self.of(Fate.WRONG)[:MOST_SHOWN]]

    @property
    def counts(self) -> list[tuple[Promise, int]]:
        titles = {fate: title for fate, (title, _explanation) in TITLES_OF_KINDS.items()}
        titles |= {
            Fate.UNCHANGED: gettext_lazy("Unchanged"),
            Fate.BLANK: gettext_lazy("Without a cost"),
            Fate.WRONG: gettext_lazy("With errors"),
        }
        counted = [(title, len(self.of(fate))) for fate, title in titles.items()]
        return [(title, count) for title, count in counted if count]

    @property
    def is_open(self) -> bool:
        return self.found.state == CostImport.State.WAITING and not has_expired(self.found)

    @property
    def is_too_old(self) -> bool:
        return self.found.state == CostImport.State.WAITING and has_expired(self.found)

    @property
    def has_something_to_enter(self) -> bool:
        return any(line.fate in (Fate.NEW, Fate.CHANGED, Fate.HELD) for line in self.lines)

    @property
    def wrong_count(self) -> int:
        return len(self.of(Fate.WRONG))


def _compared(found: CostImport) -> Comparison:
    return Comparison(found, lines_of(found))


def _read(form: UploadForm, request: HttpRequest) -> CostImport:
    file, shop = form.cleaned_data["file"], form.cleaned_data["shop"]
    return prepare_import(
        shop=shop,
        rows=read_sheet(file.read()),
        file_name=file.name,
        by=person_of(request),
        today=clock.today(shop.timezone),
    )


def _names() -> list[str]:
    """The titles of the template, in the active language."""
    language = get_language() or "en"
    return [
        titles[language][0].upper() if field == Field.SKU else titles[language][0] for field, titles in TITLES.items()
    ]


def _in_words(line: Line, currency: str) -> dict[str, Any]:
    return {
        "number": line.number,
        "label": line.label,
        "before": _money(line.previous, currency) or _("unknown"),
        "after": _money(line.amount, currency),
        "change": formats.change(line.change) if line.change is not None else "",
        "starts_on": _day(line.starts_on),
    }


def _wrong_in_words(line: Line) -> dict[str, Any]:
    problems = [(FIELD_NAMES[problem.field], str(problem)) for problem in line.problems]
    return {"number": line.number, "label": line.label, "problems": problems}


def _why(line: Line) -> str:
    return " ".join(str(problem) for problem in line.problems)


def _in_sum(outcome: Outcome) -> str:
    """What became of the file, in a sentence each."""
    said = [
        ngettext("%(count)s cost entered.", "%(count)s costs entered.", outcome.entered)
        % {"count": formats.whole(outcome.entered)}
    ]
    if outcome.moved:
        said.append(
            _("Left out, because they were changed in the meantime: %(count)s.")
            % {"count": formats.whole(outcome.moved)}
        )
    if outcome.held_back:
        said.append(_("Large changes not ticked: %(count)s.") % {"count": formats.whole(outcome.held_back)})
    return " ".join(said)


def _money(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else formats.money(amount, currency)


def _day(on: date | None) -> str:
    return "" if on is None else formats.day(on)


def _download(header: Sequence[str], rows: Sequence[Row], *, zone: ZoneInfo, name: str) -> FileResponse:
    file = written(XLSX, header, rows, zone=zone)
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX.content_type)
