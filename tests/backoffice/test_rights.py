"""What each role may do in the admin: every page and every action against the table of roles, by real requests."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import Model
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import reverse

from apps.decisions.models import Proposal
from apps.experiments.models import Experiment
from apps.shops.models import Member, Person, Seller
from apps.shops.roles import ALLOWED, Action, Role
from tests.backoffice.fill import Filled
from tests.backoffice.site import ACTIONS, BUTTONS, PAGES, SCOPED, client_of, label, refusals, row_of, url
from tests.cast import person

pytestmark = pytest.mark.walk

VIEW, EDIT, STOP, MANAGE, PROFIT = Action.VIEW, Action.EDIT_CATALOG, Action.STOP, Action.MANAGE, Action.SEE_PROFIT


class Rights(NamedTuple):
    """The action that a member's role must allow; None: no member may."""

    view: Action | None = VIEW
    add: Action | None = None
    change: Action | None = None
    delete: Action | None = None


TO_LOOK_AT = Rights()
RIGHTS = {
    "catalog.cost": Rights(view=PROFIT),
    "catalog.costimport": Rights(view=PROFIT, add=EDIT, change=EDIT),
    "catalog.product": Rights(change=EDIT),
    "catalog.settingsimport": Rights(add=EDIT, change=EDIT),
    "dashboard.apitoken": Rights(view=MANAGE, change=MANAGE),
    "dashboard.milestones": Rights(add=MANAGE, change=MANAGE),
    "decisions.decisionrules": Rights(add=MANAGE, change=MANAGE),
    "notifications.outboxmessage": Rights(view=MANAGE),
    "pricing.pricingsettings": Rights(add=EDIT, change=EDIT),
    "sales.accrual": Rights(view=PROFIT),
    "sales.expensetype": Rights(view=PROFIT),
    "sales.manager": Rights(change=MANAGE),
    "sales.source": Rights(change=MANAGE),
    "shops.auditentry": Rights(view=MANAGE),
    "shops.credential": Rights(MANAGE, MANAGE, MANAGE, MANAGE),
    "shops.crmrules": Rights(change=MANAGE),
    "shops.killswitch": Rights(add=STOP, change=STOP),
    "shops.member": Rights(MANAGE, MANAGE, MANAGE, MANAGE),
    "shops.seller": Rights(change=MANAGE),
    "shops.shop": Rights(add=MANAGE, change=MANAGE),
}
DOES = {
    "sales_buyer_erase": MANAGE,
    "shops_credential_check_now": MANAGE,
    "decisions_proposal_approve_this": Action.APPROVE,
    "decisions_proposal_reject_this": Action.APPROVE,
    "experiments_experiment_extend_this": Action.APPROVE,
    "experiments_experiment_keep_this": Action.APPROVE,
    "experiments_experiment_roll_this_back": Action.APPROVE,
    "experiments_experiment_stop_this": Action.APPROVE,
    "jobs_jobrun_repeat_this": Action.RUN_JOBS,
    "catalog.product.link": EDIT,
    "dashboard.apitoken.revoke": MANAGE,
    "decisions.proposal.approve": Action.APPROVE,
    "decisions.proposal.reject": Action.APPROVE,
    "experiments.experiment.extend": Action.APPROVE,
    "experiments.experiment.keep": Action.APPROVE,
    "experiments.experiment.roll_back": Action.APPROVE,
    "jobs.jobrun.run_again": Action.RUN_JOBS,
    "shops.member.give_code": MANAGE,
}


def rights_of(model: type[Model]) -> Rights:
    return RIGHTS.get(label(model), TO_LOOK_AT) if model in SCOPED else Rights(view=None)


def is_allowed(role: Role, action: Action | None) -> bool:
    return action is not None and action in ALLOWED[role]


def member_with(role: Role, of: Filled) -> Member:
    return of.seller.members.select_related("person__user").get(role=role)


def page_row(model: type[Model], of: Filled) -> int:
    """The row to try on: of the team not the last owner, whom nobody may remove."""
    return row_of(model, of.seller).pk if model in SCOPED else 1


# All roles go by one table: `make slow` tries those between the one that may most and the one that may least.
each_role = pytest.mark.parametrize(
    "role", [pytest.param(r, marks=[] if r in (Role.OWNER, Role.VIEWER) else pytest.mark.slow) for r in Role]
)


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the status is asked, for the time that it saves."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")


@pytest.mark.usefixtures("unrendered")
@each_role
@pytest.mark.parametrize("model", [model for model, _ in PAGES], ids=label)
def test_a_role_sees_and_changes_what_the_table_says(model: type[Model], role: Role, anna: Filled) -> None:
    client, rights, row = client_of(member_with(role, anna)), rights_of(model), page_row(model, anna)
    asked = {
        "view": (client.get(url(model, "changelist")).status_code, rights.view),
        "open": (client.get(url(model, "change", row)).status_code, rights.view),
        "add": (client.get(url(model, "add")).status_code, rights.add),
        "change": (client.post(url(model, "change", row), {}).status_code, rights.change),
        "delete": (client.get(url(model, "delete", row)).status_code, rights.delete),
    }
    got = {what: status not in (403, 404) for what, (status, _) in asked.items()}
    assert got == {what: is_allowed(role, action) for what, (_, action) in asked.items()}


@pytest.mark.usefixtures("unrendered")
@each_role
@pytest.mark.parametrize(("model", "action"), ACTIONS, ids=label)
def test_a_role_may_run_the_actions_that_the_table_says(
    model: type[Model], action: str, role: Role, anna: Filled
) -> None:
    member = member_with(role, anna)
    needed = rights_of(model).delete if action == "delete_selected" else DOES[f"{label(model)}.{action}"]
    client, seen = client_of(member), refusals(member)
    posted = {"action": action, ACTION_CHECKBOX_NAME: [page_row(model, anna)], "index": 0}
    answer = client.post(url(model, "changelist"), posted)
    assert (answer.status_code not in (403, 404)) == is_allowed(role, needed)
    assert refusals(member) - seen == (not is_allowed(role, needed))


@each_role
@pytest.mark.parametrize(("model", "button"), BUTTONS, ids=label)
def test_a_role_may_press_the_buttons_that_the_table_says(
    model: type[Model], button: str, role: Role, anna: Filled
) -> None:
    client, address = client_of(member_with(role, anna)), reverse(f"admin:{button}", args=[page_row(model, anna)])
    if button == "experiments_experiment_stop_this":
        Experiment.objects.update(state=Experiment.State.RUNNING)
    page = client.get(url(model, "change", page_row(model, anna))).content.decode()
    assert (client.get(address).status_code == 200) == is_allowed(role, DOES[button])
    assert (address in page) == is_allowed(role, DOES[button])


@each_role
def test_who_may_run_jobs_finds_the_buttons_on_the_timetable(role: Role, anna: Filled) -> None:
    client = client_of(member_with(role, anna))
    page = client.get(reverse("admin:jobs_timetable")).content.decode()
    assert ("Run now" in page) == is_allowed(role, Action.RUN_JOBS)
    answer = client.post(reverse("admin:jobs_timetable"), {"job": "ozon_sync", "shop": anna.shop.pk})
    assert (answer.status_code == 302) == is_allowed(role, Action.RUN_JOBS)


@pytest.fixture
def keeper(db: None) -> Client:
    """Whoever keeps the installation, of no seller's team."""
    made = person("Keeper")
    User.objects.filter(pk=made.user_id).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(made.user)
    return client


@pytest.mark.parametrize("model", [model for model, _ in PAGES], ids=label)
def test_a_superuser_sees_every_page_with_every_sellers_rows(
    model: type[Model], keeper: Client, anna: Filled, boris: Filled
) -> None:
    answer = keeper.get(url(model, "changelist"))
    assert answer.status_code == 200
    if model in SCOPED:
        assert row_of(model, anna.seller) in answer.context["cl"].result_list
        assert row_of(model, boris.seller) in answer.context["cl"].result_list


def test_a_superuser_of_no_team_decides_nothing(keeper: Client, anna: Filled) -> None:
    pending = Proposal.objects.filter(shop=anna.shop, state=Proposal.State.PENDING).get()
    confirmed = {"confirmed": "yes", f"hash_{pending.pk}": pending.payload_hash}
    posted = {"action": "approve", ACTION_CHECKBOX_NAME: [pending.pk], "index": 0, **confirmed}
    answer = keeper.post(url(Proposal, "changelist"), posted, follow=True)
    assert "nothing for you to decide" in answer.content.decode()
    pending.refresh_from_db()
    assert pending.state == Proposal.State.PENDING


def test_a_superuser_adds_a_seller_and_its_first_owner(keeper: Client) -> None:
    keeper.post(url(Seller, "add"), {"name": "Clara's goods"})
    seller = Seller.objects.get(name="Clara's goods")
    posted: dict[str, Any] = {
        "seller": seller.pk,
        "role": "owner",
        "username": "clara",
        "first_name": "Clara",
        "language": "en",
        "password": "a-long-enough-phrase",
    }
    keeper.post(url(Member, "add"), posted)
    clara = Client()
    assert clara.login(username="clara", password="a-long-enough-phrase")
    assert clara.get("/admin/").status_code == 200
    assert Person.objects.get(user__username="clara").active_seller == seller
