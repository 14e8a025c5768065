"""Every list of the admin as a file: what the page shows, to whom it is shown, and never a formula or a secret."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from django.contrib.admin.utils import label_for_field
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.text import capfirst

from apps.catalog.models import Brand, PriceChange, Product
from apps.decisions.models import Command, Proposal
from apps.experiments.models import Experiment
from apps.jobs.models import JobRun
from apps.sales.models import Accrual
from apps.shops import admin_export
from apps.shops.admin_export import CHECKBOX
from apps.shops.models import AuditEntry, Credential, Member, Seller, Shop
from apps.shops.roles import Role
from tests.backoffice.fill import Filled
from tests.backoffice.site import PAGES, SCOPED, client_of, label, row_of, url

FORMULA = "=cmd|'/c calc'!A1"
MOST_QUERIES = 20
# One function writes all of them: the usual run takes three, `make slow` every list that is registered.
each_list = pytest.mark.parametrize(
    "model",
    [
        pytest.param(model, marks=[] if model in (Product, Proposal, AuditEntry) else pytest.mark.slow)
        for model, _ in PAGES
    ],
    ids=label,
)


def export(client: Client, model: type[Model], kind: str = "xlsx", query: str = "") -> Any:
    return client.post(f"{url(model, 'export', kind)}?{query}")


def table(client: Client, model: type[Model], query: str = "") -> list[dict[str, Any]]:
    """The rows of the exported list, by the titles of its columns."""
    answer = export(client, model, query=query)
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).worksheets[0]
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def keeper_or(model: type[Model], anna: Filled) -> Client:
    """Anna, who for the pages of the installation keeps it too."""
    User.objects.filter(pk=anna.owner.person.user_id).update(is_superuser=model not in SCOPED)
    return client_of(anna.owner)


@pytest.fixture
def poisoned(anna: Filled) -> Filled:
    """Names that a spreadsheet would run, wherever somebody outside can choose one."""
    Product.objects.update(name=FORMULA, offer_id=FORMULA)
    Brand.objects.update(name=FORMULA)
    Shop.objects.filter(pk=anna.shop.pk).update(name=FORMULA)
    Seller.objects.filter(pk=anna.seller.pk).update(name=FORMULA)
    User.objects.filter(pk=anna.owner.person.user_id).update(first_name=FORMULA)
    return anna


@each_list
def test_no_list_holds_a_formula(model: type[Model], poisoned: Filled) -> None:
    client = keeper_or(model, poisoned)
    answer = export(client, model)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert len(cells) > len(book.worksheets[0][1]) or not model._default_manager.exists()
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert not any(cell.hyperlink for cell in cells)
    text = b"".join(export(client, model, "csv").streaming_content).decode("utf-8-sig")
    cells_of_text = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert [cell for cell in cells_of_text if cell.startswith(tuple("=+-@\t\r")) and not is_number(cell)] == []


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_the_poison_is_there_and_harmless(poisoned: Filled) -> None:
    client = client_of(poisoned.owner)
    assert {row["Name"] for row in table(client, Product)} == {FORMULA}
    assert f"'{FORMULA}" in b"".join(export(client, Product, "csv").streaming_content).decode()


@each_list
def test_no_list_tells_a_secret_or_anything_of_boris(model: type[Model], anna: Filled, boris: Filled) -> None:
    client = client_of(anna.owner)
    answer = export(client, model, "csv")
    if model in SCOPED:
        text = b"".join(answer.streaming_content).decode().lower()
        assert "canary" not in text
        assert "boris" not in text
    else:
        assert answer.status_code == 403


@each_list
def test_a_list_is_exported_by_whom_it_is_shown_to(model: type[Model], anna: Filled) -> None:
    for role in Role:
        client = client_of(member_with(role, anna))
        assert export(client, model, "csv").status_code == client.get(url(model, "changelist")).status_code


def member_with(role: Role, of: Filled) -> Member:
    return of.seller.members.select_related("person__user").filter(role=role)[0]


@each_list
def test_a_file_has_the_columns_and_rows_of_the_page_in_few_queries(model: type[Model], anna: Filled) -> None:
    client = keeper_or(model, anna)
    shown = client.get(url(model, "changelist")).context["cl"]
    with CaptureQueriesContext(connection) as queries:
        rows = table(client, model)
    assert len(queries) < MOST_QUERIES
    assert len(rows) == shown.result_count + (label(model) == "shops.auditentry")  # the export itself
    if rows:
        assert {without_zone(title) for title in rows[0]} - {"Currency"} == {*titles(shown)} - {"Currency"}


def titles(shown: Any) -> list[str]:
    """The page's own titles, or those of the figures that stand in their place."""
    page = shown.model_admin
    found: list[str] = []
    for name in shown.list_display:
        if name == CHECKBOX:
            continue
        figures = page.exported.get(name)
        page_title = str(label_for_field(name, page.model, model_admin=page))
        found += map(str, figures) if isinstance(figures, dict) else [page_title]
    return [capfirst(title) for title in found]


def without_zone(title: str) -> str:
    """Of moments the file says whose clock it is."""
    return title.removesuffix(" (Europe/Moscow)")


def test_figures_are_numbers_and_days_days(anna: Filled) -> None:
    row = table(client_of(anna.owner), Product)[0]
    assert (row["Price"], row["Crossed-out price"], row["Unit cost"], row["In stock"]) == (1490, 1990, 600, 118)
    assert (row["Currency"], row["SKU"]) == ("RUB", Product.objects.get(offer_id="Anna-0").sku)
    assert row["As of (Europe/Moscow)"] == datetime(2026, 3, 16, 12, 0)  # noqa: DTZ001
    fact = table(client_of(anna.owner), _model("sales.dailyfact"))[0]
    assert (fact["Day"].date(), fact["Revenue"], fact["In stock"]) == (date(2026, 3, 15), 4470, "yes")


def test_what_a_change_is_about_is_figures_too(anna: Filled) -> None:
    row = table(client_of(anna.owner), Proposal)[0]
    assert (row["Price before"], row["Price after"], row["Currency"]) == (1490, 1590, "RUB")
    assert row["Change"] == "1,490\xa0RUB → 1,590\xa0RUB (+6.7%)"
    row = table(client_of(anna.owner), Command)[0]
    assert (row["Price before"], row["Price after"], row["Currency"]) == (1490, 1590, "RUB")
    row = table(client_of(anna.owner), Experiment)[0]
    assert (row["Price before"], row["Price after"], row["Currency"]) == (1490, 1590, "RUB")
    assert (type(row["First full day"]), row["Days"]) == (datetime, 7)


def test_what_a_job_did_is_moments_and_counts(anna: Filled) -> None:
    started = datetime(2026, 3, 16, 6, 0, tzinfo=UTC)
    run = row_of(JobRun, anna.seller)
    JobRun.objects.filter(pk=run.pk).update(started_at=started, finished_at=started + timedelta(seconds=90))
    run.sync_runs.update(received=1200, written=7, bad_count=0)
    row = table(client_of(anna.owner), JobRun)[0]
    assert row["Started at (Europe/Moscow)"] == datetime(2026, 3, 16, 9, 0)  # noqa: DTZ001
    assert (row["Took, s"], row["Received"], row["Written"], row["Bad"]) == (90, 1200, 7, 0)


def test_money_below_zero_stays_a_number(anna: Filled) -> None:
    row = table(client_of(anna.owner), Accrual)[0]
    assert (row["Amount"], row["Currency"], row["Day"].date()) == (-30, "RUB", date(2026, 3, 16))


def test_moments_are_told_by_the_shops_clock(anna: Filled) -> None:
    Shop.objects.filter(pk=anna.shop.pk).update(timezone="Asia/Omsk")
    row = table(client_of(anna.owner), PriceChange)[0]
    assert row["Seen at (Asia/Omsk)"] == datetime(2026, 3, 16, 15, 0)  # noqa: DTZ001


def test_what_is_unknown_is_an_empty_cell(anna: Filled) -> None:
    product = row_of(Product, anna.seller)
    product.costs.all().delete()
    assert table(client_of(anna.owner), Product, f"q={product.offer_id}")[0]["Unit cost"] is None


def test_the_file_holds_what_search_and_filters_leave(anna: Filled) -> None:
    client = client_of(anna.owner)
    assert [row["Offer id"] for row in table(client, Product, "q=Anna-1")] == ["Anna-1"]
    assert table(client, Product, "cost=unknown") == []
    assert [row["Offer id"] for row in table(client, Product, "o=-1")] == ["Anna-2", "Anna-1", "Anna-0"]


def test_a_filter_that_means_nothing_leads_back_to_the_list(anna: Filled) -> None:
    answer = export(client_of(anna.owner), Product, query="is_archived__exact=maybe")
    assert (answer.status_code, answer.headers["Location"]) == (302, url(Product, "changelist"))


def test_an_export_is_written_down(anna: Filled) -> None:
    viewer = member_with(Role.VIEWER, anna)
    export(client_of(viewer), Product, "csv", "q=teapot")
    entry = AuditEntry.objects.filter(action="list.exported").latest("pk")
    assert (entry.actor, entry.seller, entry.subject) == (viewer.person, anna.seller, "catalog.product")
    assert entry.data == {
        "login": viewer.person.user.username, "kind": "csv", "rows": 3, "query": "q=teapot"
    }  # fmt: skip


def test_a_person_exports_so_many_lists_an_hour(anna: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_export, "EXPORTS_AN_HOUR", 2)
    client = client_of(anna.owner)
    assert [export(client, Product).status_code for _ in range(3)] == [200, 200, 302]
    assert "Please wait" in client.get(url(Product, "changelist")).content.decode()
    assert export(client_of(member_with(Role.VIEWER, anna)), Product).status_code == 200


def test_a_list_too_long_for_a_file_is_refused_with_a_word(anna: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_export, "MOST_ROWS", 2)
    client = client_of(anna.owner)
    answer = client.post(f"{url(Product, 'export', 'csv')}?q=teapot", follow=True)
    assert "narrow it down" in answer.content.decode()
    assert answer.redirect_chain[0][0].endswith("?q=teapot")
    assert not AuditEntry.objects.filter(action="list.exported").exists()


def test_an_export_is_asked_for_by_a_press_and_never_by_a_link(anna: Filled) -> None:
    client = client_of(anna.owner)
    assert client.get(url(Product, "export", "csv")).status_code == 405
    assert client.post(url(Product, "export", "exe")).status_code == 404
    from_elsewhere = Client(enforce_csrf_checks=True)
    from_elsewhere.force_login(anna.owner.person.user)
    assert from_elsewhere.post(url(Product, "export", "csv")).status_code == 403


def test_the_list_has_a_button_for_each_kind_of_file(anna: Filled) -> None:
    page = client_of(anna.owner).get(url(Product, "changelist"), {"q": "teapot"}).content.decode()
    for kind in ("xlsx", "csv"):
        assert f'formaction="{url(Product, "export", kind)}?q=teapot"' in page


def test_a_key_is_masked_in_a_file_as_on_the_page(anna: Filled) -> None:
    (row,) = table(client_of(anna.owner), Credential)
    assert row["Key"] == anna.shop.credentials.get().secret.masked


def _model(name: str) -> type[Model]:
    return next(model for model, _ in PAGES if label(model) == name)
