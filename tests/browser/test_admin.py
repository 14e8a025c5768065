"""The admin in a real browser: it looks complete, complains of nothing, and its buttons do what they say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.catalog.models import Cost, CostImport, Product, ProductSettings, SettingsImport
from apps.decisions.models import Proposal
from apps.jobs.models import JobRun
from apps.shops.models import is_stopped
from tests.backoffice.fill import Filled, fill
from tests.backoffice.site import PAGES, SCOPED, row_of, url

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(scope="module", autouse=True)
def _database_beside_a_loop() -> Iterator[None]:
    """Playwright's synchronous interface runs an event loop in this thread; the tests' own queries may still run."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def anna(transactional_db: None) -> Filled:
    return fill("Anna", telegram_id=1001)


@pytest.fixture(params=[DESK, pytest.param(PHONE, marks=pytest.mark.slow)], ids=["desk", "phone"])
def page(browser: Browser, live_server: LiveServer, anna: Filled, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Anna's page, logged in, which ends in failure when its console complained, of its content policy for example."""
    client = Client()
    client.force_login(anna.owner.person.user)
    context = browser.new_context(
        viewport=request.param, locale="en-GB", reduced_motion="reduce", base_url=live_server.url
    )
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    yield page
    context.close()
    assert complaints == []


def opens(page: Page, address: str) -> bool:
    answer = page.goto(address)
    return answer is not None and answer.ok


desk_only = pytest.mark.parametrize("page", [DESK], indirect=True, ids=["desk"])


@pytest.mark.slow
@desk_only
def test_every_page_opens_without_a_complaint(page: Page, anna: Filled) -> None:
    """Lists, forms and dialogs of all that there is, as whoever keeps the installation."""
    User.objects.filter(pk=anna.owner.person.user_id).update(is_superuser=True)
    for address in ("/admin/", "/admin/me/", reverse("admin:jobs_timetable")):
        assert opens(page, address)
    for model, admin in PAGES:
        assert opens(page, url(model, "changelist"))
        row = row_of(model, anna.seller) if model in SCOPED else model._default_manager.first()
        if row:
            assert opens(page, url(model, "change", row.pk))
        if model in SCOPED and admin.add_action:
            assert opens(page, url(model, "add"))


def test_the_overview_leads_to_what_waits(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_text("Proposals to decide on").click()
    page.get_by_role("link", name="Anna-0 · Anna teapot 0").click()
    expect(page.locator("#decision").get_by_text("1,490 RUB → 1,590 RUB (+6.7%)")).to_be_visible()
    expect(page.get_by_text("Long stock: 120 pcs last 96 days.")).to_be_visible()


@desk_only
def test_a_proposal_is_rejected_in_its_dialog(page: Page, anna: Filled) -> None:
    proposal = Proposal.objects.get(shop=anna.shop, state=Proposal.State.PENDING)
    page.goto(url(Proposal, "change", proposal.pk))
    page.get_by_role("link", name="Reject").click()
    expect(page.get_by_text("Reject this change?")).to_be_visible()
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Anna-0 · Anna teapot 0: rejected.")).to_be_visible()
    expect(page.get_by_role("link", name="Reject")).to_have_count(0)
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.REJECTED


@pytest.mark.slow
@desk_only
def test_a_dialog_can_be_left_without_a_decision(page: Page, anna: Filled) -> None:
    proposal = Proposal.objects.get(shop=anna.shop, state=Proposal.State.PENDING)
    page.goto(url(Proposal, "change", proposal.pk))
    page.get_by_role("link", name="Approve").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("Approve this change?")).to_be_hidden()
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING


@pytest.mark.slow
def test_a_job_is_started_with_one_press(page: Page) -> None:
    page.goto(reverse("admin:jobs_timetable"))
    page.get_by_role("button", name="Run now").first.click()
    expect(page.get_by_text("check of the figures: planned, it starts in a moment.")).to_be_visible()
    assert JobRun.objects.filter(slot__startswith="manual:", job="store_check").count() == 1


def test_everything_is_stopped_in_three_presses(page: Page, anna: Filled) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name="kill switch", exact=True).click()
    page.get_by_label("Everything is stopped").check(force=True)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("everything is stopped", exact=True)).to_be_visible()
    assert is_stopped(anna.shop)


@pytest.mark.slow
@desk_only
def test_a_cost_is_added_on_the_products_page(page: Page, anna: Filled) -> None:
    product = anna.shop.products.order_by("pk")[0]
    page.goto(url(type(product), "change", product.pk))
    page.get_by_role("link", name="Add another Cost").click()
    page.locator("[name=costs-1-starts_on]").fill("2026-03-01")
    page.locator("[name=costs-1-amount]").fill("650.50")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("650.50 RUB")).to_be_visible()


def test_costs_from_a_file_are_compared_ticked_and_entered(page: Page, anna: Filled) -> None:
    page.goto(url(CostImport, "add"))
    file = b"offer id,unit cost\nAnna-0,650.50\nAnna-1,1900\nAnna-2,60\nAnna-9,1\n"
    page.locator("input[type=file]").set_input_files({"name": "costs.csv", "mimeType": "text/csv", "buffer": file})
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("no product with the offer id “Anna-9”")).to_be_visible()
    page.get_by_label("Anna-1 · Anna teapot 1").check()
    page.get_by_role("button", name="Enter these costs").click()
    expect(page.get_by_text("2 costs entered. Large changes not ticked: 1.")).to_be_visible()
    entered = Cost.objects.filter(entered_by=anna.owner.person).exclude(amount=600)
    assert sorted(entered.values_list("amount", flat=True)) == [Decimal("650.50"), Decimal(1900)]


@pytest.mark.slow
@desk_only
def test_settings_of_a_product_are_set_on_its_page(page: Page, anna: Filled) -> None:
    product = anna.shop.products.order_by("pk")[0]
    page.goto(url(type(product), "change", product.pk))
    page.locator("[name=settings-0-min_price]").fill("1600")
    page.locator("[name=settings-0-max_price]").fill("1500")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The highest price, 1500, is below the lowest, 1600")).to_be_visible()
    page.locator("[name=settings-0-min_price]").fill("1200")
    page.locator("[name=settings-0-is_repriced]").select_option("no")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    said = ProductSettings.objects.get(product=product)
    assert (said.min_price, said.max_price, said.is_repriced) == (1200, 1500, False)


@pytest.mark.slow
@desk_only
def test_settings_from_a_file_are_compared_ticked_and_entered(page: Page, anna: Filled) -> None:
    page.goto(url(SettingsImport, "add"))
    file = b"offer id,lowest price,highest price\nAnna-0,1200,\nAnna-2,,5000\nAnna-1,2,1\n"
    page.locator("input[type=file]").set_input_files({"name": "s.csv", "mimeType": "text/csv", "buffer": file})
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("The highest price, 1, is below the lowest, 2")).to_be_visible()
    page.get_by_label("Anna-2 · Anna teapot 2").check()
    page.get_by_role("button", name="Enter these settings").click()
    expect(page.get_by_text("Settings of 2 products entered.")).to_be_visible()
    assert ProductSettings.objects.get(product__offer_id="Anna-2").max_price == 5000


@pytest.mark.slow
def test_a_list_is_taken_away_as_a_file(page: Page) -> None:
    page.goto(url(Product, "changelist") + "?q=Anna-1")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.path().read_text(encoding="utf-8-sig").count("Anna teapot") == 1


@pytest.mark.slow
def test_filters_are_saved_opened_and_removed(page: Page) -> None:
    page.goto(url(Product, "changelist"))
    page.get_by_placeholder("SKU, offer id or name").fill("Anna-1")
    page.keyboard.press("Enter")
    page.get_by_label("Name of these filters").fill("The second teapot")
    page.get_by_role("button", name="Save filters").click()
    page.goto(url(Product, "changelist"))
    expect(page.get_by_role("link", name="Anna teapot 2")).to_be_visible()
    page.get_by_role("link", name="The second teapot").click()
    expect(page.get_by_role("link", name="Anna teapot 1")).to_be_visible()
    expect(page.get_by_role("link", name="Anna teapot 2")).to_have_count(0)
    page.get_by_title("Remove the saved filter “The second teapot”").click()
    expect(page.get_by_role("link", name="The second teapot")).to_have_count(0)
    expect(page.get_by_role("link", name="Anna teapot 2")).to_have_count(0)


def test_a_person_logs_in_and_out(browser: Browser, live_server: LiveServer, anna: Filled) -> None:
    anna.owner.person.user.set_password("a-long-enough-phrase")
    anna.owner.person.user.save()
    page = browser.new_page(base_url=live_server.url, locale="en-GB")
    page.goto("/")
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill("a-long-enough-phrase")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Proposals to decide on")).to_be_visible()
    page.get_by_text("Anna", exact=True).last.click()
    page.get_by_role("button", name="Log out").click()
    page.goto("/admin/catalog/product/")
    assert page.url.endswith("/admin/login/?next=/admin/catalog/product/")
    page.close()
