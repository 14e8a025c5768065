"""Two sellers in one installation never see each other: Anna walks the whole admin, and every button, with Boris's ids.

What is walked is generated from what is registered: a new page, action or button is covered without a word here.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, Model
from django.forms import ModelChoiceField
from django.urls import reverse

from apps.catalog.models import Cost, Product
from apps.common.clock import real_now
from apps.decisions.models import Batch, Proposal
from apps.experiments.models import Experiment
from apps.jobs.timetable import timetable
from apps.shops.models import AuditEntry, Member, Person
from apps.shops.roles import Role
from apps.shops.scoped_admin import OneInline, ScopedAdmin, ScopedInline, SuperuserOnly
from bots.actions import ACTIONS as BUTTON_ACTIONS
from bots.actions import press
from bots.models import ButtonToken
from tests.backoffice.fill import NOON, TODAY, Filled
from tests.backoffice.site import (
    ACTIONS,
    BUTTONS,
    OTHERS,
    PAGES,
    SCOPED,
    client_of,
    label,
    refusals,
    request_of,
    row_of,
    url,
    writes,
)

pytestmark = pytest.mark.walk

LEADS_NOWHERE = "settings.language"  # the one button without an id of somebody else's in it
each_page = pytest.mark.parametrize(("model", "page"), PAGES, ids=[label(model) for model, _ in PAGES])
each_scoped = pytest.mark.parametrize("model", SCOPED, ids=label)
each_other = pytest.mark.parametrize("model", OTHERS, ids=label)


@each_page
def test_every_page_derives_from_the_base(model: type[Model], page: Any) -> None:
    assert isinstance(page, ScopedAdmin | SuperuserOnly)
    assert not isinstance(page, ScopedAdmin) or hasattr(model, "seller_path")
    assert all(issubclass(inline, ScopedInline | OneInline) for inline in page.inlines)
    assert not page.raw_id_fields, "its widget names whatever id it is given"


@each_scoped
def test_a_list_shows_annas_rows_and_no_word_of_boris(model: Any, anna: Filled, boris: Filled) -> None:
    row_of(model, boris.seller)
    client = client_of(anna.owner)
    for query in ({}, {"q": "oris", "_facets": "True"}):
        answer = client.get(url(model, "changelist"), query)
        assert answer.status_code == 200
        assert "boris" not in answer.content.decode().lower()
    listed = client.get(url(model, "changelist")).context["cl"].result_list
    assert set(listed) == set(model._default_manager.filter(**{model.seller_path: anna.seller.pk}))
    assert listed


@each_page
def test_a_filter_by_something_of_boriss_finds_nothing(
    model: type[Model], page: Any, anna: Filled, boris: Filled
) -> None:
    for name in [item for item in page.list_filter if isinstance(item, str)]:
        field = model._meta.get_field(name.split("__")[0])
        if not isinstance(field, ForeignKey) or not hasattr(field.related_model, "seller_path"):
            continue
        theirs = row_of(field.related_model, boris.seller)
        answer = client_of(anna.owner).get(url(model, "changelist"), {f"{field.name}__pk__exact": theirs.pk})
        assert "boris" not in answer.content.decode().lower()
        assert answer.status_code == 302 or not answer.context["cl"].result_list


@pytest.mark.parametrize("page", ["change", "delete", pytest.param("history", marks=pytest.mark.slow)])
@pytest.mark.parametrize("model", [model for model, _ in PAGES], ids=label)
def test_a_page_of_boriss_is_not_there(model: type[Model], page: str, anna: Filled, boris: Filled) -> None:
    theirs = row_of(model, boris.seller) if model in SCOPED else model._default_manager.first()
    client = client_of(anna.owner)
    before, seen = writes(), refusals(anna.owner)
    address = url(model, page, theirs.pk if theirs else 1)
    answers = [client.get(address), client.post(address, {"post": "yes"})]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert not any("boris" in answer.content.decode().lower() for answer in answers)
    assert refusals(anna.owner) == seen + 2
    assert writes() == before


@each_other
def test_pages_of_the_installation_are_for_superusers(model: type[Model], anna: Filled) -> None:
    client = client_of(anna.owner)
    for page in ("changelist", "add"):
        seen = refusals(anna.owner)
        assert client.get(url(model, page)).status_code == 403
        assert refusals(anna.owner) == seen + 1
    assert url(model, "changelist") not in client.get("/admin/").content.decode()


@pytest.mark.parametrize(("model", "action"), ACTIONS, ids=label)
def test_an_action_on_boriss_rows_is_refused(model: type[Model], action: str, anna: Filled, boris: Filled) -> None:
    theirs = row_of(model, boris.seller).pk if model in SCOPED else 1
    mine = [row_of(model, anna.seller).pk] if model in SCOPED else []
    client = client_of(anna.owner)
    for chosen in ([theirs], [*mine, theirs]):
        before, seen = writes(), refusals(anna.owner)
        data = {"action": action, ACTION_CHECKBOX_NAME: chosen, "index": 0, "post": "yes"}
        assert client.post(url(model, "changelist"), data).status_code in (403, 404)
        assert refusals(anna.owner) == seen + 1
        assert writes() == before


@pytest.mark.parametrize(("model", "button"), BUTTONS, ids=label)
def test_a_button_on_a_page_of_boriss_is_not_there(
    model: type[Model], button: str, anna: Filled, boris: Filled
) -> None:
    address = reverse(f"admin:{button}", args=[row_of(model, boris.seller).pk])
    client = client_of(anna.owner)
    before, seen = writes(), refusals(anna.owner)
    posted = {"_form_submitted": "True", "payload_hash": Proposal.objects.filter(shop=boris.shop)[0].payload_hash}
    assert [client.get(address).status_code, client.post(address, posted).status_code] == [404, 404]
    assert refusals(anna.owner) == seen + 2
    assert writes() == before


@each_page
def test_a_form_takes_nothing_of_boriss(model: type[Model], page: Any, anna: Filled, boris: Filled) -> None:
    request = request_of(anna.owner)
    rows: list[Any] = [None] if page.has_add_permission(request) else []
    rows += [row_of(model, anna.seller)] if page.has_change_permission(request) else []
    for row in rows:
        form = page.get_form(request, row, change=bool(row))(instance=row)
        inlines = [inline.get_formset(request, row)(instance=row) for inline in page.get_inline_instances(request, row)]
        for one in (form, *(inline.empty_form for inline in inlines)):
            for name, field in one.fields.items():
                if isinstance(field, ModelChoiceField) and field.queryset is not None and name != "id":
                    refuses(field, row_of(field.queryset.model, boris.seller))


def test_a_posted_line_of_boriss_is_left_alone(anna: Filled, boris: Filled) -> None:
    """The id of a line inside a page is taken for what the page itself shows, never for another's."""
    mine, theirs = row_of(Product, anna.seller), row_of(Cost, boris.seller)
    client = client_of(anna.owner)
    before = writes()
    posted = {
        "costs-TOTAL_FORMS": 1,
        "costs-INITIAL_FORMS": 1,
        "costs-0-id": theirs.pk,
        "costs-0-product": mine.pk,
        "costs-0-starts_on": "2026-01-01",
        "costs-0-amount": "1",
        "price_changes-TOTAL_FORMS": 0,
        "price_changes-INITIAL_FORMS": 0,
        "cluster_stock-TOTAL_FORMS": 0,
        "cluster_stock-INITIAL_FORMS": 0,
        "settings-TOTAL_FORMS": 0,
        "settings-INITIAL_FORMS": 0,
        "article-TOTAL_FORMS": 0,
        "article-INITIAL_FORMS": 0,
    }
    assert client.post(url(Product, "change", mine.pk), posted).status_code in (200, 302)
    assert client.post(url(Product, "change", mine.pk), {**posted, "costs-0-DELETE": "on"}).status_code in (200, 302)
    assert writes() == before


def refuses(field: Any, theirs: Model) -> None:
    with pytest.raises(ValidationError):
        field.clean(str(theirs.pk))
    assert "boris" not in " ".join(str(text) for _value, text in field.choices).lower()


@each_page
def test_a_form_that_is_opened_with_boriss_ids_does_not_name_them(
    model: type[Model], page: Any, anna: Filled, boris: Filled
) -> None:
    related = [field for field in model._meta.fields if isinstance(field, ForeignKey)]
    query = {
        field.name: row_of(field.related_model, boris.seller).pk
        for field in related
        if hasattr(field.related_model, "seller_path")
    }
    answer = client_of(anna.owner).get(url(model, "add"), query)
    assert answer.status_code in (200, 403)
    assert "boris" not in answer.content.decode().lower()


@each_page
def test_suggestions_name_nothing_of_boriss(model: type[Model], page: Any, anna: Filled, boris: Filled) -> None:
    client = client_of(anna.owner)
    for field in [field for field in model._meta.fields if field.is_relation]:
        query = {
            "app_label": model._meta.app_label,
            "model_name": str(model._meta.model_name),
            "field_name": field.name,
        }
        answer = client.get(reverse("admin:autocomplete"), {**query, "term": "oris"})
        assert answer.status_code in (200, 403, 404)
        assert "boris" not in answer.content.decode().lower()


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/me/", "/admin/me/tokens/", "/admin/jobs/jobrun/timetable/", "/admin/search/?s=oris"]
)
def test_pages_of_no_model_do_not_know_boris(address: str, anna: Filled, boris: Filled) -> None:
    answer = client_of(anna.owner).get(address)
    assert answer.status_code == 200
    assert "boris" not in answer.content.decode().lower()


@pytest.mark.parametrize("job", [job.name for job in timetable()])
def test_a_job_of_boriss_shop_cannot_be_started(job: str, anna: Filled, boris: Filled) -> None:
    client = client_of(anna.owner)
    before, seen = writes(), refusals(anna.owner)
    answer = client.post(reverse("admin:jobs_timetable"), {"job": job, "shop": boris.shop.pk})
    assert answer.status_code == 404
    assert refusals(anna.owner) == seen + 1
    assert writes() == before


def test_nobody_can_choose_to_work_with_a_seller_they_do_not_belong_to(anna: Filled, boris: Filled) -> None:
    answer = client_of(anna.owner).post("/admin/me/", {"language": "en", "active_seller": boris.seller.pk})
    assert answer.context["form"].errors["active_seller"]
    anna.owner.person.refresh_from_db()
    assert anna.owner.person.active_seller is None


def test_a_link_to_another_seller_of_ones_own_offers_to_work_with_them(anna: Filled, boris: Filled) -> None:
    Member.objects.create(person=anna.owner.person, seller=boris.seller, role=Role.VIEWER)
    Person.objects.filter(pk=anna.owner.person_id).update(active_seller=anna.seller)
    client, page = client_of(anna.owner), url(Proposal, "change", row_of(Proposal, boris.seller).pk)
    asked = client.get(page)
    assert "This page belongs to the seller “Boris &amp; co”" in asked.content.decode()
    wish = {"language": "en", "active_seller": boris.seller.pk}
    switched = client.post("/admin/me/", {**wish, "next": page}, follow=True)
    assert "Boris teapot" in switched.content.decode()
    assert client.post("/admin/me/", {**wish, "next": "https://example.com/"}).headers["Location"] == "/admin/me/"


def test_the_pages_of_a_removed_member_are_empty_at_once(anna: Filled) -> None:
    viewer = anna.seller.members.select_related("person__user").get(role=Role.VIEWER)
    client = client_of(viewer)
    assert "teapot" in client.get("/admin/catalog/product/").content.decode()
    viewer.delete()
    assert client.get("/admin/catalog/product/").status_code == 403
    assert "teapot" not in client.get("/admin/").content.decode()


def foreign_params(of: Filled) -> dict[str, Any]:
    """Everything a button may name, of this seller's."""
    proposal = Proposal.objects.filter(shop=of.shop, state=Proposal.State.PENDING).get()
    experiment = Experiment.objects.get(shop=of.shop)
    asked = [{"proposal": proposal.pk, "hash": proposal.payload_hash}]
    batch = Batch.objects.create(
        shop=of.shop, member=of.owner, day=TODAY, asked=asked, effect=310, worst_case=-60, asked_at=NOON
    )
    return {
        "proposal": proposal.pk,
        "hash": proposal.payload_hash,
        "experiment": experiment.pk,
        "command": experiment.command_id,
        "batch": batch.pk,
        "shop": of.shop.pk,
        "seller": of.seller.pk,
        "language": "uk",
    }


def button(action: str, *, to: Filled, params: dict[str, Any]) -> ButtonToken:
    return ButtonToken.objects.create(
        token=f"token-{action}"[:32],
        person=to.owner.person,
        seller=to.seller,
        action=action,
        params=params,
        group="card",
        created_at=real_now(),
        expires_at=real_now().replace(year=2100),
    )


@pytest.mark.parametrize("action", [name for name in BUTTON_ACTIONS if name != LEADS_NOWHERE])
def test_a_button_of_annas_that_names_things_of_boriss_is_refused(action: str, anna: Filled, boris: Filled) -> None:
    token = button(action, to=anna, params=foreign_params(boris))
    before, seen = writes(), refusals(anna.owner)
    outcome = press(token=token.token, telegram_id=1001, chat_id=1001, now=real_now())
    assert outcome.is_refusal
    assert "boris" not in outcome.words.lower()
    assert refusals(anna.owner) == seen + 1
    assert writes() == before


@pytest.mark.parametrize("action", BUTTON_ACTIONS)
def test_a_button_of_boriss_means_nothing_when_anna_presses_it(action: str, anna: Filled, boris: Filled) -> None:
    token = button(action, to=boris, params=foreign_params(boris))
    before, seen = writes(), refusals(anna.owner)
    assert press(token=token.token, telegram_id=1001, chat_id=1001, now=real_now()).is_refusal
    assert refusals(anna.owner) == seen + 1
    assert writes() == before


def test_boris_sees_that_somebody_pressed_his_button_but_not_who(anna: Filled, boris: Filled) -> None:
    token = button("proposal.approve", to=boris, params=foreign_params(boris))
    press(token=token.token, telegram_id=1001, chat_id=1001, now=real_now())
    assert AuditEntry.objects.filter(seller=boris.seller, actor=anna.owner.person).exists()
    page = client_of(boris.owner).get("/admin/shops/auditentry/").content.decode()
    assert "A button was refused" in page
    assert "somebody outside the team" in page
    assert "anna" not in page.lower()
