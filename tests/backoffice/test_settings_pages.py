"""Product settings on the pages of the admin: at the product itself, and from a file."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.catalog import comparison
from apps.catalog.models import CostImport, Product, ProductSettings, SettingsImport
from apps.catalog.product_settings import Value, set_settings
from apps.catalog.sheet_import import Fate, lines_of
from apps.catalog.sheet_words import Field
from apps.shops.models import AuditEntry, Person
from apps.shops.roles import Role
from tests.backoffice.fill import Filled
from tests.backoffice.site import client_of, url

D = Decimal
RUSSIAN = (
    "Артикул;Цена не ниже;Цена не выше;Минимальная маржа, %;Цену можно менять\r\n"
    "Anna-0;1200;;15;\r\n"
    "Anna-1;;-;;нет\r\n"
    "Anna-2;;5000;;\r\n"
    "NO-SUCH;1;;;\r\n"
).encode("cp1251")


@pytest.fixture
def client(anna: Filled) -> Client:
    return client_of(anna.owner)


def upload(client: Client, anna: Filled, data: bytes, name: str = "settings.csv") -> Any:
    posted = {"shop": anna.shop.pk, "file": SimpleUploadedFile(name, data)}
    return client.post(url(SettingsImport, "add"), posted, follow=True)


def read(client: Client, anna: Filled, data: bytes = RUSSIAN) -> SettingsImport:
    upload(client, anna, data)
    return SettingsImport.objects.latest("pk")


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


def sheet(answer: Any) -> list[tuple[Any, ...]]:
    data = b"".join(answer.streaming_content)
    return list(openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True))


# --- From a file ------------------------------------------------------------------------------------------------------


def test_a_file_is_compared_setting_by_setting_before_anything_is_entered(client: Client, anna: Filled) -> None:
    page = text(upload(client, anna, RUSSIAN))
    for words in (
        "Lowest price: not set → <b>1,200 RUB</b>",
        "Minimum margin: not set → <b>15%</b>",
        "Price may be changed: not set → <b>no</b>",
        "Highest price: 1,900 RUB → <b>5,000 RUB</b> (+163%)",
        "no product with the offer id “NO-SUCH”",
    ):
        assert words in page
    assert ProductSettings.objects.filter(product__shop=anna.shop).count() == 1


def test_one_press_enters_what_is_shown_and_ticked(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    page = text(client.post(url(SettingsImport, "change", found.pk), follow=True))
    assert "Settings of 2 products entered. Large changes not ticked: 1." in page
    assert ProductSettings.objects.get(product__offer_id="Anna-0").min_margin_rate == D("0.15")
    assert ProductSettings.objects.get(product__offer_id="Anna-2").max_price == 1900


def test_large_changes_beyond_those_shown_are_ticked_at_once(
    client: Client, anna: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "MOST_SHOWN", 0)
    found = read(client, anna)
    page = text(client.get(url(SettingsImport, "change", found.pk)))
    assert "All 1 large changes are meant, those that are not shown here too." in page
    client.post(url(SettingsImport, "change", found.pk), {"all": "1"})
    assert ProductSettings.objects.get(product__offer_id="Anna-2").max_price == 5000


def test_the_whole_comparison_is_taken_away_with_figures_as_numbers(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    rows = sheet(client.get(reverse("admin:catalog_settingsimport_compared", args=[found.pk])))
    assert rows[0][:7] == ("Row", "Product", "What becomes of it", "What", "Before", "After", "Change, %")
    assert [row[2:7] for row in rows[1:]] == [
        ("New", "lowest price", None, 1200, None),
        ("New", "minimum margin", None, 15, None),
        ("New", "price may be changed", None, "no", None),
        ("Large changes", "highest price", 1900, 5000, 163.2),
        ("With errors", None, None, None, None),
    ]
    assert "NO-SUCH" in rows[-1][-1]


@pytest.mark.parametrize("language", ["ru", "uk", "en"])
def test_what_holds_now_is_taken_away_changed_and_uploaded(language: str, client: Client, anna: Filled) -> None:
    Person.objects.filter(pk=anna.owner.person_id).update(language=language)
    values: dict[Field, Value] = {Field.MIN_PRICE: D(900), Field.MIN_MARGIN: D("0.155"), Field.PACK_SIZE: D(12)}
    values[Field.IS_REPRICED] = True
    set_settings(product=Product.objects.get(offer_id="Anna-0"), values=values, by=None)
    answer = client.get(reverse("admin:catalog_settingsimport_now", args=[anna.shop.pk]))
    data = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert [line.fate for line in lines_of(read(client, anna, data))] == [Fate.UNCHANGED, Fate.BLANK, Fate.UNCHANGED]
    book = openpyxl.load_workbook(io.BytesIO(data))
    page = book.worksheets[0]
    assert [page.cell(2, column).value for column in (3, 5, 6)] == [900, "RUB", 15.5]
    page.cell(2, 3).value, page.cell(3, 9).value, page.cell(4, 4).value = 950, 24, "-"
    file = io.BytesIO()
    book.save(file)
    found = read(client, anna, file.getvalue())
    assert [line.fate for line in lines_of(found)] == [Fate.CHANGED, Fate.NEW, Fate.CHANGED]
    client.post(url(SettingsImport, "change", found.pk))
    assert {
        row.product.offer_id: (row.min_price, row.pack_size) for row in ProductSettings.objects.of(anna.seller)
    } == {
        "Anna-0": (950, 12),
        "Anna-1": (None, 24),
    }


def test_what_a_product_is_called_never_becomes_a_formula(client: Client, anna: Filled) -> None:
    Product.objects.filter(offer_id="Anna-0").update(offer_id="=1+1")
    answer = client.get(reverse("admin:catalog_settingsimport_now", args=[anna.shop.pk]))
    data = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    cells = [cell for row in openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows() for cell in row]
    assert ("=1+1", "s") in [(cell.value, cell.data_type) for cell in cells]
    assert "f" not in {cell.data_type for cell in cells}


def test_rows_that_were_wrong_come_back_with_a_word(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    rows = sheet(client.get(reverse("admin:catalog_settingsimport_wrong", args=[found.pk])))
    assert rows[0][-1] == "What is wrong"
    assert [row[0] for row in rows[1:]] == ["NO-SUCH"]


def test_costs_that_hold_now_are_taken_away_too(client: Client, anna: Filled) -> None:
    rows = sheet(client.get(reverse("admin:catalog_costimport_now", args=[anna.shop.pk])))
    assert rows[0] == ("offer id", "SKU", "unit cost", "currency", "starts on")
    assert [(row[0], row[2], row[3]) for row in rows[1:]] == [(f"Anna-{number}", 600, "RUB") for number in range(3)]


def test_the_page_says_what_an_empty_cell_and_a_dash_do(client: Client, anna: Filled) -> None:
    Person.objects.filter(pk=anna.owner.person_id).update(language="ru")
    page = text(client.get(url(SettingsImport, "add")))
    assert "Пустая ячейка оставляет настройку как есть; прочерк (-) снимает её" in page
    assert "цена не ниже; цена не выше" in page


def test_what_holds_at_boriss_is_not_there(client: Client, anna: Filled, boris: Filled) -> None:
    for model in (SettingsImport, CostImport):
        assert client.get(url(model, "now", boris.shop.pk)).status_code == 404
        theirs = model.objects.get(shop=boris.shop)
        assert client.get(url(model, "compared", theirs.pk)).status_code == 404


def test_a_viewer_enters_nothing(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    viewer = client_of(anna.seller.members.select_related("person__user").get(role=Role.VIEWER))
    assert viewer.post(url(SettingsImport, "change", found.pk)).status_code == 403
    assert viewer.get(url(SettingsImport, "now", anna.shop.pk)).status_code == 403


# --- At the product ---------------------------------------------------------------------------------------------------


def form(product: Product, **values: str) -> dict[str, str]:
    """What the product's page sends: one form of settings, and nothing of the others."""
    has_row = ProductSettings.objects.filter(product=product).exists()
    sent = {f"settings-0-{name}": value for name, value in values.items()}
    nothing = dict.fromkeys(("article", "costs", "price_changes", "cluster_stock"), (0, 0))
    management = {"settings": (1, int(has_row)), **nothing}
    counts = {
        f"{prefix}-{name}": str(count)
        for prefix, (total, initial) in management.items()
        for name, count in (("TOTAL_FORMS", total), ("INITIAL_FORMS", initial))
    }
    return {**counts, **sent, "settings-0-product": str(product.pk)}


def save(client: Client, product: Product, **values: str) -> Any:
    return client.post(url(Product, "change", product.pk), form(product, **values), follow=True)


@pytest.fixture
def teapot(anna: Filled) -> Product:
    return Product.objects.get(offer_id="Anna-0")


def test_settings_are_said_on_the_products_page(client: Client, anna: Filled, teapot: Product) -> None:
    said = {"min_price": "900.50", "min_margin_rate": "15.5", "is_repriced": "false", "lead_days": "21"}
    save(client, teapot, **said)
    row = ProductSettings.objects.get(product=teapot)
    assert (row.min_price, row.max_price, row.min_margin_rate) == (D("900.50"), None, D("0.155"))
    assert (row.is_repriced, row.lead_days, row.changed_by) == (False, 21, anna.owner.person)
    entry = AuditEntry.objects.filter(action="product_settings.set").latest("pk")
    assert (entry.actor, entry.data["is_repriced"]) == (anna.owner.person, [None, "False"])
    assert "Added settings of a product" in text(client.get(url(Product, "history", teapot.pk)))


def test_a_setting_that_is_emptied_is_said_no_more(client: Client, teapot: Product) -> None:
    save(client, teapot, min_price="900", lead_days="21")
    save(client, teapot, min_price="", lead_days="21")
    row = ProductSettings.objects.get(product=teapot)
    assert (row.min_price, row.lead_days) == (None, 21)
    save(client, teapot, min_price="", lead_days="")
    assert not ProductSettings.objects.filter(product=teapot).exists()


def test_a_page_saved_without_a_word_leaves_no_row(client: Client, teapot: Product) -> None:
    save(client, teapot, min_price="", is_repriced="unknown")
    assert not ProductSettings.objects.filter(product=teapot).exists()


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"min_price": "1000", "max_price": "999"}, "max_price", "is below the lowest, 1000: it must be at least that"),
        ({"min_price": "0"}, "min_price", "“0” is not an amount: above 0"),
        ({"min_margin_rate": "91"}, "min_margin_rate", "0, or from 1 to 90"),
        ({"lead_days": "366"}, "lead_days", "a whole one from 1 to 365"),
        ({"pack_size": "0"}, "pack_size", "a whole one from 1 to 100000"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    client: Client, teapot: Product, values: dict[str, str], field: str, words: str
) -> None:
    answer = save(client, teapot, **values)
    formset = next(one for one in answer.context["inline_admin_formsets"] if one.opts.model is ProductSettings)
    (errors,) = formset.formset.errors
    assert list(errors) == [field]
    assert words in str(errors[field])
    assert not ProductSettings.objects.filter(product=teapot).exists()
