"""Costs from a file, on the pages of the admin: upload, comparison, the yes, and what was wrong as a file."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Cost, CostImport, Product
from apps.catalog.sheet_import import Fate, lines_of
from apps.common import uploads
from apps.shops.models import AuditEntry, Member, Person
from apps.shops.roles import Role
from tests.backoffice.fill import Filled
from tests.backoffice.site import client_of, url
from tests.cast import person

RUSSIAN = "Артикул;Себестоимость\r\nAnna-0;650,50\r\nAnna-1;900\r\nAnna-2;дорого\r\nNO-SUCH;1\r\n".encode("cp1251")


@pytest.fixture
def client(anna: Filled) -> Client:
    return client_of(anna.owner)


def upload(client: Client, anna: Filled, data: bytes, name: str = "costs.csv") -> Any:
    posted = {"shop": anna.shop.pk, "file": SimpleUploadedFile(name, data)}
    return client.post(url(CostImport, "add"), posted, follow=True)


def read(client: Client, anna: Filled, data: bytes = RUSSIAN) -> CostImport:
    upload(client, anna, data)
    return CostImport.objects.latest("pk")


def text(answer: Any) -> str:
    return answer.content.decode().replace("\xa0", " ")


def sheet(answer: Any) -> list[tuple[Any, ...]]:
    data = b"".join(answer.streaming_content)
    return list(openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True))


def with_role(role: Role, anna: Filled) -> Member:
    return anna.seller.members.select_related("person__user").filter(role=role)[0]


def test_a_file_is_compared_before_anything_is_entered(client: Client, anna: Filled) -> None:
    page = text(upload(client, anna, RUSSIAN))
    for words in (
        "600 RUB → <b>650.50 RUB</b> (+8.4%)",
        "600 RUB → <b>900 RUB</b> (+50%)",
        "“дорого” is not an amount",
        "no product with the offer id “NO-SUCH”",
    ):
        assert words in page
    assert not Cost.objects.exclude(amount=600).exists()


def test_only_a_large_change_has_a_box_to_tick(client: Client, anna: Filled) -> None:
    page = text(upload(client, anna, RUSSIAN))
    assert page.count('type="checkbox" name="row"') == 1
    assert 'name="row" value="3"' in page


def test_one_press_enters_what_is_shown_and_ticked(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    page = text(client.post(url(CostImport, "change", found.pk), {"row": ["3"]}, follow=True))
    assert "2 costs entered." in page
    entered = Cost.objects.filter(product__shop=anna.shop).exclude(amount=600)
    assert sorted(entered.values_list("amount", flat=True)) == [Decimal("650.50"), Decimal(900)]
    assert AuditEntry.objects.filter(action="cost.set", actor=anna.owner.person).count() == 2


def test_without_a_tick_a_large_change_is_left_out_and_said(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    page = text(client.post(url(CostImport, "change", found.pk), follow=True))
    assert "1 cost entered. Large changes not ticked: 1." in page


def test_a_second_press_says_that_it_is_done(client: Client, anna: Filled) -> None:
    address = url(CostImport, "change", read(client, anna).pk)
    client.post(address)
    assert "entered already" in text(client.post(address, follow=True))
    assert AuditEntry.objects.filter(action="cost.set").count() == 1


def test_what_was_wrong_comes_back_with_a_word_beside_each_row(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    rows = sheet(client.get(reverse("admin:catalog_costimport_wrong", args=[found.pk])))
    assert rows[0] == ("Артикул", "Себестоимость", "What is wrong")
    assert [row[:2] for row in rows[1:]] == [("Anna-2", "дорого"), ("NO-SUCH", "1")]
    assert "is not an amount" in rows[1][2]


def test_the_words_beside_a_row_are_the_persons_own(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    Person.objects.filter(pk=anna.owner.person_id).update(language="uk")
    rows = sheet(client.get(reverse("admin:catalog_costimport_wrong", args=[found.pk])))
    assert rows[0][2] == "Що не так"
    assert rows[2][2] == "У магазині немає товару з артикулом «NO-SUCH»."


def test_rows_that_were_put_right_are_read_again(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    rows = sheet(client.get(reverse("admin:catalog_costimport_wrong", args=[found.pk])))
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet()
        for number, row in enumerate([rows[0], ("Anna-2", 610, rows[1][2])]):
            page.write_row(number, 0, row)
    assert [line.fate for line in lines_of(read(client, anna, file.getvalue()))] == [Fate.CHANGED]


@pytest.mark.parametrize("language", ["ru", "uk", "en"])
def test_the_template_is_read_in_every_language(language: str, client: Client, anna: Filled) -> None:
    Person.objects.filter(pk=anna.owner.person_id).update(language=language)
    (titles,) = sheet(client.get(reverse("admin:catalog_costimport_template")))
    line = ("Anna-0", "", "650,00", "RUB", "01.03.2026")
    data = "\r\n".join(";".join(row) for row in (titles, line)).encode()
    assert [line.fate for line in lines_of(read(client, anna, data))] == [Fate.CHANGED]


@pytest.mark.parametrize("language", ["ru", "uk", "en"])
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_exported_list_of_products_is_read_and_changes_nothing(
    language: str, kind: str, client: Client, anna: Filled
) -> None:
    """Whoever fills in the costs there, and nothing else, gets what they expect."""
    Person.objects.filter(pk=anna.owner.person_id).update(language=language)
    Product.objects.get(offer_id="Anna-1").costs.all().delete()
    Product.objects.filter(offer_id="Anna-2").update(offer_id="-2")
    exported: Any = client.post(url(Product, "export", kind))
    data = b"".join(exported.streaming_content)
    assert sorted(line.fate for line in lines_of(read(client, anna, data))) == [
        Fate.BLANK, Fate.UNCHANGED, Fate.UNCHANGED
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The submitted file is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old .xls file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a table"),
        (b"PK\x03\x04broken", "cannot be read"),
        (b"name,price\nmug,5\n", "needed are “offer id” or “SKU”"),
        (b"x" * (uploads.MOST_BYTES * 3), "larger than 5 MB"),
        (b"offer id,cost\n", "no row beneath"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_beside_its_field(
    data: bytes, words: str, client: Client, anna: Filled
) -> None:
    count = CostImport.objects.count()
    assert words in str(upload(client, anna, data).context["form"].errors["file"])
    assert CostImport.objects.count() == count


def test_of_a_file_too_large_only_the_beginning_is_kept(client: Client, anna: Filled) -> None:
    answer = upload(client, anna, b"x" * (uploads.MOST_BYTES * 4))
    assert answer.context["form"].files["file"].size < uploads.MOST_BYTES + 2**20


def test_costs_of_a_shop_of_boriss_cannot_be_uploaded(client: Client, anna: Filled, boris: Filled) -> None:
    count = CostImport.objects.count()
    assert upload(client, boris, RUSSIAN).context["form"].errors["shop"]
    assert CostImport.objects.count() == count


def test_rows_of_boriss_that_were_wrong_are_not_there(client: Client, anna: Filled, boris: Filled) -> None:
    theirs = CostImport.objects.get(shop=boris.shop)
    assert client.get(reverse("admin:catalog_costimport_wrong", args=[theirs.pk])).status_code == 404


def test_a_viewer_sees_no_costs_and_enters_none(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    viewer = client_of(with_role(Role.VIEWER, anna))
    assert viewer.get(url(CostImport, "change", found.pk)).status_code == 403
    assert viewer.post(url(CostImport, "change", found.pk)).status_code == 403
    assert viewer.get(reverse("admin:catalog_costimport_template")).status_code == 403
    assert not Cost.objects.exclude(amount=600).exists()


def test_products_tell_a_viewer_nothing_of_their_costs(client: Client, anna: Filled) -> None:
    product = anna.shop.products.filter(costs__amount=600)[0]
    viewer = client_of(with_role(Role.VIEWER, anna))
    for who, is_told in ((client, True), (viewer, False)):
        for page in (url(Product, "changelist"), url(Product, "change", product.pk)):
            words = text(who.get(page))
            assert ("600 RUB" in words, "unit cost" in words.lower()) == (is_told, is_told), page
    assert not viewer.get(url(Product, "changelist"), {"newest_cost__gt": 1}).context


def test_whoever_keeps_the_installation_and_is_on_no_team_enters_nothing(client: Client, anna: Filled) -> None:
    found = read(client, anna)
    keeper, browser = person("Keeper").user, Client()
    User.objects.filter(pk=keeper.pk).update(is_staff=True, is_superuser=True)
    browser.force_login(keeper)
    page = browser.post(url(CostImport, "change", found.pk), follow=True)
    assert "nothing for you to decide" in text(page)
    assert not Cost.objects.exclude(amount=600).exists()
