"""Pressing: by the right person, in the right chat, once; a refusal is told, written down, and spends nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.common.clock import real_now
from apps.decisions.kinds import Objection
from apps.decisions.models import Approval, Batch, Command, DecisionRules, Proposal
from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import tell
from apps.reports.messages import Button
from apps.shops.models import AuditEntry, Member
from apps.shops.roles import Role
from bots import tokens
from bots.actions import ACTIONS, Outcome, press
from bots.models import ButtonToken
from tests.cast import boris, member
from tests.decisions.markets import NOON, Market, offer, steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal(owner: Member, market: Market) -> Proposal:
    return offer(owner.seller.shops.get())


def button(who: Member, action: str, **params: object) -> str:
    """The token of a card with this button."""
    card = Button("Press", action, params)
    (((_label, token),),) = tokens.mint(
        [[card]], person=who.person, seller=who.seller, group=f"outbox:{who.pk}", now=real_now()
    )
    return token


def apply_button(who: Member, proposal: Proposal) -> str:
    return button(who, "proposal.approve", proposal=proposal.pk, hash=proposal.payload_hash)


def pressed(token: str, by: Member | int, *, chat: int | None = 0, now: datetime = NOON) -> Outcome:
    telegram_id = by if isinstance(by, int) else by.person.telegram_id
    assert telegram_id
    return press(token=token, telegram_id=telegram_id, chat_id=telegram_id if chat == 0 else chat, now=now)


def refusals() -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(action="button.refused").order_by("pk")
    return [(entry.subject, entry.data["reason"]) for entry in entries]


def is_untouched(proposal: Proposal) -> bool:
    proposal.refresh_from_db()
    return proposal.state == Proposal.State.PENDING and not Approval.objects.exists() and not Command.objects.exists()


def test_a_press_does_what_the_button_says_and_spends_the_card(owner: Member, proposal: Proposal) -> None:
    token = apply_button(owner, proposal)
    button(owner, "proposal.reject", proposal=proposal.pk)

    outcome = pressed(token, owner)

    assert outcome == Outcome("Accepted, sending.", group=f"outbox:{owner.pk}")
    assert Command.objects.get().proposal == proposal
    assert not ButtonToken.objects.filter(used_at=None).exists()
    assert refusals() == []


def test_a_forged_token_is_refused_and_written_down(owner: Member, proposal: Proposal) -> None:
    outcome = pressed("approve:42", owner)

    assert outcome == Outcome("This button means nothing to me.", is_refusal=True)
    assert refusals() == [("telegram:1001", "unknown")]


def test_a_stranger_with_somebody_s_token_is_refused(owner: Member, proposal: Proposal) -> None:
    outcome = pressed(apply_button(owner, proposal), 666, chat=1001)

    assert outcome == Outcome("This button was made for somebody else.", is_refusal=True)
    assert refusals() == [("telegram:666", "foreign")]
    assert is_untouched(proposal)


def test_another_seller_s_owner_with_somebody_s_token_is_refused(owner: Member, proposal: Proposal) -> None:
    outcome = pressed(apply_button(owner, proposal), boris())

    assert outcome.is_refusal
    assert refusals() == [("telegram:2002", "foreign")]
    assert is_untouched(proposal)


def test_a_colleague_cannot_press_another_s_copy(owner: Member, proposal: Proposal) -> None:
    colleague = member(owner.seller, "Olga", Role.OWNER, telegram_id=1002)

    assert pressed(apply_button(owner, proposal), colleague).is_refusal
    assert is_untouched(proposal)


@pytest.mark.parametrize("chat", [-100500, 2002, None])
def test_a_button_works_in_no_other_chat(owner: Member, proposal: Proposal, chat: int | None) -> None:
    outcome = pressed(apply_button(owner, proposal), owner, chat=chat)

    assert outcome == Outcome("This button works only in the chat it was sent to.", is_refusal=True)
    assert refusals() == [("telegram:1001", "elsewhere")]
    assert is_untouched(proposal)


def test_a_spent_button_is_refused_and_names_its_card(owner: Member, proposal: Proposal) -> None:
    token = apply_button(owner, proposal)
    pressed(token, owner)

    outcome = pressed(token, owner)

    assert outcome == Outcome("This button was pressed already.", is_refusal=True, group=f"outbox:{owner.pk}")
    assert refusals() == [("telegram:1001", "spent")]
    assert Command.objects.count() == 1


def test_an_old_button_is_refused(owner: Member, proposal: Proposal) -> None:
    token = apply_button(owner, proposal)
    ButtonToken.objects.update(expires_at=real_now() - timedelta(seconds=1))

    assert pressed(token, owner).words == "This button is too old."
    assert refusals() == [("telegram:1001", "expired")]
    assert is_untouched(proposal)


def test_somebody_who_left_is_refused_at_once(owner: Member, proposal: Proposal) -> None:
    token = apply_button(owner, proposal)
    owner.delete()

    assert pressed(token, 1001).words == "You are not a member of this seller's team."
    assert refusals() == [("telegram:1001", "denied")]
    assert is_untouched(proposal)


def test_a_closed_login_is_nobody(owner: Member, proposal: Proposal) -> None:
    token = apply_button(owner, proposal)
    owner.person.user.is_active = False
    owner.person.user.save()

    assert pressed(token, owner).is_refusal
    assert is_untouched(proposal)


DECIDING = [action for action in ACTIONS if not action.startswith("settings.")]


@pytest.mark.parametrize("action", DECIDING)
@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
def test_who_may_not_decide_presses_in_vain(owner: Member, proposal: Proposal, action: str, role: Role) -> None:
    demoted = member(owner.seller, "Vera", role, telegram_id=1003)
    token = button(
        demoted, action, proposal=proposal.pk, hash=proposal.payload_hash, experiment=1, command=1, batch=1, shop=1
    )

    outcome = pressed(token, demoted)

    assert outcome.is_refusal
    assert outcome.words.startswith(f"Your role is “{role.label}”")
    assert refusals() == [("telegram:1003", "denied")]
    assert is_untouched(proposal)


@pytest.mark.parametrize("action", ["proposal.approve", "proposal.reject"])
@pytest.mark.parametrize("role", [Role.OWNER, Role.APPROVER])
def test_who_may_decide_does(owner: Member, proposal: Proposal, action: str, role: Role) -> None:
    who = member(owner.seller, "Vera", role, telegram_id=1003)

    assert not pressed(button(who, action, proposal=proposal.pk, hash=proposal.payload_hash), who).is_refusal
    assert Approval.objects.get().member == who


@pytest.mark.parametrize("action", [*DECIDING, "settings.seller"])
def test_a_button_over_another_seller_s_things_finds_nothing(owner: Member, proposal: Proposal, action: str) -> None:
    other = boris()
    ids = {
        "proposal": proposal.pk,
        "hash": proposal.payload_hash,
        "experiment": 1,
        "command": 1,
        "batch": 1,
        "shop": proposal.shop_id,
        "seller": owner.seller.pk,
    }

    outcome = pressed(button(other, action, **ids), other)

    assert outcome.is_refusal
    assert refusals() == [("telegram:2002", "denied")]
    assert is_untouched(proposal)


def test_the_second_of_two_sees_who_was_first(owner: Member, proposal: Proposal) -> None:
    colleague = member(owner.seller, "Olga", Role.APPROVER, telegram_id=1002)
    hers, his = apply_button(owner, proposal), apply_button(colleague, proposal)

    pressed(hers, owner)
    outcome = pressed(his, colleague)

    assert outcome == Outcome("Already approved by Anna.", is_refusal=True, group=f"outbox:{colleague.pk}")
    assert Command.objects.count() == 1


def test_what_cannot_be_done_now_leaves_the_card_usable(owner: Member, proposal: Proposal, market: Market) -> None:
    token = apply_button(owner, proposal)
    market.objection = Objection("too_bold")
    assert pressed(token, owner) == Outcome("objection: too_bold", is_refusal=True, group=f"outbox:{owner.pk}")

    market.objection = None
    assert pressed(token, owner).words == "Accepted, sending."


def test_an_expired_proposal_ends_with_the_press_that_came_too_late(owner: Member, proposal: Proposal) -> None:
    outcome = pressed(apply_button(owner, proposal), owner, now=proposal.expires_at)

    assert outcome.words.startswith("Too late")
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.EXPIRED


def test_a_crash_in_the_middle_loses_neither_the_press_nor_the_button(
    owner: Member, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = apply_button(owner, proposal)

    def power_cut(*_: object, **__: object) -> None:
        raise SystemError("the power went off")

    with monkeypatch.context() as patch:
        patch.setattr(tokens, "spend", power_cut)
        with pytest.raises(SystemError):
            pressed(token, owner)
    assert is_untouched(proposal)

    assert pressed(token, owner).words == "Accepted, sending."


def test_the_first_of_two_who_must_agree_is_told_so(owner: Member, market: Market) -> None:
    member(owner.seller, "Olga", Role.APPROVER)
    proposal = offer(owner.seller.shops.get(), needed=2)

    assert pressed(apply_button(owner, proposal), owner).words == "Accepted. One more person has to agree."
    assert not Command.objects.exists()


def test_what_was_approved_is_undone_from_the_same_card(owner: Member, proposal: Proposal) -> None:
    pressed(apply_button(owner, proposal), owner)
    command = Command.objects.get()

    assert pressed(button(owner, "command.undo", command=command.pk), owner).words == "Undone."

    command.refresh_from_db()
    assert command.state == Command.State.CANCELLED


def test_an_undo_of_what_has_arrived_sends_the_old_price(owner: Member, proposal: Proposal) -> None:
    pressed(apply_button(owner, proposal), owner)
    command = steps(Command.objects.get())
    token = button(owner, "command.undo", command=command.pk)

    assert pressed(token, owner).words == "Undone: the old price is being sent."
    assert pressed(token, owner).words == "This button was pressed already."


def test_many_are_applied_together_after_one_more_question(owner: Member, market: Market) -> None:
    shop = owner.seller.shops.get()
    DecisionRules.objects.create(shop=shop, together_worst=100)
    for name in ("tea", "coffee"):
        offer(shop, name=name)
    Proposal.objects.update(worst_case=-5)

    asked = pressed(button(owner, "together.ask", shop=shop.pk), owner)
    answered = pressed(button(owner, "together.apply", batch=Batch.objects.get().pk), owner)

    assert asked.words == "Apply 2 changes? Please confirm in the message."
    assert answered.words == "Applied: 2 of 2. The message says what became of each."
    assert Command.objects.count() == 2


def test_later_puts_the_card_off_and_brings_it_again(owner: Member, proposal: Proposal, settings: object) -> None:
    settings.LATER_SECONDS = 7200  # type: ignore[attr-defined]
    show_card(owner, proposal)

    assert pressed(button(owner, "proposal.later", proposal=proposal.pk), owner).words == "You will see it again."

    first, again = OutboxMessage.objects.order_by("pk")
    assert (first.put_off_until, first.wanted, again.due_at) == (NOON + timedelta(hours=2), 2, first.put_off_until)
    assert (again.name, again.params, again.subject) == (first.name, first.params, first.subject)
    assert again.expires_at == proposal.expires_at


def test_later_never_goes_past_the_expiry(owner: Member, proposal: Proposal, settings: object) -> None:
    settings.LATER_SECONDS = 86_400  # type: ignore[attr-defined]
    show_card(owner, proposal)

    outcome = pressed(button(owner, "proposal.later", proposal=proposal.pk), owner)

    assert outcome.words.startswith("There is no later")
    assert OutboxMessage.objects.get().put_off_until is None


def test_later_after_the_decision_says_how_it_ended(owner: Member, proposal: Proposal) -> None:
    show_card(owner, proposal)
    pressed(apply_button(member(owner.seller, "Olga", telegram_id=1002), proposal), 1002)

    assert pressed(button(owner, "proposal.later", proposal=proposal.pk), owner).words == "Already approved by Olga."


def test_settings_are_the_person_s_own(owner: Member) -> None:
    Member.objects.create(person=owner.person, seller=(second := boris()).seller, role=Role.VIEWER)

    pressed(button(owner, "settings.language", language="uk"), owner)
    pressed(button(owner, "settings.seller", seller=second.seller.pk), owner)

    owner.person.refresh_from_db()
    assert (owner.person.language, owner.person.active_seller) == ("uk", second.seller)


def test_a_new_language_is_spoken_by_the_cards_that_still_have_buttons(owner: Member, proposal: Proposal) -> None:
    ids: dict[str, object] = {"proposal": proposal.pk}
    for key in ("open", "decided"):
        tell(name="proposal_card", key=key, seller=owner.seller, people=[owner.person], params=ids)
    still_open, decided = OutboxMessage.objects.order_by("pk")
    for card in (still_open, decided):
        rows = [[Button("Press", "proposal.reject", ids)]]
        tokens.mint(rows, person=owner.person, seller=owner.seller, group=f"outbox:{card.pk}", now=real_now())
    ButtonToken.objects.filter(group=f"outbox:{decided.pk}").update(used_at=real_now())

    pressed(button(owner, "settings.language", language="uk"), owner)

    assert dict(OutboxMessage.objects.values_list("pk", "wanted")) == {still_open.pk: 2, decided.pk: 1}


def show_card(owner: Member, proposal: Proposal) -> None:
    tell(
        name="proposal_card",
        key=f"proposal:{proposal.pk}",
        seller=owner.seller,
        people=[owner.person],
        params={"proposal": proposal.pk},
        subject=f"proposal:{proposal.pk}",
    )
