"""What waits for a decision, and what became of it. Here, where the kinds of change are known, for their words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db.models import BigIntegerField, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from apps.backoffice.admin_experiments import COLORS as EXPERIMENT_COLORS
from apps.backoffice.approve_many import CONFIRMED, question, shown_hash
from apps.backoffice.decision_story import Story, story_of
from apps.catalog.admin_product import AboutProduct, sku_link
from apps.catalog.models import Product
from apps.common import clock, formats
from apps.common.errors import UserError
from apps.decisions.approval import approve, reject
from apps.decisions.models import Command, Proposal
from apps.decisions.words import say
from apps.experiments.models import Experiment
from apps.shops.admin_buttons import button
from apps.shops.admin_export import Source
from apps.shops.asking import permitted, require_member
from apps.shops.models import Member
from apps.shops.roles import Action
from apps.shops.typed_unfold import RowAction, display

# A badge without a color shows the name in the code.
PROPOSAL_COLORS: dict[str, str] = {
    **dict.fromkeys(Proposal.State, "default"),
    Proposal.State.PENDING: "warning",
    Proposal.State.APPROVED: "success",
    Proposal.State.REJECTED: "danger",
}
COMMAND_COLORS: dict[str, str] = {
    **dict.fromkeys(Command.State, "default"),
    Command.State.VERIFIED: "success",
    Command.State.REJECTED: "danger",
    Command.State.NEEDS_HUMAN: "danger",
    **dict.fromkeys(Command.LIVE, "info"),
}
APPROVED = gettext_lazy("%(proposal)s: approved, it is being carried out.")
ONE_MORE = gettext_lazy("%(proposal)s: your yes counts, one more person has to agree.")
LEFT_OUT = gettext_lazy("%(proposal)s: left out, it has changed since you were asked.")
REJECTED = gettext_lazy("%(proposal)s: rejected.")
Decision = Callable[[Member], object]
Change = TypeVar("Change", Proposal, Command)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Label(TypedDict):
    """What a list adds to its rows."""

    product_label: str | None
    product_sku: int | None


def _money_in(row: Proposal | Command, name: str) -> Decimal | None:
    """A sum of the payload; of a kind of change that knows no such thing none."""
    amount = row.payload.get(name)
    return None if amount is None else Decimal(amount)


FIGURES: dict[str | Promise, Source] = {
    gettext_lazy("change"): str,
    gettext_lazy("price before"): lambda row: _money_in(row, "expected_price"),
    gettext_lazy("price after"): lambda row: _money_in(row, "price"),
}
"""What a file tells of a change beside its words."""


class _ChangeAdmin(AboutProduct[Change]):
    """Pages of a change to a product: which one, and from what to what."""

    exported: ClassVar = {"change": FIGURES}
    list_filter = ["shop", "state", "kind"]
    numbers = ("target",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Change]:
        named = Product.objects.filter(pk=OuterRef("product_id"), shop=OuterRef("shop"))
        label = named.annotate(label=Concat("offer_id", Value(" · "), "name")).values("label")
        product_id = Cast(KT("payload__product_id"), BigIntegerField())
        rows: QuerySet[Change] = super().get_queryset(request).annotate(product_id=product_id)
        return rows.annotate(product_label=label[:1], product_sku=named.values("sku")[:1])

    def is_about(self, products: QuerySet[Product]) -> Q:
        return Q(product_id__in=products.values("pk"))

    @display(description=gettext_lazy("product"), ordering="product_label")
    def product(self, row: WithAnnotations[Proposal, Label] | WithAnnotations[Command, Label]) -> str:
        return str(row.product_label or row.target)

    @display(description=gettext_lazy("SKU"), ordering="product_sku")
    def marketplace(self, row: Any) -> SafeString | str:
        return sku_link(row.product_sku, row.shop)

    @display(description=gettext_lazy("change"))
    def change(self, row: Proposal | Command) -> str:
        return str(row)


class ApprovalForm(BaseDialogForm):
    """Binds the yes to what was shown."""

    payload_hash = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        self.fields["payload_hash"].initial = Proposal.objects.values_list("payload_hash", flat=True).get(pk=object_id)


class ProposalAdmin(_ChangeAdmin[Proposal]):
    list_display = ["product", "marketplace", "change", "state_badge", "expected", "worst", "expires_at"]
    list_select_related = ["shop"]
    exported: ClassVar = {
        **_ChangeAdmin.exported,
        "expected": {
            gettext_lazy("expected per day"): "effect",
            gettext_lazy("effect, low end"): "effect_low",
            gettext_lazy("effect, high end"): "effect_high",
        },
        "worst": "worst_case",
    }
    actions = ["approve", "reject"]
    actions_detail = ["approve_this", "reject_this"]
    change_form_template = "admin/decision.html"
    fieldsets = [(None, {"fields": []})]

    @display(description=gettext_lazy("state"), label=PROPOSAL_COLORS, ordering="state")
    def state_badge(self, proposal: Proposal) -> tuple[str, str]:
        return proposal.state, proposal.get_state_display()

    @display(description=gettext_lazy("expected per day"), ordering="effect")
    def expected(self, proposal: Proposal) -> str:
        if proposal.effect is None:
            return "—"
        gain = formats.gain(proposal.effect, proposal.currency)
        if proposal.effect_low is None or proposal.effect_high is None:
            return gain
        ends = (formats.gain(end, proposal.currency) for end in (proposal.effect_low, proposal.effect_high))
        return f"{gain} ({' … '.join(ends)})"

    @display(description=gettext_lazy("worst case per day"), ordering="worst_case")
    def worst(self, proposal: Proposal) -> str:
        return "—" if proposal.worst_case is None else formats.gain(proposal.worst_case, proposal.currency)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The whole story of the decision in place of a form: there is nothing to fill in."""
        story = story_of(context["original"].pk, tells_profit=permitted(request, Action.SEE_PROFIT))
        proposal = story.proposal
        told = {
            "story": story,
            "badges": badges(story),
            "is_open": proposal.state == Proposal.State.PENDING and proposal.expires_at > clock.now(),
            "title": f"{story.product.name}: {proposal}",
        }
        return super().render_change_form(request, {**context, **told}, *args, **kwargs)

    def has_approve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return permitted(request, Action.APPROVE)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[RowAction]:
        """Buttons only while there is something to decide."""
        is_open = Proposal.objects.filter(pk=object_id, state=Proposal.State.PENDING).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    @admin.action(description=gettext_lazy("Approve"), permissions=["approve"])
    def approve(
        self, request: HttpRequest, proposals: QuerySet[WithAnnotations[Proposal, Label]]
    ) -> TemplateResponse | None:
        """Asks once more, with the sums; then each passes the gate by itself, bound to what the question has shown."""
        if CONFIRMED not in request.POST:
            chosen = list(proposals)
            columns = [(self.product(one), self.change(one), self.expected(one), self.worst(one)) for one in chosen]
            return question(request, chosen, columns=columns)
        for proposal in proposals:
            if shown_hash(request, proposal) == proposal.payload_hash:
                self.say_yes(request, proposal, proposal.payload_hash)
            else:
                self.message_user(request, _about(LEFT_OUT, proposal), messages.WARNING)
        return None

    def say_yes(self, request: HttpRequest, proposal: WithAnnotations[Proposal, Label], payload_hash: str) -> None:
        """One yes in the person's name, and in words what it has led to."""
        try:
            command = approval_of(proposal.pk, payload_hash)(require_member(request))
        except UserError as error:
            self.message_user(request, f"{proposal.product_label or proposal}: {error}", messages.ERROR)
        else:
            self.message_user(request, _about(APPROVED if command else ONE_MORE, proposal), messages.SUCCESS)

    @admin.action(description=gettext_lazy("Reject"), permissions=["approve"])
    def reject(self, request: HttpRequest, proposals: QuerySet[WithAnnotations[Proposal, Label]]) -> None:
        for proposal in proposals:
            self.decide(request, _about(REJECTED, proposal), rejection_of(proposal.pk))

    @button(
        gettext_lazy("Approve"),
        question=gettext_lazy("Approve this change?"),
        consequence=gettext_lazy("It is sent to the marketplace at once, and read back."),
        permission="approve",
        icon="check",
        variant=ActionVariant.SUCCESS,
        form_class=ApprovalForm,
    )
    def approve_this(
        self, request: HttpRequest, proposal: WithAnnotations[Proposal, Label], form: BaseDialogForm
    ) -> None:
        self.say_yes(request, proposal, form.cleaned_data["payload_hash"])

    @button(
        gettext_lazy("Reject"),
        question=gettext_lazy("Reject this change?"),
        consequence=gettext_lazy("Nothing is sent. The next analysis may propose it again."),
        permission="approve",
        icon="close",
        variant=ActionVariant.DANGER,
    )
    def reject_this(
        self, request: HttpRequest, proposal: WithAnnotations[Proposal, Label], form: BaseDialogForm
    ) -> None:
        self.decide(request, _about(REJECTED, proposal), rejection_of(proposal.pk))


class CommandAdmin(_ChangeAdmin[Command]):
    """What was sent, as a list; each leads to the page of its decision, which tells the command's story too."""

    list_display = ["product", "marketplace", "change", "state_badge", "writes", "sent_at", "verified_at", "trouble"]
    exported: ClassVar = {
        "change": {
            **FIGURES,
            gettext_lazy("currency"): lambda command: command.proposal.currency,
        }
    }
    list_select_related = ["proposal", "shop"]

    @display(description=gettext_lazy("state"), label=COMMAND_COLORS, ordering="state")
    def state_badge(self, command: Command) -> tuple[str, str]:
        return command.state, command.get_state_display()

    @display(description=gettext_lazy("problem"))
    def trouble(self, command: Command) -> str:
        return say(command.problem, kind=command.kind, currency=command.proposal.currency) or "—"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return redirect("admin:decisions_proposal_change", context["original"].proposal_id)


@dataclass(frozen=True)
class Badge:
    words: str
    color: str


def badges(story: Story) -> list[Badge]:
    """How the proposal, its command and its experiment stand, as far as there are any."""
    stand: list[tuple[Proposal | Command | Experiment | None, Mapping[Any, str]]] = [
        (story.proposal, PROPOSAL_COLORS),
        (story.command, COMMAND_COLORS),
        (story.experiment, EXPERIMENT_COLORS),
    ]
    return [
        Badge(f"{row._meta.verbose_name}: {row.get_state_display()}", colors.get(row.state, ""))
        for row, colors in stand
        if row
    ]


def approval_of(proposal_id: int, payload_hash: str) -> Decision:
    return lambda member: approve(proposal_id=proposal_id, payload_hash=payload_hash, by=member, now=clock.now())


def rejection_of(proposal_id: int) -> Decision:
    return lambda member: reject(proposal_id=proposal_id, by=member, now=clock.now())


def _about(sentence: Promise, proposal: WithAnnotations[Proposal, Label]) -> str:
    return str(sentence) % {"proposal": proposal.product_label or proposal}
