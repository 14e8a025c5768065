from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.common.errors import NotFound
from apps.reports import answers
from apps.shops.models import Member, Seller
from apps.shops.roles import Role
from tests import cast
from tests.inventory.shelf import TODAY, Shelf, queries_counted
from tests.reports.rows import LANGUAGES, asked, experiment, verdict

pytestmark = pytest.mark.django_db

ALL = (
    answers.welcome,
    answers.hint,
    answers.help_text,
    answers.report,
    answers.inventory,
    answers.experiments,
    answers.settings,
)


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def shelf(anna: Member) -> Shelf:
    return Shelf(anna.seller.shops.get())


def stocked(shelf: Shelf, stock: int | None, name: str = "Scarf") -> None:
    product = shelf.product(name)
    shelf.sold(product, [2] * 56)
    if stock is not None:
        shelf.morning(product, stock)


@pytest.mark.parametrize("answer", ALL)
def test_every_answer_speaks_every_language(anna: Member, shelf: Shelf, answer: Any) -> None:
    stocked(shelf, 3, "<b>scarf</b> & co")
    shelf.synced()
    verdict(experiment(shelf.products[0], anna, state="judged"))
    said = {asked(answer, anna, language=language).text for language in LANGUAGES}
    assert len(said) == len(LANGUAGES)


@pytest.mark.parametrize("answer", ALL)
def test_a_viewer_may_ask_everything(anna: Member, shelf: Shelf, answer: Any) -> None:
    shelf.synced()
    assert asked(answer, cast.member(anna.seller, "Vera", Role.VIEWER, telegram_id=7)).text


def test_welcome_names_the_seller_and_the_role(anna: Member) -> None:
    text = asked(answers.welcome, anna).text
    assert text.startswith("Hello, Anna!\nYou work with “Anna's goods”; your role: owner.")
    for command in ("/report", "/inventory", "/experiments", "/settings", "/help"):
        assert command in text


def test_inventory_lists_what_to_order_and_counts_the_rest(anna: Member, shelf: Shelf) -> None:
    for name, stock in (("low", 4), ("out", 0), ("fine", 60), ("long", 500), ("unseen", None)):
        stocked(shelf, stock, name)
    shelf.synced()
    text = asked(answers.inventory, anna).text
    assert text.startswith(
        "Shelf: stock\n\n"
        "Products: 5\nOut of stock: 1\nLasting more than 60 days: 1\n"
        "Products of which nobody knows how long they last: 1\n\n"
        "Time to order\n• out (SKU-2): out of stock; order "
    )
    assert "• low (SKU-1): 4 pcs for 2 days; order " in text
    assert "fine" not in text
    assert "Data as of March 2, 09:00." in text


def test_inventory_of_every_shop_of_the_seller_and_of_no_other(anna: Member, shelf: Shelf) -> None:
    second = Shelf(cast.shop(anna.seller, "Window"))
    other = Shelf(cast.boris().seller.shops.get())
    for one, name in ((shelf, "mine"), (second, "mine too"), (other, "not mine")):
        stocked(one, 1, name)
        one.synced()
    text = asked(answers.inventory, anna).text
    assert "mine (SKU-1)" in text
    assert "mine too (SKU-1)" in text
    assert "not mine" not in text


def test_a_long_inventory_is_cut_and_says_so(anna: Member, shelf: Shelf) -> None:
    for _ in range(23):
        stocked(shelf, 2, "A name that is as long as names at a marketplace are " + "x" * 300)
    shelf.synced()
    text = asked(answers.inventory, anna).text
    assert text.count("•") == 20
    assert "… and 3 more" in text


def test_enough_of_everything_is_said(anna: Member, shelf: Shelf) -> None:
    stocked(shelf, 500)
    shelf.synced()
    assert "There is enough of everything in stock." in asked(answers.inventory, anna).text


def test_unknown_stock_is_not_called_enough(anna: Member, shelf: Shelf) -> None:
    stocked(shelf, None)
    shelf.synced()
    for answer in (answers.inventory, answers.report):
        text = asked(answer, anna).text
        assert "enough" not in text
        assert "Products of which nobody knows how long they last: 1" in text


def test_a_seller_without_a_shop_hears_so(anna: Member) -> None:
    anna.seller.shops.update(is_active=False)
    for answer in (answers.report, answers.inventory):
        with pytest.raises(NotFound, match="no active shop"):
            asked(answer, anna)


def test_experiments_show_what_waits_first_and_what_is_over_last(anna: Member, shelf: Shelf) -> None:
    experiment(shelf.product("runs"), anna)
    verdict(experiment(shelf.product("waits"), anna, state="judged"))
    verdict(
        experiment(shelf.product("over"), anna, state="kept", decided_by=anna, decided_at=None), result="INCONCLUSIVE"
    )
    assert asked(answers.experiments, anna).text == (
        "Price experiments\n\n"
        "• waits: 1,000 RUB → 1,090 RUB, judged, waiting for a decision (success)\n"
        "• runs: 1,000 RUB → 1,090 RUB, runs until March 9\n\n"
        "Finished\n"
        "• over: 1,000 RUB → 1,090 RUB, kept (inconclusive)"
    )


def test_no_experiment_says_how_one_starts(anna: Member) -> None:
    assert "No experiment is under way. One starts when" in asked(answers.experiments, anna).text


def test_many_experiments_are_cut_and_need_no_more_queries(anna: Member, shelf: Shelf) -> None:
    counts = []
    for batch in (5, 13):
        for _ in range(batch):
            verdict(experiment(shelf.product(), anna, state="judged"), as_of=TODAY + timedelta(days=8))
        with queries_counted() as queries:
            text = asked(answers.experiments, anna).text
        counts.append(len(queries))
    assert text.count("•") == 15
    assert "… and 3 more" in text
    assert counts[0] == counts[1]


def test_another_sellers_experiments_are_not_shown(shelf: Shelf, anna: Member) -> None:
    experiment(shelf.product("secret"), anna)
    assert "secret" not in asked(answers.experiments, cast.boris()).text


def test_settings_offer_the_other_languages_and_sellers(anna: Member) -> None:
    second = Seller.objects.create(name="Window & co")
    Member.objects.create(person=anna.person, seller=second, role=Role.ANALYST)
    cast.boris()
    seen = asked(answers.settings, anna)
    assert "Language: English\nSeller: Anna's goods (owner)" in seen.text
    assert seen.buttons == (
        ("settings.language", {"language": "ru"}),
        ("settings.language", {"language": "uk"}),
        ("settings.seller", {"seller": second.pk}),
    )
