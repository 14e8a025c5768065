"""One thing in several shops: found, linked and looked at on the pages of the products."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.catalog.models import Article, Product
from apps.common import formats
from apps.shops.models import Shop
from apps.shops.roles import Role
from tests import cast
from tests.backoffice.fill import Filled
from tests.backoffice.site import client_of, url


@pytest.fixture
def there(anna: Filled) -> Product:
    """The teapot of Anna's first shop as her second one has it."""
    salon = Shop.objects.create(seller=anna.seller, kind="keycrm", name="Salon", currency="UAH", timezone="Europe/Kyiv")
    return Product.objects.create(
        shop=salon, external_id="1", offer_id="Anna-0", name="Teapot", currency="UAH", price=700
    )


@pytest.fixture
def here(anna: Filled) -> Product:
    return Product.objects.get(shop=anna.shop, offer_id="Anna-0")


@pytest.fixture
def client(anna: Filled) -> Client:
    return client_of(anna.owner)


def link(client: Client, product: Product) -> Any:
    chosen = {"action": "link", "_selected_action": [product.pk]}
    return client.post(url(Product, "changelist"), chosen, follow=True)


def listed(client: Client, choice: str) -> set[int]:
    rows = client.get(url(Product, "changelist"), {"article": choice}).context["cl"].result_list
    return {row.pk for row in rows}


def test_what_seems_to_be_the_same_is_found_and_linked_by_an_action(
    client: Client, here: Product, there: Product
) -> None:
    assert (listed(client, "suggested"), listed(client, "linked")) == ({here.pk, there.pk}, set())
    assert "Linked: 1." in link(client, here).content.decode()
    assert (listed(client, "suggested"), listed(client, "linked")) == (set(), {here.pk, there.pk})


def test_a_products_page_shows_its_other_shops_each_in_its_own_money(
    client: Client, here: Product, there: Product
) -> None:
    page = url(Product, "change", here.pk)
    assert "The same article in each shop" not in client.get(page).content.decode()
    link(client, here)
    text = client.get(page).content.decode()
    assert "The same article in each shop" in text
    assert url(Product, "change", there.pk) in text
    assert formats.money(Decimal(700), "UAH") in text


def test_an_article_is_written_and_cleared_on_the_products_page(client: Client, here: Product) -> None:
    assert save(client, here, "TEAPOT").status_code == 302
    assert Article.objects.get().code == "TEAPOT"
    assert "TEAPOT" in client.get(url(Product, "changelist")).content.decode()
    save(client, here, "")
    assert not Article.objects.exists()


def test_who_may_only_look_links_nothing(anna: Filled, here: Product, there: Product) -> None:
    viewer = client_of(cast.member(anna.seller, "Vera", Role.VIEWER))
    link(viewer, here)
    assert not Article.objects.exists()


def save(client: Client, product: Product, code: str) -> Any:
    """Post the page's forms as they stand, with another article."""
    page = client.get(url(Product, "change", product.pk))
    body: dict[str, Any] = {}
    for formset in (inline.formset for inline in page.context["inline_admin_formsets"]):
        for form in (formset.management_form, *formset.forms):
            body |= {
                form.add_prefix(name): "" if (value := form[name].value()) is None else value for name in form.fields
            }
    return client.post(url(Product, "change", product.pk), body | {"article-0-code": code})
