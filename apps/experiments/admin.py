"""Experiments with their verdicts, and the decisions on them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.common import clock
from apps.experiments import lifecycle
from apps.experiments.models import Experiment, Verdict
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin, ScopedInline

COLORS = {
    Experiment.State.RUNNING: "info",
    Experiment.State.JUDGED: "warning",
    Experiment.State.KEPT: "success",
    Experiment.State.ROLLED_BACK: "danger",
}


class VerdictInline(ScopedInline):
    model = Verdict
    fields = readonly_fields = [
        "as_of", "result", "probability", "effect", "effect_low", "effect_high", "per_day", "observed", "expected",
        "valid_days", "advice",
    ]  # fmt: skip
    max_num = 0


@admin.register(Experiment)
class ExperimentAdmin(ScopedAdmin):
    list_display = ["starts_on", "product", "price_from", "price_to", "currency", "days", "state_badge", "last_verdict"]
    list_filter: ClassVar = [("shop", admin.RelatedOnlyFieldListFilter), "state"]
    search_fields = ["product__offer_id", "product__name", "=product__sku"]
    list_select_related = ["product"]
    inlines = [VerdictInline]
    actions = ["keep", "roll_back", "extend"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("verdicts")

    @display(description=gettext_lazy("state"), label=COLORS, ordering="state")
    def state_badge(self, experiment: Experiment) -> tuple[str, str]:
        return experiment.state, experiment.get_state_display()

    @display(description=gettext_lazy("verdict"))
    def last_verdict(self, experiment: Experiment) -> str:
        verdicts = list(experiment.verdicts.all())
        return verdicts[0].get_result_display() if verdicts else "—"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, Action.APPROVE)

    @admin.action(description=gettext_lazy("Keep the new price"), permissions=["decide"])
    def keep(self, request: HttpRequest, experiments: QuerySet[Experiment]) -> None:
        self._each(request, experiments, lifecycle.keep, _("%(experiment)s: the price stays."))

    @admin.action(description=gettext_lazy("Roll back to the old price"), permissions=["decide"])
    def roll_back(self, request: HttpRequest, experiments: QuerySet[Experiment]) -> None:
        self._each(request, experiments, lifecycle.roll_back, _("%(experiment)s: the price is being rolled back."))

    @admin.action(description=gettext_lazy("Measure seven more days"), permissions=["decide"])
    def extend(self, request: HttpRequest, experiments: QuerySet[Experiment]) -> None:
        self._each(request, experiments, lifecycle.extend, _("%(experiment)s: seven more days."))

    def _each(self, request: HttpRequest, experiments: QuerySet[Experiment], verb: Any, done: str) -> None:
        for experiment in experiments:
            self.decide(request, done % {"experiment": experiment}, self._call(verb, experiment.pk))

    @staticmethod
    def _call(verb: Any, experiment_id: int) -> Any:
        return lambda member: verb(experiment_id=experiment_id, by=member, now=clock.now())
