"""Proposing a change and deciding on it: the one gate that every outside change passes.

A decision is one transaction under the shop's lock, so that what is counted (untouched products, pending proposals) is
counted once. A refusal that changes the proposal (expired, stale) commits that change before it is raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Exists
from django.utils.translation import gettext_lazy as _

from apps.common.clock import real_now
from apps.common.db import take_lock
from apps.common.errors import Refused
from apps.decisions.four_eyes import ONE, TWO, agreed, is_large, people_needed, rules_of, tell_too_few, too_few
from apps.decisions.kinds import Checked, Draft, Kind, Objection, hash_of, kind_of, payload_of
from apps.decisions.models import Approval, Attempt, Command, Proposal
from apps.decisions.words import say, say_renewal
from apps.jobs.wake import wake
from apps.notifications.outbox import people_who_may, retell, tell
from apps.shops.audit import record
from apps.shops.models import Member, Shop, is_stopped
from apps.shops.roles import Action, require

Outcome = TypeVar("Outcome")


class AlreadyDecided(Refused):
    """Somebody was first, or the proposal has ended; `proposal` says how."""

    def __init__(self, proposal: Proposal) -> None:
        self.proposal = proposal
        super().__init__(_how_it_ended(proposal))


class Objected(Refused):
    """A guardrail stands against the change; `objection` holds its figures."""

    def __init__(self, proposal: Proposal, objection: Objection) -> None:
        self.objection = objection
        super().__init__(say(objection.as_json(), kind=proposal.kind, currency=proposal.currency))


class OutOfDate(Objected):
    """The figures under the proposal have moved: it has ended, and `proposal.outcome` says what follows."""

    def __init__(self, proposal: Proposal, objection: Objection) -> None:
        super().__init__(proposal, objection)
        self.proposal = proposal
        renewal = say_renewal(proposal.outcome, kind=proposal.kind, currency=proposal.currency)
        self.message = f"{self.message} {renewal}".strip()


@transaction.atomic
def propose(
    *,
    shop: Shop,
    kind: Kind,
    draft: Draft,
    now: datetime,
    expires_at: datetime,
    needed: int = 1,
    by: Member | None = None,
    reverses: Command | None = None,
) -> Proposal:
    """A new proposal in place of any that waits for the same target. Raises `Objected` when a guardrail forbids it."""
    take_lock("decisions", shop.pk)
    target = kind.target(draft.payload)
    for older in Proposal.objects.filter(shop=shop, target=target, state=Proposal.State.PENDING):
        _end(older, Proposal.State.SUPERSEDED, now=now)
    proposal = Proposal(
        shop=shop,
        kind=kind.key,
        target=target,
        payload=draft.payload.model_dump(mode="json"),
        payload_hash=hash_of(draft.payload),
        needed=needed,
        currency=draft.currency,
        effect=draft.effect,
        effect_low=draft.effect_low,
        effect_high=draft.effect_high,
        worst_case=draft.worst_case,
        data_as_of=draft.data_as_of,
        proposed_by=by,
        reverses=reverses,
        created_at=now,
        expires_at=expires_at,
    )
    checked = kind.check(proposal, draft.payload, now=now)
    if checked.objection:
        raise Objected(proposal, checked.objection)
    proposal.checks = list(checked.passed)
    if reverses is None and is_large(proposal, rules_of(shop)):
        proposal.needed = max(needed, TWO)
    if objection := too_few(proposal, proposal.needed):
        raise Objected(proposal, objection)
    proposal.save()
    record("proposal.made", actor=by.person if by else None, shop=shop, subject=proposal, target=target)
    return proposal


def show(proposal: Proposal) -> None:
    """Put the proposal's card before everybody who may decide on it, and everybody who decided."""
    tell(
        name="proposal_card",
        key=f"proposal:{proposal.pk}",
        seller=proposal.shop.seller,
        people=people_who_may(proposal.shop.seller, Action.APPROVE),
        params={"proposal": proposal.pk},
        subject=_subject(proposal),
    )


def approve(*, proposal_id: int, payload_hash: str, by: Member, now: datetime) -> Command | None:
    """One member's yes. Returns the command when it was the last one needed, None when more are.

    Raises `Denied`, `NotFound`, `AlreadyDecided`, or `Objected` with the guardrail's figures.
    """
    return _decide(proposal_id, by, now, lambda proposal: _approve(proposal, payload_hash, by, now))


def reject(*, proposal_id: int, by: Member, now: datetime) -> None:
    """One member's no ends the proposal. Raises `Denied`, `NotFound` or `AlreadyDecided`."""
    _decide(proposal_id, by, now, lambda proposal: _reject(proposal, by, now))


def expire_due(*, now: datetime) -> int:
    """End what nobody decided in time. Returns how many."""
    count = 0
    for proposal_id in Proposal.objects.filter(state=Proposal.State.PENDING, expires_at__lte=now).values_list(
        "pk", flat=True
    ):
        with transaction.atomic():
            proposal = Proposal.objects.select_for_update().get(pk=proposal_id)
            if proposal.state == Proposal.State.PENDING:
                _end(proposal, Proposal.State.EXPIRED, now=now)
                count += 1
    return count


def close_hopeless(*, now: datetime) -> int:
    """End what more people would have to agree to than may approve now, and tell those who may. Returns how many.

    It is asked for anew when there are enough of them; one person's word is never taken for that of two.
    """
    closed: Counter[Shop] = Counter()
    waiting = Proposal.objects.filter(state=Proposal.State.PENDING, needed__gt=ONE)
    for proposal_id, shop_id in waiting.values_list("pk", "shop"):
        with transaction.atomic():
            take_lock("decisions", shop_id)
            proposal = waiting.select_related("shop__seller").filter(pk=proposal_id).first()
            objection = too_few(proposal, proposal.needed) if proposal else None
            if proposal and objection:
                _end(proposal, Proposal.State.STALE, now=now, outcome=objection.as_json())
                closed[proposal.shop] += 1
    for shop, count in closed.items():
        tell_too_few(shop, count, now=now)
    return closed.total()


def _decide(proposal_id: int, by: Member, now: datetime, decision: Callable[[Proposal], Outcome | Refused]) -> Outcome:
    require(by, Action.APPROVE)
    with transaction.atomic():
        proposal = Proposal.objects.find(by.seller, pk=proposal_id)
        take_lock("decisions", proposal.shop_id)
        proposal = Proposal.objects.select_for_update(of=("self",)).select_related("shop__seller").get(pk=proposal_id)
        outcome = _standing(proposal, now) or decision(proposal)
        if isinstance(outcome, Objected):
            record(
                "proposal.objected",
                actor=by.person,
                shop=proposal.shop,
                subject=proposal,
                **outcome.objection.as_json(),
            )
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def _standing(proposal: Proposal, now: datetime) -> Refused | None:
    if proposal.state == Proposal.State.PENDING and proposal.expires_at <= now:
        _end(proposal, Proposal.State.EXPIRED, now=now)
    return None if proposal.state == Proposal.State.PENDING else AlreadyDecided(proposal)


def _approve(proposal: Proposal, payload_hash: str, by: Member, now: datetime) -> Command | Refused | None:
    kind, payload = kind_of(proposal), payload_of(proposal)
    if not payload_hash == proposal.payload_hash == hash_of(payload):
        return _go_stale(proposal, Objection("content_changed", is_stale=True), now)
    # While everything is stopped a card only waits: it goes out of date with the press that comes after.
    moved = None if is_stopped(proposal.shop) else kind.moved(proposal, payload, now=now)
    checked = Checked(objection=moved) if moved else kind.check(proposal, payload, now=now)
    if checked.objection and checked.objection.is_stale:
        return _go_stale(proposal, checked.objection, now)
    if objection := checked.objection or too_few(proposal, people_needed(proposal, now=now)):
        return Objected(proposal, objection)
    _agree(proposal, by, now)
    if agreed(proposal).count() < proposal.needed:
        retell(_subject(proposal))
        return None
    return _command(proposal, kind, checked, now)


def _agree(proposal: Proposal, by: Member, now: datetime) -> None:
    """Note the yes, and how many are needed as things stand: once asked for, a second person stays asked for."""
    needed = people_needed(proposal, now=now)
    if needed > proposal.needed:
        proposal.needed = needed
        proposal.save(update_fields=["needed"])
    _row, is_new = Approval.objects.get_or_create(
        proposal=proposal, member=by, defaults={"verdict": Approval.Verdict.APPROVE, "at": now}
    )
    if is_new:
        record("proposal.approved", actor=by.person, shop=proposal.shop, subject=proposal)


def _command(proposal: Proposal, kind: Kind, checked: Checked, now: datetime) -> Command | Refused:
    live = (
        Command.objects.select_for_update()
        .filter(shop=proposal.shop, target=proposal.target, state__in=Command.LIVE)
        .first()
    )
    if live and live.state != Command.State.QUEUED:
        return Objected(proposal, Objection("change_under_way"))
    if live and not supersede(live, now):
        return Objected(proposal, Objection("change_under_way"))
    _end(proposal, Proposal.State.APPROVED, now=now)
    command = Command.objects.create(
        proposal=proposal,
        shop=proposal.shop,
        kind=proposal.kind,
        target=proposal.target,
        payload=proposal.payload,
        payload_hash=proposal.payload_hash,
        checks=list(checked.passed),
        account=kind.account(proposal.shop),
        created_at=now,
        due_at=real_now(),
    )
    record("command.queued", shop=proposal.shop, subject=command, proposal=proposal.pk)
    wake("commands.run", command.pk)
    return command


def supersede(command: Command, now: datetime) -> bool:
    """Take a command back that was never sent. False when a send has begun."""
    taken = take_unsent(command, state=Command.State.SUPERSEDED, problem={}, now=now)
    if taken:
        record("command.superseded", shop=command.shop, subject=command)
    return taken


def take_unsent(command: Command, *, state: Command.State, problem: dict[str, Any], now: datetime) -> bool:
    """End a command that no worker has in hand and that was never sent, or each time certainly without effect. False
    when it is not so any more."""
    perhaps_applied = Attempt.objects.filter(command=command).exclude(outcome=Attempt.Outcome.NOT_APPLIED)
    waiting = Command.objects.filter(~Exists(perhaps_applied), state=Command.State.QUEUED, lease_until=None)
    if not waiting.filter(pk=command.pk).update(state=state, problem=problem, finished_at=now):
        return False
    retell(_subject(command.proposal))
    return True


def _reject(proposal: Proposal, by: Member, now: datetime) -> None:
    Approval.objects.update_or_create(
        proposal=proposal, member=by, defaults={"verdict": Approval.Verdict.REJECT, "at": now}
    )
    record("proposal.rejected", actor=by.person, shop=proposal.shop, subject=proposal)
    _end(proposal, Proposal.State.REJECTED, now=now)


def _go_stale(proposal: Proposal, objection: Objection, now: datetime) -> Refused:
    """End it, and look at the same target anew: `outcome` says what moved and names the new proposal, or why none."""
    proposal.state = Proposal.State.STALE
    proposal.save(update_fields=["state"])  # a new proposal supersedes what waits
    _end(proposal, Proposal.State.STALE, now=now, outcome={**objection.as_json(), **_renewal(proposal, objection, now)})
    return OutOfDate(proposal, objection)


def _renewal(proposal: Proposal, objection: Objection, now: datetime) -> dict[str, Any]:
    """Nothing follows from content that is not what was shown, nor from the way back that leads nowhere now."""
    if objection.code == "content_changed" or proposal.reverses_id:
        return {}
    fresh = kind_of(proposal).renew(proposal, now=now)
    return {"not_renewed": fresh.as_json()} if isinstance(fresh, Objection) else {"renewed": fresh.pk}


def _end(proposal: Proposal, state: Proposal.State, *, now: datetime, outcome: Mapping[str, Any] | None = None) -> None:
    proposal.state = state
    proposal.decided_at = now
    proposal.outcome = dict(outcome or {})
    proposal.save(update_fields=["state", "decided_at", "outcome"])
    if state not in (Proposal.State.APPROVED, Proposal.State.REJECTED):
        record(f"proposal.{state}", shop=proposal.shop, subject=proposal, **proposal.outcome)
    retell(_subject(proposal))


def _subject(proposal: Proposal) -> str:
    return f"proposal:{proposal.pk}"


def _how_it_ended(proposal: Proposal) -> str:
    said = proposal.approvals.select_related("member__person__user").order_by("-at").first()
    who = str(said.member.person) if said else ""
    words = {
        Proposal.State.APPROVED: _("Already approved by %(who)s."),
        Proposal.State.REJECTED: _("Already rejected by %(who)s."),
        Proposal.State.EXPIRED: _("Too late: this proposal has expired. The next analysis will make a new one."),
        Proposal.State.SUPERSEDED: _("A newer proposal has taken the place of this one."),
        Proposal.State.STALE: _("The figures have moved since this proposal was made; it can no longer be applied."),
    }
    return words[Proposal.State(proposal.state)] % {"who": who}
