"""What waits for a decision, and what became of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.common import clock
from apps.decisions.approval import approve, reject
from apps.decisions.models import Approval, Attempt, Command, Proposal
from apps.decisions.switch import turn
from apps.decisions.words import say
from apps.shops.models import KillSwitch
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin, ScopedInline, person_of

SHOP_FILTER = ("shop", admin.RelatedOnlyFieldListFilter)

PROPOSAL_COLORS = {
    Proposal.State.PENDING: "warning",
    Proposal.State.APPROVED: "success",
    Proposal.State.REJECTED: "danger",
}
COMMAND_COLORS = {
    Command.State.VERIFIED: "success",
    Command.State.REJECTED: "danger",
    Command.State.NEEDS_HUMAN: "danger",
    **dict.fromkeys(Command.LIVE, "warning"),
}


class ApprovalInline(ScopedInline):
    model = Approval
    fields = readonly_fields = ["member", "verdict", "at"]
    max_num = 0


class AttemptInline(ScopedInline):
    model = Attempt
    fields = readonly_fields = ["number", "started_at", "finished_at", "outcome", "answer"]
    max_num = 0


@admin.register(Proposal)
class ProposalAdmin(ScopedAdmin):
    list_display = ["created_at", "target", "state_badge", "effect", "worst_case", "currency", "expires_at"]
    list_filter: ClassVar = [SHOP_FILTER, "state", "kind"]
    search_fields = ["target"]
    inlines = [ApprovalInline]
    actions = ["approve", "reject"]

    @display(description=gettext_lazy("state"), label=PROPOSAL_COLORS, ordering="state")
    def state_badge(self, proposal: Proposal) -> tuple[str, str]:
        return proposal.state, proposal.get_state_display()

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, Action.APPROVE)

    @admin.action(description=gettext_lazy("Approve"), permissions=["approve"])
    def approve(self, request: HttpRequest, proposals: QuerySet[Proposal]) -> None:
        for proposal in proposals:
            done = _("%(proposal)s: approved, it is being carried out.") % {"proposal": proposal}
            self.decide(request, done, self._approval_of(proposal))

    @admin.action(description=gettext_lazy("Reject"), permissions=["approve"])
    def reject(self, request: HttpRequest, proposals: QuerySet[Proposal]) -> None:
        for proposal in proposals:
            done = _("%(proposal)s: rejected.") % {"proposal": proposal}
            self.decide(request, done, self._rejection_of(proposal))

    @staticmethod
    def _approval_of(proposal: Proposal) -> Any:
        return lambda member: approve(
            proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=member, now=clock.now()
        )

    @staticmethod
    def _rejection_of(proposal: Proposal) -> Any:
        return lambda member: reject(proposal_id=proposal.pk, by=member, now=clock.now())


@admin.register(Command)
class CommandAdmin(ScopedAdmin):
    list_display = ["created_at", "target", "state_badge", "writes", "sent_at", "verified_at", "trouble"]
    list_filter: ClassVar = [SHOP_FILTER, "state", "kind"]
    search_fields = ["target"]
    list_select_related = ["proposal"]
    inlines = [AttemptInline]

    @display(description=gettext_lazy("state"), label=COMMAND_COLORS, ordering="state")
    def state_badge(self, command: Command) -> tuple[str, str]:
        return command.state, command.get_state_display()

    @display(description=gettext_lazy("problem"))
    def trouble(self, command: Command) -> str:
        return say(command.problem, kind=command.kind, currency=command.proposal.currency)


@admin.register(KillSwitch)
class KillSwitchAdmin(ScopedAdmin):
    """One row per shop that was ever stopped, and one, the superuser's, for the whole installation."""

    list_display = ["__str__", "state", "changed_by", "changed_at"]
    list_select_related = ["shop", "changed_by__user"]
    fields = ["shop", "is_on"]
    add_action = change_action = Action.STOP

    @display(description=gettext_lazy("state"), label={"on": "danger", "off": "success"})
    def state(self, switch: KillSwitch) -> tuple[str, str]:
        return ("on", _("everything is stopped")) if switch.is_on else ("off", _("changes are allowed"))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["shop"] if obj else []

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "shop" in form.base_fields:
            form.base_fields["shop"].required = not request.user.is_superuser
        return form

    def save_model(self, request: HttpRequest, obj: KillSwitch, form: ModelForm, change: bool) -> None:
        obj.pk = turn(on=obj.is_on, shop=obj.shop, by=person_of(request)).pk
