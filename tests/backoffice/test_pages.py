"""The pages of the admin as a person meets them: complete, quick, in their language, and changing nothing unasked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Field, Model, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from apps.backoffice.navigation import GROUPS
from apps.catalog.models import Product, StockSnapshot
from apps.jobs.models import JobRun, SyncRun
from apps.notifications.models import OutboxMessage
from apps.shops.middleware import CONTENT_POLICY
from apps.shops.models import AuditEntry, Language, Person, Shop
from tests.backoffice.fill import Filled, crowd, fill
from tests.backoffice.site import PAGES, SCOPED, client_of, label, listed, row_of, url, writes

pytestmark = pytest.mark.walk

ROWS = 20
FEW = {"shops.seller": 1}
"""Lists that are never long, with how many rows they have: of sellers one sees only one's own."""
MOST_QUERIES = 15
SELLERS = 5
each_model = pytest.mark.parametrize("model", [model for model, _ in PAGES], ids=label)


@pytest.fixture(scope="module")
def _crowded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Filled]:
    with django_db_blocker.unblock(), transaction.atomic():
        filled = fill("Anna", telegram_id=1001)
        crowd(filled, ROWS)
        yield filled
        transaction.set_rollback(True)


@pytest.fixture
def anna(_crowded: Filled, db: None) -> Filled:
    return _crowded


def client_for(model: type[Model], anna: Filled) -> Client:
    """Anna, who for the pages of the installation keeps it too."""
    User.objects.filter(pk=anna.owner.person.user_id).update(is_superuser=model not in SCOPED)
    return client_of(anna.owner)


@pytest.mark.slow
@each_model
def test_a_full_list_takes_few_queries_and_changes_nothing(
    model: type[Model], anna: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dict(PAGES)[model], "list_per_page", ROWS)
    client, before = client_for(model, anna), writes()
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url(model, "changelist"))
    assert len(answer.context["cl"].result_list) == FEW.get(label(model), ROWS)
    assert len(queries) < MOST_QUERIES, "\n".join(query["sql"][:200] for query in queries)
    assert writes() == before


@pytest.mark.parametrize("model", SCOPED, ids=label)
def test_a_list_has_each_row_once_whatever_it_is_sorted_by(model: type[Model], anna: Filled) -> None:
    """A column that has the name of a relation would be sorted by its many rows."""
    morning = StockSnapshot.objects.filter(product__shop=anna.shop)[0]
    StockSnapshot.objects.create(
        product=morning.product, warehouse=morning.warehouse, day=date(2026, 1, 1), present=1, reserved=0
    )
    opened = listed(anna.owner, model)
    sortable = [i for i, name in enumerate(opened.list_display) if opened.get_ordering_field(name)]
    for column in sortable:
        rows = [row.pk for row in listed(anna.owner, model, o=str(column)).queryset]
        assert len(rows) == len(set(rows)) == opened.result_count, opened.list_display[column]


@pytest.mark.slow
@pytest.mark.parametrize("model", [model for model, page in PAGES if page.list_select_related], ids=label)
def test_a_list_that_asks_for_each_row_would_be_seen(
    model: type[Model], anna: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dict(PAGES)[model], "list_select_related", [])
    client = client_for(model, anna)
    with CaptureQueriesContext(connection) as queries:
        client.get(url(model, "changelist"))
    assert len(queries) >= MOST_QUERIES


@pytest.mark.slow
@each_model
def test_the_pages_of_a_list_hold_its_rows_in_order(
    model: type[Model], anna: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dict(PAGES)[model], "list_per_page", ROWS // 2)
    client = client_for(model, anna)
    address = url(model, "changelist")
    shown = client.get(address).context["cl"]
    pages = [client.get(address, {"p": number + 1}).context["cl"] for number in range(shown.paginator.num_pages)]
    assert [row.pk for page in pages for row in page.result_list] == [row.pk for row in shown.queryset]


def test_the_last_page_is_read_from_the_end_and_computes_no_other_row(
    anna: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dict(PAGES)[Product], "list_per_page", ROWS)
    client = client_of(anna.owner)
    with CaptureQueriesContext(connection) as queries:
        shown = client.get(url(Product, "changelist"), {"p": 2}).context["cl"]
    (keys,) = [query["sql"] for query in queries if query["sql"].endswith(f"LIMIT {len(shown.result_list)}")]
    assert keys.startswith('SELECT "products"."id" AS "pk" FROM "products"')
    assert "inventory" not in keys
    assert "OFFSET" not in keys


def test_the_timetable_of_many_shops_takes_few_queries(anna: Filled) -> None:
    client = client_of(anna.owner)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse("admin:jobs_timetable")).status_code == 200
    assert len(queries) < MOST_QUERIES, "\n".join(query["sql"][:200] for query in queries)


def test_the_overview_takes_as_many_queries_however_many_shops_and_sellers_there_are(anna: Filled) -> None:
    client = client_for(User, anna)  # who keeps the installation sees every seller's shops
    one, queries = overview_of(client, Shop.objects.filter(pk=anna.shop.pk))
    many, queries_of_many = overview_of(client, Shop.objects.filter(seller=anna.seller))
    for number in range(SELLERS):
        fill(f"Seller {number}")
    all_sellers, queries_of_all = overview_of(client, Shop.objects.all())
    assert (one, many, all_sellers) == (1, 1 + ROWS, 1 + ROWS + SELLERS)
    assert queries == queries_of_many == queries_of_all


def overview_of(client: Client, shops: QuerySet[Shop]) -> tuple[int, int]:
    """How many shops the first page shows, and how many queries it takes, when only these are active."""
    Shop.objects.update(is_active=False)
    shops.update(is_active=True)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(reverse("admin:index"))
    assert all(line.data for line in answer.context["shops"])
    return len(answer.context["shops"]), len(queries)


@pytest.mark.slow
@each_model
def test_reading_changes_nothing(model: type[Model], anna: Filled) -> None:
    """A crawler that follows every link of a list: to the pages of a row, and to its dialogs."""
    client = client_for(model, anna)
    row = row_of(model, anna.seller) if model in SCOPED else model._default_manager.last()
    assert row is not None
    before = writes()
    pages_of_a_row = [url(model, page, row.pk) for page in ("change", "delete", "history")]
    for address in (url(model, "add"), *pages_of_a_row):
        assert client.get(address, follow=True).status_code in (200, 403)
    assert writes() == before


def test_the_walk_would_see_a_change(anna: Filled) -> None:
    before = writes()
    Person.objects.filter(pk=anna.owner.person_id).update(language=Language.UKRAINIAN)
    assert writes() != before


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/me/", "/admin/password_change/", "/admin/login/", "/admin/nowhere/"]
)
def test_every_answer_carries_the_headers_of_safety(address: str, anna: Filled) -> None:
    headers = client_of(anna.owner).get(address).headers
    assert headers["Content-Security-Policy"] == CONTENT_POLICY
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_cookies_cannot_be_read_by_a_page_nor_sent_from_another_site(anna: Filled) -> None:
    client = Client()
    user = User.objects.get(pk=anna.owner.person.user_id)
    user.set_password("a-long-enough-phrase")
    user.save()
    client.get("/admin/login/")
    client.post("/admin/login/", {"username": "anna", "password": "a-long-enough-phrase"})
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


def test_a_stranger_is_sent_to_the_login() -> None:
    answer = Client().get("/admin/catalog/product/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/")


def test_the_first_address_leads_to_the_admin() -> None:
    assert Client().get("/").headers["Location"] == "/admin/"


@pytest.mark.parametrize("language", Language.values)
def test_pages_speak_the_persons_language(language: str, anna: Filled) -> None:
    client = client_of(anna.owner)
    client.post("/admin/me/", {"language": language, "active_seller": anna.seller.pk})
    page = client.get("/admin/")
    assert f'<html lang="{language}"' in page.content.decode()
    assert page.headers["Content-Language"] == language


def test_codes_are_shown_in_words(anna: Filled) -> None:
    Person.objects.filter(pk=anna.owner.person_id).update(language=Language.RUSSIAN)
    run = row_of(JobRun, anna.seller)
    JobRun.objects.filter(pk=run.pk).update(progress={"stage": "fbo_postings", "done": 1, "total": 2})
    client = client_of(anna.owner)
    assert "отправления FBO: 50" in client.get(url(JobRun, "changelist")).content.decode()
    assert "Синхронизация с OZON · " in client.get(url(JobRun, "change", run.pk)).content.decode()
    assert "продажи по дням" in client.get(url(SyncRun, "changelist")).content.decode()
    assert "карточка цены" in client.get(url(OutboxMessage, "changelist")).content.decode()
    trail = client.get(url(AuditEntry, "changelist")).content.decode()
    assert "decisions.proposal:" not in trail


def test_a_number_of_rows_needs_no_form_of_a_noun(anna: Filled) -> None:
    Person.objects.filter(pk=anna.owner.person_id).update(language=Language.RUSSIAN)
    page = client_of(anna.owner).get(url(Product, "changelist")).content.decode()
    count = Product.objects.filter(shop=anna.shop).count()
    assert f"Всего строк: {count}" in page
    assert f"{count} товары" not in " ".join(page.split())


def test_a_missing_page_says_so_without_a_traceback(anna: Filled) -> None:
    page = client_of(anna.owner).get("/admin/catalog/product/999999999/change/")
    assert page.status_code == 404
    assert "not yours to see" in page.content.decode()
    assert "Traceback" not in page.content.decode()


def test_a_refused_page_says_who_can_change_that(anna: Filled) -> None:
    viewer = anna.seller.members.select_related("person__user").filter(role="viewer")[0]
    page = client_of(viewer).get(reverse("admin:shops_credential_changelist"))
    assert page.status_code == 403
    assert "Whoever owns the seller can change your role" in page.content.decode()


def test_every_page_is_in_the_sidebar() -> None:
    named = [name for _title, pages in GROUPS for name, _icon in pages]
    assert sorted({*named} - {"jobs.timetable"}) == sorted(label(model) for model, _ in PAGES)
    assert len(named) == len(set(named))


def test_the_sidebar_offers_what_may_be_opened(anna: Filled) -> None:
    viewer = anna.seller.members.select_related("person__user").filter(role="viewer")[0]
    page = client_of(viewer).get("/admin/").content.decode()
    assert reverse("admin:catalog_product_changelist") in page
    assert reverse("admin:shops_credential_changelist") not in page
    assert reverse("admin:auth_user_changelist") not in page


STATES = [
    (model, field)
    for model, _ in PAGES
    for field in model._meta.fields
    if field.name in {"state", "status", "level"} and field.choices
]


@pytest.mark.parametrize(("model", "field"), STATES, ids=label)
def test_every_state_has_a_badge_in_the_persons_language(model: type[Model], field: Field) -> None:
    """One without a color would show the name in the code."""
    page: Any = dict(PAGES)[model]
    columns: list[Any] = [getattr(page, name, None) for name in page.list_display if isinstance(name, str)]
    (badge,) = [column for column in columns if getattr(column, "admin_order_field", None) == field.name]
    assert set(badge.label) == {value for value, _words in field.flatchoices}
