"""What people change in the admin: written through the domain, with an audit row in the same transaction."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext
from django_celery_beat.models import PeriodicTask

from apps.catalog.models import Cost, Product
from apps.common import clock
from apps.common.clock import real_now
from apps.decisions.models import Command, DecisionRules, Proposal
from apps.experiments.models import Experiment
from apps.experiments.verdicts import LENGTHS
from apps.jobs.models import JobRun
from apps.jobs.timetable import find_job
from apps.pricing.models import PricingSettings
from apps.shops.models import AuditEntry, Credential, KillSwitch, Language, Person, Seller, Shop, is_stopped
from apps.shops.roles import Role
from config.timetable import TIMETABLE
from tests.backoffice.fill import Filled, add_product, add_proposal
from tests.backoffice.site import client_of, row_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(anna: Filled) -> Client:
    return client_of(anna.owner)


@pytest.fixture
def keeper(anna: Filled) -> Client:
    User.objects.filter(pk=anna.owner.person.user_id).update(is_superuser=True)
    return client_of(anna.owner)


def trail(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("pk")


def no_lines(*prefixes: str) -> dict[str, int]:
    return {f"{prefix}-{form}_FORMS": 0 for prefix in prefixes for form in ("TOTAL", "INITIAL")}


def test_a_shop_comes_with_its_schedule(client: Client, anna: Filled) -> None:
    posted = {"seller": anna.seller.pk, "kind": "ozon", "name": "Second", "currency": "RUB", "is_active": "on"}
    client.post(url(Shop, "add"), {**posted, "timezone": "Asia/Omsk"})
    shop = Shop.objects.get(name="Second")
    rows = PeriodicTask.objects.filter(name__endswith=f"#{shop.pk}")
    assert rows.count() == sum("ozon" in job.kinds for job in TIMETABLE)
    assert {str(row.crontab.timezone) for row in rows} == {"Asia/Omsk"}
    assert trail("shop.created").shop == shop


def test_a_shop_in_no_known_zone_is_refused(client: Client, anna: Filled) -> None:
    posted = {"seller": anna.seller.pk, "kind": "ozon", "name": "Second", "currency": "RUB", "timezone": "Omsk"}
    answer = client.post(url(Shop, "add"), posted)
    assert "Europe/Moscow" in str(answer.context["errors"])
    assert not Shop.objects.filter(name="Second").exists()


def test_changed_rules_say_from_what_to_what(client: Client, anna: Filled) -> None:
    rules = row_of(PricingSettings, anna.seller)
    posted = {
        "min_margin_rate": "0.15",
        "max_step_rate": "0.10",
        "tax_rate": "0",
        "days_between_changes": 21,
        "cards_per_day": 10,
        "experiment_days": 7,
    }
    client.post(url(PricingSettings, "change", rules.pk), posted)
    rules.refresh_from_db()
    assert rules.min_margin_rate == Decimal("0.15")
    entry = trail("pricing_rules.changed")
    assert entry.data == {"changes": {"min_margin_rate": ["0.1000", "0.15"]}}
    assert (entry.actor, entry.seller, entry.shop) == (anna.owner.person, anna.seller, anna.shop)


RULES = {"moved_rate": "0.05", "undo_minutes": 10, "drift_minutes": 15, "two_above_money": "500"}


def test_two_people_are_asked_for_where_two_may_approve(client: Client, anna: Filled) -> None:
    rules = row_of(DecisionRules, anna.seller)
    client.post(url(DecisionRules, "change", rules.pk), RULES)
    rules.refresh_from_db()
    assert rules.two_above_money == 500
    assert trail("decision_rules.changed").data == {"changes": {"two_above_money": [None, "500"]}}


def test_two_people_are_not_asked_for_where_only_one_may_approve(client: Client, anna: Filled) -> None:
    anna.seller.members.filter(role=Role.APPROVER).delete()
    rules = row_of(DecisionRules, anna.seller)
    answer = client.post(url(DecisionRules, "change", rules.pk), RULES)
    assert "only one member of the team may approve" in str(answer.context["errors"])
    rules.refresh_from_db()
    assert rules.two_above_money is None


def test_a_save_without_a_change_leaves_no_row(client: Client, anna: Filled) -> None:
    count = AuditEntry.objects.count()
    client.post(url(Seller, "change", anna.seller.pk), {"name": anna.seller.name})
    assert AuditEntry.objects.count() == count


def test_a_change_whose_audit_row_cannot_be_written_is_not_made(
    client: Client, anna: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no trail")

    monkeypatch.setattr("apps.shops.scoped_admin.record", fail)
    with pytest.raises(RuntimeError, match="no trail"):
        client.post(url(Seller, "change", anna.seller.pk), {"name": "Renamed"})
    assert not Seller.objects.filter(name="Renamed").exists()


# --- Costs ------------------------------------------------------------------------------------------------------------


def cost_form(product: Product, *rows: dict[str, Any]) -> dict[str, Any]:
    lines = {f"costs-{number}-{name}": value for number, row in enumerate(rows) for name, value in row.items()}
    known = sum("id" in row for row in rows)
    shown = {**no_lines("price_changes"), **no_lines("cluster_stock"), **no_lines("settings"), **no_lines("article")}
    return {**shown, "costs-TOTAL_FORMS": len(rows), "costs-INITIAL_FORMS": known, **lines}


def known_cost(product: Product) -> dict[str, Any]:
    cost = product.costs.get()
    return {"id": cost.pk, "product": product.pk, "starts_on": cost.starts_on, "amount": cost.amount}


@pytest.fixture
def product(anna: Filled) -> Product:
    return Product.objects.filter(shop=anna.shop)[0]


def test_a_cost_is_entered_with_its_day_and_author(client: Client, anna: Filled, product: Product) -> None:
    new = {"product": product.pk, "starts_on": "2026-03-01", "amount": "650.50"}
    answer = client.post(url(Product, "change", product.pk), cost_form(product, known_cost(product), new))
    assert answer.status_code == 302
    assert product.cost_on(date(2026, 3, 16)) == Decimal("650.50")
    assert product.cost_on(date(2026, 2, 16)) == Decimal(600)
    assert trail("cost.set").data["previous"] == "600.00"
    cost = product.costs.get(starts_on=date(2026, 3, 1))
    assert (cost.entered_by, cost.currency) == (anna.owner.person, "RUB")


def test_a_wrong_amount_is_put_right_and_its_day_stays(client: Client, product: Product) -> None:
    changed = {**known_cost(product), "amount": "610", "starts_on": "2026-02-02"}
    client.post(url(Product, "change", product.pk), cost_form(product, changed))
    assert [(cost.starts_on, cost.amount) for cost in product.costs.all()] == [(date(2026, 1, 1), Decimal(610))]
    assert trail("cost.set").data["amount"] == "610"


def test_a_cost_that_was_a_mistake_can_be_removed(client: Client, product: Product) -> None:
    client.post(url(Product, "change", product.pk), cost_form(product, {**known_cost(product), "DELETE": "on"}))
    assert not product.costs.exists()
    assert trail("cost.removed").data == {"amount": "600.00", "currency": "RUB", "starts_on": "2026-01-01"}


@pytest.mark.parametrize("amount", ["0", "-5", "1.001", "1e12", "", "cheap"])
def test_an_impossible_cost_is_refused_with_a_word(client: Client, product: Product, amount: str) -> None:
    changed = {**known_cost(product), "amount": amount}
    answer = client.post(url(Product, "change", product.pk), cost_form(product, changed))
    assert answer.context["errors"]
    assert product.costs.get().amount == 600


def test_entering_a_cost_writes_nothing_of_the_product_itself(client: Client, product: Product) -> None:
    """A sync may be writing the product at this moment."""
    page = url(Product, "change", product.pk)
    posted = cost_form(product, {**known_cost(product), "amount": "610"})
    posted |= {"price": "1", "name": "Forged", "offer_id": "forged"}
    Product.objects.filter(pk=product.pk).update(price=1777)
    client.post(page, posted)
    product.refresh_from_db()
    assert (product.price, product.name) == (Decimal(1777), "Anna teapot 0")
    assert Cost.objects.get(product=product).amount == 610


# --- Decisions --------------------------------------------------------------------------------------------------------


def pending(anna: Filled) -> Proposal:
    return Proposal.objects.get(shop=anna.shop, state=Proposal.State.PENDING)


def press(client: Client, name: str, row_id: int, **posted: Any) -> Any:
    address = reverse(f"admin:{name}", args=[row_id])
    return client.post(address, {"_form_submitted": "True", **posted}, headers={"HX-Request": "true"}, follow=False)


def messages_of(client: Client) -> str:
    return " ".join(str(message) for message in client.get("/admin/").context["messages"])


def test_the_button_on_the_page_rejects(client: Client, anna: Filled) -> None:
    proposal = pending(anna)
    answer = press(client, "decisions_proposal_reject_this", proposal.pk)
    assert answer.headers["HX-Redirect"] == url(Proposal, "change", proposal.pk)
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.REJECTED
    assert trail("proposal.rejected").actor == anna.owner.person
    assert "rejected" in messages_of(client)


def test_approving_asks_the_guardrails(client: Client, anna: Filled) -> None:
    """Three products leave no controls, and the data of this shop are months old: the gate says so here too."""
    proposal = pending(anna)
    press(client, "decisions_proposal_approve_this", proposal.pk, payload_hash=proposal.payload_hash)
    assert not Command.objects.filter(proposal=proposal).exists()
    assert messages_of(client)


def test_a_yes_to_something_else_than_was_shown_is_no_yes(client: Client, anna: Filled) -> None:
    proposal = pending(anna)
    press(client, "decisions_proposal_approve_this", proposal.pk, payload_hash="0" * 64)
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.STALE
    assert "changed after it was shown" in messages_of(client)


def test_the_dialog_holds_the_hash_of_what_is_decided_on(client: Client, anna: Filled) -> None:
    proposal = pending(anna)
    dialog = client.get(reverse("admin:decisions_proposal_approve_this", args=[proposal.pk])).content.decode()
    assert proposal.payload_hash in dialog


class TestManyAtOnce:
    """Of the three products of this shop each is refused by a guardrail: too few would be left to compare with."""

    def test_the_first_press_only_asks_with_the_sums(self, client: Client, anna: Filled) -> None:
        chosen = [pending(anna), add_proposal(add_product(anna.shop, "Anna", 7))]
        page = self.post(client, chosen).content.decode().replace("\xa0", " ")
        assert "Approve 2 changes together?" in page
        assert "Expected in all: +620 RUB a day. In the worst of 100 cases of each, in all: -120 RUB a day." in page
        assert all(f'name="hash_{one.pk}" value="{one.payload_hash}"' in page for one in chosen)
        assert {state_of(one) for one in chosen} == {Proposal.State.PENDING}

    def test_each_is_told_what_became_of_it(self, client: Client, anna: Filled) -> None:
        chosen = [pending(anna), add_proposal(add_product(anna.shop, "Anna", 7))]
        self.post(client, chosen, confirmed="yes", **{f"hash_{one.pk}": one.payload_hash for one in chosen})
        told = messages_of(client)
        assert "Anna-0 · Anna teapot 0: " in told
        assert "Anna-7 · Anna teapot 7: " in told

    def test_what_has_changed_since_is_left_out_and_waits(self, client: Client, anna: Filled) -> None:
        proposal = pending(anna)
        self.post(client, [proposal], confirmed="yes", **{f"hash_{proposal.pk}": "0" * 64})
        assert "left out, it has changed since you were asked" in messages_of(client)
        assert state_of(proposal) == Proposal.State.PENDING

    @staticmethod
    def post(client: Client, chosen: list[Proposal], **more: str) -> Any:
        posted = {"action": "approve", ACTION_CHECKBOX_NAME: [one.pk for one in chosen], "index": 0, **more}
        return client.post(url(Proposal, "changelist"), posted)


def state_of(proposal: Proposal) -> str:
    return Proposal.objects.get(pk=proposal.pk).state


def test_who_comes_second_is_told_who_was_first(client: Client, anna: Filled) -> None:
    proposal = pending(anna)
    press(client, "decisions_proposal_reject_this", proposal.pk)
    messages_of(client)
    posted = {"action": "reject", ACTION_CHECKBOX_NAME: [proposal.pk], "index": 0}
    client.post(url(Proposal, "changelist"), posted)
    assert "Already rejected by Anna" in messages_of(client)
    page = client.get(url(Proposal, "change", proposal.pk)).content.decode()
    assert "reject_this" not in page


def test_the_page_of_a_proposal_says_what_why_and_at_which_risk(client: Client, anna: Filled) -> None:
    page = " ".join(client.get(url(Proposal, "change", pending(anna).pk)).content.decode().split())
    for words in (
        "Anna teapot 0",
        "1,490 RUB → 1,590 RUB (+6.7%)",
        "+310 RUB (+90 RUB … +540 RUB)",
        "-60 RUB",
    ):
        assert words in page
    assert "Long stock: 120 pcs last 96 days." in page


def test_an_experiment_is_kept_from_its_page(client: Client, anna: Filled) -> None:
    experiment = row_of(Experiment, anna.seller)
    press(client, "experiments_experiment_keep_this", experiment.pk)
    experiment.refresh_from_db()
    assert experiment.state == Experiment.State.KEPT
    assert trail("experiment.kept").actor == anna.owner.person


def test_an_experiment_is_extended_by_as_much_as_was_chosen(client: Client, anna: Filled) -> None:
    experiment = row_of(Experiment, anna.seller)
    press(client, "experiments_experiment_extend_this", experiment.pk, days=28)
    experiment.refresh_from_db()
    assert (experiment.state, experiment.days) == (Experiment.State.RUNNING, 28)
    assert "28 days in all" in messages_of(client)


@pytest.mark.parametrize(("days", "offered"), [(7, [14, 21, 28]), (14, [21, 28]), (21, [28])])
def test_the_dialog_offers_the_longer_lengths(client: Client, anna: Filled, days: int, offered: list[int]) -> None:
    experiment = row_of(Experiment, anna.seller)
    Experiment.objects.filter(pk=experiment.pk).update(days=days)
    dialog = client.get(reverse("admin:experiments_experiment_extend_this", args=[experiment.pk])).content.decode()
    assert [length for length in LENGTHS if f'<option value="{length}"' in dialog] == offered


def test_a_length_that_was_not_offered_extends_nothing(client: Client, anna: Filled) -> None:
    experiment = row_of(Experiment, anna.seller)
    press(client, "experiments_experiment_extend_this", experiment.pk, days=10)
    experiment.refresh_from_db()
    assert (experiment.state, experiment.days) == (Experiment.State.JUDGED, 7)


def test_an_experiment_is_stopped_from_its_page(client: Client, anna: Filled) -> None:
    experiment = row_of(Experiment, anna.seller)
    tomorrow = real_now().date() + timedelta(days=1)
    Experiment.objects.filter(pk=experiment.pk).update(state=Experiment.State.RUNNING, starts_on=tomorrow)
    dialog = client.get(reverse("admin:experiments_experiment_stop_this", args=[experiment.pk])).content.decode()
    assert "There will be no verdict" in dialog
    press(client, "experiments_experiment_stop_this", experiment.pk)
    experiment.refresh_from_db()
    assert experiment.state == Experiment.State.STOPPED
    assert trail("experiment.stopped").actor == anna.owner.person


def test_an_experiment_is_extended_from_the_list(client: Client, anna: Filled) -> None:
    experiment = row_of(Experiment, anna.seller)
    posted = {"action": "extend", ACTION_CHECKBOX_NAME: [experiment.pk], "index": 0}
    client.post(url(Experiment, "changelist"), posted)
    experiment.refresh_from_db()
    assert (experiment.state, experiment.days) == (Experiment.State.RUNNING, 14)


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (Experiment.State.RUNNING, ["stop_this", "roll_this_back"]),
        (Experiment.State.JUDGED, ["keep_this", "extend_this", "roll_this_back"]),
        (Experiment.State.STOPPED, ["keep_this", "roll_this_back"]),
        (Experiment.State.KEPT, []),
        (Experiment.State.ROLLED_BACK, []),
        (Experiment.State.VOID, []),
    ],
)
def test_an_experiment_offers_what_can_still_be_decided(
    client: Client, anna: Filled, state: Experiment.State, offered: list[str]
) -> None:
    experiment = row_of(Experiment, anna.seller)
    Experiment.objects.filter(pk=experiment.pk).update(state=state)
    page = client.get(url(Experiment, "change", experiment.pk)).content.decode()
    buttons = {
        name: reverse(f"admin:experiments_experiment_{name}", args=[experiment.pk])
        for name in ("keep_this", "extend_this", "stop_this", "roll_this_back")
    }
    assert [name for name, address in buttons.items() if address in page] == offered


# --- The clock --------------------------------------------------------------------------------------------------------


def test_a_job_that_never_ran_is_started_from_the_timetable(client: Client, anna: Filled) -> None:
    client.post(reverse("admin:jobs_timetable"), {"job": "ozon_sync", "shop": anna.shop.pk})
    run = JobRun.objects.get(shop=anna.shop, slot__startswith="manual:")
    assert (run.job, run.state) == ("ozon_sync", JobRun.State.PLANNED)
    assert trail("job.run_now").actor == anna.owner.person
    assert "OZON sync: planned" in messages_of(client)


def test_a_job_is_not_started_twice(client: Client, anna: Filled) -> None:
    for _ in range(2):
        client.post(reverse("admin:jobs_timetable"), {"job": "ozon_sync", "shop": anna.shop.pk})
    assert JobRun.objects.filter(slot__startswith="manual:").count() == 1
    assert "at work for this shop already" in messages_of(client)


def test_a_run_is_repeated_from_the_list(client: Client, anna: Filled) -> None:
    posted = {"action": "run_again", ACTION_CHECKBOX_NAME: [row_of(JobRun, anna.seller).pk], "index": 0}
    client.post(url(JobRun, "changelist"), posted)
    assert JobRun.objects.filter(job="ozon_sync", slot__startswith="manual:").count() == 1


def days_ago(*days: int) -> list[str]:
    today = clock.today("Europe/Moscow")
    return [(today - timedelta(days=one)).isoformat() for one in days]


def run_for(client: Client, anna: Filled, job: str, first: str, last: str) -> None:
    posted = {"job": job, "shop": anna.shop.pk, "first": first, "last": last}
    client.post(reverse("admin:jobs_timetable"), posted)


def test_a_job_is_run_for_days_that_have_passed(client: Client, anna: Filled) -> None:
    first, last = days_ago(5, 2)
    run_for(client, anna, "ozon_sync", first, last)
    run = JobRun.objects.get(slot__startswith="manual:")
    assert (str(run.first_on), str(run.last_on), run.started_by) == (first, last, anna.owner.person)
    assert trail("job.run_now").data["first_on"] == first


@pytest.mark.parametrize(
    ("job", "days", "words"),
    [
        ("ozon_sync", ["yesterday", ""], "From: Enter a valid date."),
        ("ozon_sync", ["2001-01-01", "2001-01-02"], "From: Jan 1, 2001 cannot be run for. Accepted: from"),
        ("ozon_sync", days_ago(1, 0), "To: "),
        ("price_analysis", days_ago(2, 1), "decides on money or stock by how things stand now"),
    ],
)
def test_days_that_are_not_accepted_are_named_with_their_field(
    client: Client, anna: Filled, job: str, days: list[str], words: str
) -> None:
    run_for(client, anna, job, *days)
    assert words in messages_of(client)
    assert not JobRun.objects.filter(slot__startswith="manual:").exists()


def test_only_a_run_that_failed_has_the_button_to_run_it_again(client: Client, anna: Filled) -> None:
    run = row_of(JobRun, anna.seller)
    button = reverse("admin:jobs_jobrun_repeat_this", args=[run.pk])
    assert button in client.get(url(JobRun, "change", run.pk)).content.decode()
    JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.DONE)
    assert button not in client.get(url(JobRun, "change", run.pk)).content.decode()

    JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.FAILED)
    press(client, "jobs_jobrun_repeat_this", run.pk)

    assert JobRun.objects.get(slot__startswith="manual:").started_by == anna.owner.person


def test_runs_are_listed_with_their_rows_and_found_by_the_shop_s_day(client: Client, anna: Filled) -> None:
    page = client.get(url(JobRun, "changelist")).content.decode()
    assert "3 / 0 / 0" in page
    late_evening = datetime(2026, 3, 20, 22, tzinfo=UTC)  # the 21st in Moscow
    JobRun.objects.filter(shop=anna.shop).update(as_of=late_evening)
    for day, found in (("2026-03-20", 0), ("2026-03-21", 1)):
        listed = client.get(url(JobRun, "changelist"), {"as_of_from": day, "as_of_to": day, "job": "ozon_sync"})
        assert len(listed.context["cl"].result_list) == found, day


def test_a_day_that_is_none_is_said(client: Client, anna: Filled) -> None:
    page = client.get(url(JobRun, "changelist"), {"as_of_from": "someday"}).content.decode()
    assert "day: Enter a valid date." in page


def test_a_superuser_switches_a_row_of_the_schedule_off(keeper: Client, anna: Filled) -> None:
    row = PeriodicTask.objects.get(name=f"ozon_sync #{anna.shop.pk}")
    keeper.post(url(PeriodicTask, "change", row.pk), {})
    row.refresh_from_db()
    assert not row.enabled
    assert trail("schedule.changed").data == {"changes": {"enabled": ["True", "False"]}}
    page = keeper.get(reverse("admin:jobs_timetable")).content.decode()
    assert "switched off" in page


@pytest.mark.parametrize("language", Language.values)
def test_the_schedule_is_told_in_the_reader_s_language(keeper: Client, anna: Filled, language: str) -> None:
    Person.objects.update(language=language)
    job = find_job("ozon_sync")
    assert job
    page = keeper.get(url(PeriodicTask, "changelist"), {"q": job.name}).content.decode()
    with translation.override(language):
        assert f"{job.title} · {anna.shop.name}" in page
        assert str(escape(job.why)) in page
        assert gettext("daily at %(time)s") % {"time": "06:00"} in page


def test_a_superuser_moves_the_hour_of_a_job(keeper: Client, anna: Filled) -> None:
    time = PeriodicTask.objects.get(name=f"ozon_sync #{anna.shop.pk}").crontab
    posted = {"hour": "7", "minute": "30", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*"}
    keeper.post(url(type(time), "change", time.pk), posted)
    assert "07:30" in keeper.get(reverse("admin:jobs_timetable")).content.decode()
    assert trail("schedule_time.changed").data["changes"]["hour"] == ["6", "7"]


# --- The kill switch --------------------------------------------------------------------------------------------------


def test_an_owner_stops_a_shop_with_one_press(client: Client, anna: Filled) -> None:
    client.post(url(KillSwitch, "change", anna.shop.kill_switch.pk), {"is_on": "on"})
    assert is_stopped(anna.shop)
    assert (trail("switch.on").actor, trail("switch.on").shop) == (anna.owner.person, anna.shop)


def test_allowing_changes_again_takes_the_shops_name(client: Client, anna: Filled) -> None:
    page = url(KillSwitch, "change", anna.shop.kill_switch.pk)
    client.post(page, {"is_on": "on"})
    for words in ("", "yes", "anna shelf"):
        assert client.post(page, {"words": words}).context["errors"]
        assert is_stopped(anna.shop)
    client.post(page, {"words": "Anna shelf"})
    assert not is_stopped(anna.shop)
    assert trail("switch.off").shop == anna.shop


def test_an_owner_cannot_stop_the_whole_installation(client: Client) -> None:
    assert client.post(url(KillSwitch, "add"), {"is_on": "on"}).context["errors"]
    assert not KillSwitch.objects.filter(shop=None).exists()


def test_a_superuser_stops_the_whole_installation(keeper: Client, anna: Filled, boris: Filled) -> None:
    keeper.post(url(KillSwitch, "add"), {"is_on": "on"})
    assert is_stopped(anna.shop)
    assert is_stopped(boris.shop)
    assert "stopped" in client_of(boris.owner).get("/admin/").content.decode()


# --- Keys -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def unasked_key(anna: Filled) -> Credential:
    """A key to an API that cannot be asked about it; of the others see test_keys.py."""
    return Credential.objects.create(
        shop=anna.shop, api=Credential.Api.OZON_PERFORMANCE, client_id="Anna-client", secret="canary-Anna-secret"
    )


def test_a_new_key_is_tried_afresh(client: Client, unasked_key: Credential) -> None:
    key = unasked_key
    Credential.objects.filter(pk=key.pk).update(problem="revoked", checked_at=real_now())
    posted = {"client_id": key.client_id, "secret": "canary-second"}
    client.post(url(Credential, "change", key.pk), posted)
    key.refresh_from_db()
    assert key.secret.reveal() == "canary-second"
    assert (key.problem, key.checked_at) == ("", None)
    assert trail("credential.changed").data == {"changes": {"secret": "changed"}}


def test_an_empty_field_keeps_the_key(client: Client, unasked_key: Credential) -> None:
    key = unasked_key
    posted = {"client_id": "other", "secret": ""}
    client.post(url(Credential, "change", key.pk), posted)
    key.refresh_from_db()
    assert (key.secret.reveal(), key.client_id) == ("canary-Anna-secret", "other")
    assert trail("credential.changed").data == {"changes": {"client_id": ["Anna-client", "other"]}}


def test_a_new_key_needs_its_secret(client: Client, anna: Filled) -> None:
    posted = {"shop": anna.shop.pk, "api": "ozon_performance", "client_id": "1", "secret": ""}
    assert client.post(url(Credential, "add"), posted).context["errors"]


def test_a_key_is_removed_with_a_row_in_the_trail(client: Client, anna: Filled) -> None:
    key = anna.shop.credentials.get()
    posted = {"action": "delete_selected", ACTION_CHECKBOX_NAME: [key.pk], "index": 0, "post": "yes"}
    client.post(url(Credential, "changelist"), posted)
    assert not anna.shop.credentials.exists()
    assert trail("credential.removed").shop == anna.shop
