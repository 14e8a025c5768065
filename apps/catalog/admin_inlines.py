"""What stands inside a product's page: what only the seller says of it, and what has become of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminNullBooleanSelectWidget

from apps.catalog.admin_product import UNKNOWN
from apps.catalog.costs import KOPECK, MOST
from apps.catalog.models import Article, ClusterStock, Cost, PriceChange, ProductSettings
from apps.catalog.product_settings import FIELDS, Values, as_said, problems_of
from apps.catalog.sheet_words import Field
from apps.shops.roles import Action
from apps.shops.scoped_admin import HistoryInline, OneInline, ScopedInline
from apps.shops.typed_unfold import display

GRADES: dict[str, Promise] = {
    "DEFICIT": gettext_lazy("in short supply"),
    "POPULAR": gettext_lazy("sells fast"),
    "ACTUAL": gettext_lazy("sells steadily"),
    "SURPLUS": gettext_lazy("more than sells"),
    "NO_SALES": gettext_lazy("no sales"),
    "WAS_DEFICIT": gettext_lazy("was in short supply"),
    "WAS_POPULAR": gettext_lazy("sold fast before"),
    "WAS_ACTUAL": gettext_lazy("sold steadily before"),
    "WAS_SURPLUS": gettext_lazy("there was more than sold"),
    "WAS_NO_SALES": gettext_lazy("there were no sales"),
    "RESTRICTED_NO_SALES": gettext_lazy("no sales, supplies are limited"),
    "COLLECTING_DATA": gettext_lazy("not known yet, sales are being counted"),
    "WAITING_FOR_SUPPLY": gettext_lazy("waits for a supply"),
    "TURNOVER_GRADE_NONE": UNKNOWN,
    "UNSPECIFIED": UNKNOWN,
}
"""How the marketplace grades the turnover in a cluster. One that is new is shown by its code."""


class CostForm(forms.ModelForm):
    """A day's cost; its day is its name, so of one that was entered only the amount can change."""

    class Meta:
        model = Cost
        fields = ["starts_on", "amount"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_on"].disabled = bool(self.instance.pk)

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if not KOPECK <= amount <= MOST:
            raise forms.ValidationError(_("From %(least)s to %(most)s.") % {"least": KOPECK, "most": MOST})
        return amount


class CostInline(ScopedInline[Cost]):
    model = Cost
    form = CostForm
    fields = ["starts_on", "amount", "currency", "entered_by", "entered_at"]
    readonly_fields = ["currency", "entered_by", "entered_at"]
    view_action = Action.SEE_PROFIT
    add_action = change_action = delete_action = Action.EDIT_CATALOG


class SettingsForm(forms.ModelForm):
    """Empty says nothing: what is set for the shop holds. The margin is in percent here, as people say it."""

    min_margin_rate = forms.DecimalField(
        label=gettext_lazy("minimum margin, %"),
        required=False,
        max_digits=5,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}),
    )
    is_repriced = forms.NullBooleanField(
        label=gettext_lazy("price may be changed"), required=False, widget=UnfoldAdminNullBooleanSelectWidget()
    )

    class Meta:
        model = ProductSettings
        fields = [str(field) for field in FIELDS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        switch: Any = self.fields["is_repriced"].widget
        switch.choices = [("unknown", _("not set")), ("true", _("yes")), ("false", _("no"))]
        for name in ("min_margin_rate", "is_repriced"):
            self.fields[name].label = capfirst(str(self.fields[name].label))
        rate = self.instance.min_margin_rate
        self.initial["min_margin_rate"] = None if rate is None else as_said(Field.MIN_MARGIN, rate)

    def clean_min_margin_rate(self) -> Decimal | None:
        percent: Decimal | None = self.cleaned_data["min_margin_rate"]
        return None if percent is None else percent / 100

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for problem in problems_of(self.values):
            self.add_error(str(problem.field), str(problem))
        return cleaned

    @property
    def values(self) -> Values:
        """What the form says of the fields that could be read."""
        read = {field: self.cleaned_data[field] for field in FIELDS if field in self.cleaned_data}
        return {field: Decimal(value) if type(value) is int else value for field, value in read.items()}


class SettingsInline(OneInline[ProductSettings]):
    model = ProductSettings
    form = SettingsForm
    fields = [
        ("min_price", "max_price"),
        ("min_margin_rate", "is_repriced"),
        ("lead_days", "pack_size", "min_order"),
        ("changed_by", "changed_at"),
    ]
    readonly_fields = ["changed_by", "changed_at"]
    add_action = change_action = Action.EDIT_CATALOG


class ArticleForm(forms.ModelForm):
    """An empty code says that the product is nothing that others are too."""

    class Meta:
        model = Article
        fields = ["code"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].required = False


class ArticleInline(OneInline[Article]):
    model = Article
    form = ArticleForm
    fields = [("code", "linked_by", "linked_at")]
    readonly_fields = ["linked_by", "linked_at"]
    add_action = change_action = Action.EDIT_CATALOG


class PriceChangeInline(HistoryInline[PriceChange]):
    model = PriceChange
    fields = ["seen_at", "price_from", "price_to", "currency", "source"]


class ClusterStockInline(HistoryInline[ClusterStock]):
    model = ClusterStock
    fields = ["cluster", "available", "in_transit", "requested", "units_per_day", "turnover", "as_of"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClusterStock]:
        return super().get_queryset(request).select_related("cluster")

    @display(description=gettext_lazy("turnover"))
    def turnover(self, stock: ClusterStock) -> str:
        return str(GRADES.get(stock.grade, stock.grade or UNKNOWN))
