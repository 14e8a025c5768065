"""Experiments with their verdicts, and the decisions on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from apps.common import clock, formats
from apps.experiments import lifecycle
from apps.experiments.models import Experiment, Verdict
from apps.shops.admin_buttons import button
from apps.shops.asking import permitted
from apps.shops.roles import Action
from apps.shops.scoped_admin import HistoryInline, ScopedAdmin
from apps.shops.typed_unfold import RowAction, display

State = Experiment.State
Verb = Callable[..., object]

BUTTONS = {State.RUNNING: ["roll_this_back"], State.JUDGED: ["keep_this", "extend_this", "roll_this_back"]}
COLORS = {State.RUNNING: "info", State.JUDGED: "warning", State.KEPT: "success", State.ROLLED_BACK: "danger"}
RESULT_COLORS = {Verdict.Result.SUCCESS: "success", Verdict.Result.FAILED: "danger", Verdict.Result.NEUTRAL: "info"}
KEPT = gettext_lazy("%(experiment)s: the price stays.")
ROLLED_BACK = gettext_lazy("%(experiment)s: the price is being rolled back.")
EXTENDED = gettext_lazy("%(experiment)s: seven more days.")


class VerdictInline(HistoryInline[Verdict]):
    model = Verdict
    fields = ["as_of", "result", "likely", "money", "sold", "advice", "valid_days", "controls"]

    @display(description=gettext_lazy("probability"))
    def likely(self, verdict: Verdict) -> str:
        return formats.probability(verdict.probability)

    @display(description=gettext_lazy("profit per day"))
    def money(self, verdict: Verdict) -> str:
        return money_per_day(verdict) or "—"

    @display(description=gettext_lazy("sold / expected"))
    def sold(self, verdict: Verdict) -> str:
        return f"{formats.whole(verdict.observed)} / {formats.number(verdict.expected)}"


@admin.register(Experiment)
class ExperimentAdmin(ScopedAdmin[Experiment]):
    list_display = ["product", "change", "days_in_words", "state_badge", "verdict_badge", "in_words"]
    list_filter = ["shop", "state"]
    search_fields = ["product__offer_id", "product__name", "=product__sku"]
    list_select_related = ["product"]
    inlines = [VerdictInline]
    actions = ["keep", "roll_back", "extend"]
    actions_detail = ["keep_this", "extend_this", "roll_this_back"]
    fieldsets: ClassVar = [
        (None, {"fields": [("product", "shop"), ("change", "days_in_words"), "state", "in_words"]}),
        (gettext_lazy("What became of it"), {"fields": [("decided_by", "decided_at"), ("command", "rollback")]}),
    ]
    readonly_fields = ["change", "days_in_words", "in_words"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        return super().get_queryset(request).prefetch_related("verdicts")

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

    @display(description=gettext_lazy("verdict"), label=RESULT_COLORS)
    def verdict_badge(self, experiment: Experiment) -> tuple[str, str] | None:
        verdict = latest(experiment)
        return (verdict.result, verdict.get_result_display()) if verdict else None

    @display(description=gettext_lazy("in words"))
    def in_words(self, experiment: Experiment) -> str:
        verdict = latest(experiment)
        return say(verdict) if verdict else "—"

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
        question=gettext_lazy("Measure seven more days?"),
        consequence=gettext_lazy("The new price stays until then."),
        permission="decide",
        icon="more_time",
    )
    def extend_this(self, request: HttpRequest, experiment: Experiment, form: BaseDialogForm) -> None:
        self._each(request, [experiment], lifecycle.extend, EXTENDED)

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

    def _each(self, request: HttpRequest, experiments: Iterable[Experiment], verb: Verb, done: Promise) -> None:
        for experiment in experiments:
            self.decide(request, str(done) % {"experiment": experiment}, _decision(verb, experiment.pk))


def _decision(verb: Verb, experiment_id: int) -> Callable[..., object]:
    return lambda member: verb(experiment_id=experiment_id, by=member, now=clock.now())


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


def say(verdict: Verdict) -> str:
    """One line that a person can decide by."""
    parts = [
        _("better with a probability of %(probability)s") % {"probability": formats.probability(verdict.probability)}
    ]
    if money := money_per_day(verdict):
        parts.append(_("%(money)s a day") % {"money": money})
    if verdict.advice:
        parts.append(_("advice: %(advice)s") % {"advice": verdict.get_advice_display()})
    return "; ".join(parts)
