"""The pages of a sheet: the upload, the comparison that asks for a yes, and tables to take away.

A table is of what was wrong, of all that was compared, or of what holds now, to be changed there and uploaded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.catalog.comparison import Comparison, table_of, why
from apps.catalog.cost_sheet import CostSheet
from apps.catalog.models import SheetImport
from apps.catalog.settings_sheet import SettingsSheet
from apps.catalog.sheet_import import Fate, Outcome, Sheet, enter_import, lines_of, prepare_import
from apps.catalog.sheet_words import TITLES, Field
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

COLORS = {SheetImport.State.WAITING: "warning", SheetImport.State.ENTERED: "success"}


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


class SheetAdmin(ScopedAdmin[Any]):
    """A file's page is the comparison of what it says with what holds; the yes is given there.

    `file_stem` begins the names of the tables to take away; `explanation` says what the columns are for, `entered` how
    many rows were entered (its plural is that of `rows`, `count` is the number as people write it).
    """

    sheet: ClassVar[type[Sheet]]
    file_stem: ClassVar[str]
    upload_title: ClassVar[Promise]
    explanation: ClassVar[Promise]
    button: ClassVar[Promise]
    entered: ClassVar[Any]

    list_display = ["file_name", "shop", "state_badge", "entered_count", "uploaded_by", "created_at", "entered_at"]
    list_select_related = ["shop", "uploaded_by__user"]
    list_filter = ["shop", "state"]
    search_fields = ["file_name"]
    add_action = change_action = Action.EDIT_CATALOG
    audit_name = None  # entering leaves its own rows; an upload changes nothing

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("lines", "header")

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "template": ("template/", self.template_view),
            "now": ("now/<int:shop_id>/", self.now_view),
            "wrong": ("<int:object_id>/wrong/", self.wrong_view),
            "compared": ("<int:object_id>/compared/", self.compared_view),
        }
        own = [
            path(address, self.admin_site.admin_view(view), name=f"catalog_{self.opts.model_name}_{name}")
            for name, (address, view) in pages.items()
        ]
        return [*own, *super().get_urls()]

    @display(description=gettext_lazy("state"), label=COLORS, ordering="state")
    def state_badge(self, row: SheetImport) -> tuple[str, str]:
        return row.state, row.get_state_display()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Context = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = (request.POST, request.FILES) if request.method == "POST" else ()
        shops = visible(request, Shop.objects.all())
        form = UploadForm(*given, shops=shops)
        if form.is_valid():
            try:
                made = self._read(form, request)
            except SheetError as error:
                form.add_error("file", str(error))
            else:
                return redirect(self._address("change", made.pk))
        return self._page(
            request,
            "admin/sheet_upload.html",
            title=self.upload_title,
            form=form,
            names=self._names(),
            explanation=self.explanation,
            empty=self._address("template"),
            tables=[(shop, self._address("now", shop.pk)) for shop in shops],
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Context = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            self._check_known(request, object_id)
            raise PermissionDenied
        found = self._found(request, object_id)
        if request.method == "POST":
            return self._enter(request, found)
        return self._page(
            request,
            "admin/sheet_import.html",
            title=found.file_name,
            comparison=Comparison(found, lines_of(found)),
            may_enter=self.has_change_permission(request),
            button=self.button,
            wrong=self._address("wrong", found.pk),
            compared=self._address("compared", found.pk),
        )

    def _found(self, request: HttpRequest, object_id: object) -> Any:
        """The file with its rows. Django's 404 where it is not there, or is another seller's."""
        self._check_known(request, str(object_id))
        return self.get_queryset(request).defer(None).select_related("shop").get(pk=object_id)

    def _read(self, form: UploadForm, request: HttpRequest) -> SheetImport:
        file, shop = form.cleaned_data["file"], form.cleaned_data["shop"]
        return prepare_import(
            self.sheet,
            shop=shop,
            rows=read_sheet(file.read()),
            file_name=file.name,
            by=person_of(request),
            today=clock.today(shop.timezone),
        )

    def _enter(self, request: HttpRequest, found: Any) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        ticked = {int(number) for number in request.POST.getlist("row") if number.isdecimal()}
        if "all" in request.POST:
            ticked = {line.number for line in lines_of(found)}
        try:
            outcome = enter_import(self.sheet, import_id=found.pk, ticked=ticked, by=require_member(request))
        except UserError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, self._in_sum(outcome), messages.SUCCESS)
        return redirect(self._address("change", found.pk))

    def _in_sum(self, outcome: Outcome) -> str:
        """What became of the file, in a sentence each."""
        said = [str(self.entered % {"rows": outcome.entered, "count": formats.whole(outcome.entered)})]
        if outcome.moved:
            said.append(
                _("Left out, because they were changed in the meantime: %(count)s.")
                % {"count": formats.whole(outcome.moved)}
            )
        if outcome.held_back:
            said.append(_("Large changes not ticked: %(count)s.") % {"count": formats.whole(outcome.held_back)})
        return " ".join(said)

    def template_view(self, request: HttpRequest) -> FileResponse:
        """An empty table with the titles that are read, in the person's language."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return _download(self._names(), [], zone=zone_of(request), name=f"{self.file_stem}.xlsx")

    def now_view(self, request: HttpRequest, shop_id: int) -> FileResponse:
        """What holds now of each product of a shop, in the columns that are read."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        shop = visible(request, Shop.objects.filter(pk=shop_id)).first()
        if shop is None:
            raise Http404
        rows = self.sheet(shop).rows(today=clock.today(shop.timezone))
        return _download(self._names(), rows, zone=zone_of(request), name=f"{self.file_stem}-now.xlsx")

    def wrong_view(self, request: HttpRequest, object_id: int) -> FileResponse:
        """The person's own rows that were wrong, with a column that says why: to be put right and uploaded again."""
        found = self._found(request, object_id)
        width = len(found.header)
        rows = [
            [*line.cells[:width], *[None] * (width - len(line.cells)), why(line)]
            for line in lines_of(found)
            if line.fate == Fate.WRONG
        ]
        header = [*found.header, _("What is wrong")]
        return _download(header, rows, zone=zone_of(request), name=f"{self.file_stem}-{found.pk}-wrong.xlsx")

    def compared_view(self, request: HttpRequest, object_id: int) -> FileResponse:
        """Every row of the file: what it changes, from what to what, and what becomes of it."""
        found = self._found(request, object_id)
        header, rows = table_of(lines_of(found))
        return _download(header, rows, zone=zone_of(request), name=f"{self.file_stem}-{found.pk}-compared.xlsx")

    def _names(self) -> list[str]:
        """The titles of the template, in the active language."""
        language = get_language() or "en"
        titles = [(field, TITLES[field][language][0]) for field in self.sheet.fields]
        return [title.upper() if field == Field.SKU else title for field, title in titles]

    def _address(self, page: str, *args: object) -> str:
        return reverse(f"admin:catalog_{self.opts.model_name}_{page}", args=args)

    def _page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, {**shared, **context})


class CostImportAdmin(SheetAdmin):
    view_action = Action.SEE_PROFIT
    sheet = CostSheet
    file_stem = "costs"
    upload_title = gettext_lazy("Costs from a file")
    explanation = gettext_lazy("The currency may be empty, and so may the day, which is then today.")
    button = gettext_lazy("Enter these costs")
    entered = ngettext_lazy("%(count)s cost entered.", "%(count)s costs entered.", "rows")


class SettingsImportAdmin(SheetAdmin):
    sheet = SettingsSheet
    file_stem = "settings"
    upload_title = gettext_lazy("Product settings from a file")
    explanation = gettext_lazy(
        "An empty cell leaves a setting as it is; a dash clears it, and what is set for the shop holds again. "
        "The margin is in percent; whether a price may be changed is yes or no."
    )
    button = gettext_lazy("Enter these settings")
    entered = ngettext_lazy("Settings of %(count)s product entered.", "Settings of %(count)s products entered.", "rows")


def _download(header: Sequence[str], rows: Iterable[Row], *, zone: ZoneInfo, name: str) -> FileResponse:
    file = written(XLSX, header, rows, zone=zone)
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX.content_type)
