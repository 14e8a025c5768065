"""Experiments with their course and verdicts, and the decisions on them. Here, where the verdicts' words are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from apps.backoffice.experiment_page import page_of
from apps.catalog.admin_product import AboutProduct
from apps.common import clock, formats
from apps.common.periods import day_of
from apps.experiments import lifecycle
from apps.experiments.models import Experiment, Verdict
from apps.shops.admin_buttons import button
from apps.shops.asking import permitted
from apps.shops.roles import Action
from apps.shops.scoped_admin import HistoryInline
from apps.shops.typed_unfold import RowAction, display

State = Experiment.State
Verb = Callable[..., object]

BUTTONS = {
    State.RUNNING: ["stop_this", "roll_this_back"],
    State.JUDGED: ["keep_this", "extend_this", "roll_this_back"],
    State.STOPPED: ["keep_this", "roll_this_back"],
}
COLORS = {
    State.RUNNING: "info",
    State.JUDGED: "warning",
    State.STOPPED: "warning",
    State.KEPT: "success",
    State.ROLLING_BACK: "info",
    State.ROLLED_BACK: "danger",
    State.VOID: "default",
}
"""All of them: a badge without a color shows the name in the code."""
RESULT_COLORS = {
    Verdict.Result.SUCCESS: "success",
    Verdict.Result.FAILED: "danger",
    Verdict.Result.NEUTRAL: "info",
    Verdict.Result.INCONCLUSIVE: "default",
}
KEPT = gettext_lazy("%(experiment)s: the price stays.")
ROLLED_BACK = gettext_lazy("%(experiment)s: the price is being rolled back.")
EXTENDED = gettext_lazy("%(experiment)s: seven more days.")
EXTENDED_TO = gettext_lazy("%(experiment)s: %(days)s days in all.")
STOPPED = gettext_lazy("%(experiment)s: stopped. Keep the new price or roll it back.")


class VerdictInline(HistoryInline[Verdict]):
    model = Verdict
    fields = ["as_of", "result", "likely", "money", "sold", "advice", "valid_days", "controls"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Verdict]:
        return super().get_queryset(request).select_related("experiment")

    @display(description=gettext_lazy("probability"))
    def likely(self, verdict: Verdict) -> str:
        return formats.probability(verdict.probability)

    @display(description=gettext_lazy("profit per day"))
    def money(self, verdict: Verdict) -> str:
        return money_per_day(verdict) or "—"

    @display(description=gettext_lazy("sold / expected"))
    def sold(self, verdict: Verdict) -> str:
        return f"{formats.whole(verdict.observed)} / {formats.number(verdict.expected)}"


class ExtensionForm(BaseDialogForm):
    """How long it is to be measured in all: the lengths that are longer than now."""

    def __init__(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        self.fields["days"] = forms.TypedChoiceField(
            label=_("how long in all"),
            choices=[(days, _length(days)) for days in Experiment.objects.get(pk=object_id).longer],
            coerce=int,
            widget=UnfoldAdminSelectWidget,
            help_text=_(
                "The next verdict is given after all these days. More of them show a smaller effect, but each day at a "
                "worse price costs; after four weeks more time teaches hardly anything."
            ),
        )


class ExperimentAdmin(AboutProduct[Experiment]):
    list_display = ["product_in_words", "marketplace", "change", "state_badge", "day_in_words", "verdict_badge"]
    exported: ClassVar = {
        "product_in_words": "product",
        "change": {gettext_lazy("price before"): "price_from", gettext_lazy("price after"): "price_to"},
        "day_in_words": {
            gettext_lazy("first full day"): "starts_on",
            gettext_lazy("days"): "days",
            gettext_lazy("stopped on"): "stopped_on",
        },
    }
    list_filter = ["shop", "state"]
    list_select_related = ["product__shop", "shop"]
    inlines = [VerdictInline]
    change_form_outer_before_template = "admin/experiment.html"
    actions = ["keep", "roll_back", "extend"]
    actions_detail = ["keep_this", "extend_this", "stop_this", "roll_this_back"]
    fieldsets: ClassVar = [
        (None, {"fields": [("product", "shop"), ("change", "days_in_words"), "state"]}),
        (gettext_lazy("What became of it"), {"fields": [("decided_by", "decided_at"), ("command", "rollback")]}),
    ]
    readonly_fields = ["change", "days_in_words"]

    class Media:
        css: ClassVar = {"all": ["vitrina/experiment.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        return super().get_queryset(request).prefetch_related("verdicts")

    def render_change_form(  # noqa: PLR0917 - as Django has it
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Experiment | None = None,
    ) -> HttpResponse:
        page = page_of(obj, _today(obj)) if obj else None
        return super().render_change_form(request, {**context, "page": page}, add, change, form_url, obj)

    @display(description=gettext_lazy("product"), ordering="product__name")
    def product_in_words(self, experiment: Experiment) -> SafeString:
        product = experiment.product
        subtle = "text-font-subtle-light dark:text-font-subtle-dark"
        lines = '<span class="course-product" title="{}">{}</span><span class="course-product {}">{}</span>'
        return format_html(lines, product.name, product.name, subtle, product.offer_id)

    @display(description=gettext_lazy("price"))
    def change(self, experiment: Experiment) -> str:
        before, after = (
            formats.money(price, experiment.currency) for price in (experiment.price_from, experiment.price_to)
        )
        return f"{before} → {after} ({formats.change(experiment.price_to / experiment.price_from - 1)})"

    @display(description=gettext_lazy("measured days"), ordering="starts_on")
    def days_in_words(self, experiment: Experiment) -> str:
        return f"{formats.short_day(experiment.starts_on)} – {formats.day(experiment.ends_on)}"

    @display(description=gettext_lazy("state"), label=COLORS, ordering="state")
    def state_badge(self, experiment: Experiment) -> tuple[str, str]:
        return experiment.state, experiment.get_state_display()

    @display(description=gettext_lazy("day"), ordering="starts_on")
    def day_in_words(self, experiment: Experiment) -> str:
        """Day 3 of 7 while it runs; what has ended tells only its length."""
        days, over = experiment.days, experiment.days_over(_today(experiment))
        if experiment.state == State.RUNNING:
            return _("day %(number)s of %(days)s") % {"number": min(over + 1, days), "days": days}
        if experiment.stopped_on:
            return _("days: %(over)s of %(days)s") % {"over": over, "days": days}
        return _length(days)

    @display(description=gettext_lazy("verdict"), label=RESULT_COLORS)
    def verdict_badge(self, experiment: Experiment) -> tuple[str, str] | None:
        verdict = latest(experiment)
        return (verdict.result, verdict.get_result_display()) if verdict else None

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return permitted(request, Action.APPROVE)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[RowAction]:
        """Buttons only for what can still be decided."""
        state = Experiment.objects.values_list("state", flat=True).filter(pk=object_id).first()
        offered = BUTTONS.get(State(state), []) if state else []
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    @admin.action(description=gettext_lazy("Keep the new price"), permissions=["decide"])
    def keep(self, request: HttpRequest, experiments: QuerySet[Experiment]) -> None:
        self._each(request, experiments, lifecycle.keep, KEPT)

    @admin.action(description=gettext_lazy("Roll back to the old price"), permissions=["decide"])
    def roll_back(self, request: HttpRequest, experiments: QuerySet[Experiment]) -> None:
        self._each(request, experiments, lifecycle.roll_back, ROLLED_BACK)

    @admin.action(description=gettext_lazy("Measure seven more days"), permissions=["decide"])
    def extend(self, request: HttpRequest, experiments: QuerySet[Experiment]) -> None:
        self._each(request, experiments, lifecycle.extend, EXTENDED)

    @button(
        gettext_lazy("Keep"),
        question=gettext_lazy("Keep the new price?"),
        consequence=gettext_lazy("Nothing is sent; the experiment ends."),
        permission="decide",
        icon="check",
        variant=ActionVariant.SUCCESS,
    )
    def keep_this(self, request: HttpRequest, experiment: Experiment, form: BaseDialogForm) -> None:
        self._each(request, [experiment], lifecycle.keep, KEPT)

    @button(
        gettext_lazy("Extend"),
        question=gettext_lazy("Measure longer?"),
        consequence=gettext_lazy("The new price stays until then."),
        permission="decide",
        icon="more_time",
        form_class=ExtensionForm,
    )
    def extend_this(self, request: HttpRequest, experiment: Experiment, form: BaseDialogForm) -> None:
        days = form.cleaned_data["days"]
        self._each(request, [experiment], partial(lifecycle.extend, days=days), EXTENDED_TO, days=days)

    @button(
        gettext_lazy("Stop"),
        question=gettext_lazy("Stop measuring before its time?"),
        consequence=gettext_lazy(
            "There will be no verdict: one is given after whole weeks only, not on a day that somebody picks. Nothing "
            "is sent; the new price stays until you keep it or roll it back, and until then the product gets no new "
            "proposal."
        ),
        permission="decide",
        icon="stop_circle",
    )
    def stop_this(self, request: HttpRequest, experiment: Experiment, form: BaseDialogForm) -> None:
        self._each(request, [experiment], lifecycle.stop, STOPPED)

    @button(
        gettext_lazy("Roll back"),
        question=gettext_lazy("Roll back to the old price?"),
        consequence=gettext_lazy("The old price is sent to the marketplace and read back."),
        permission="decide",
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    def roll_this_back(self, request: HttpRequest, experiment: Experiment, form: BaseDialogForm) -> None:
        self._each(request, [experiment], lifecycle.roll_back, ROLLED_BACK)

    def _each(
        self, request: HttpRequest, experiments: Iterable[Experiment], verb: Verb, done: Promise, **said: object
    ) -> None:
        for experiment in experiments:
            self.decide(request, str(done) % {"experiment": experiment, **said}, _decision(verb, experiment.pk))


def _decision(verb: Verb, experiment_id: int) -> Callable[..., object]:
    return lambda member: verb(experiment_id=experiment_id, by=member, now=clock.now())


def _today(experiment: Experiment) -> date:
    return day_of(clock.now(), experiment.shop.timezone)


def _length(days: int) -> str:
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


def latest(experiment: Experiment) -> Verdict | None:
    """The newest verdict, of those that were fetched along."""
    return next(iter(experiment.verdicts.all()), None)


def money_per_day(verdict: Verdict) -> str:
    """+310 ₽ (from +90 ₽ to +540 ₽); empty when the profit is not known."""
    if verdict.per_day is None or verdict.per_day_low is None or verdict.per_day_high is None:
        return ""
    currency = verdict.experiment.currency
    low, high = (formats.gain(end, currency) for end in (verdict.per_day_low, verdict.per_day_high))
    return _("%(money)s (from %(low)s to %(high)s)") % {
        "money": formats.gain(verdict.per_day, currency), "low": low, "high": high
    }  # fmt: skip
