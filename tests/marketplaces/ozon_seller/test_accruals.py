"""What an accrual is made of: its parts by product and type, which always sum up to its total."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.marketplaces.ozon_seller.accruals import Accrual, Part

D = Decimal


def money(amount: str, currency: str = "RUB") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def accrual(total: str, **parts: Any) -> Accrual:
    head = {"accrual_id": 7, "accrued_category": "POSTING", "date": "2026-09-01", "unit_number": "1-1-1"}
    return Accrual.model_validate({**head, "total_amount": money(total), **parts})


def product(**parts: Any) -> dict[str, Any]:
    return {"products": [{"sku": 77, "commission": None, "delivery": None, **parts}]}


def fee(kind: int, amount: str) -> dict[str, Any]:
    return {"type_id": kind, "accrued": money(amount)}


def test_two_fees_of_one_type_are_summed() -> None:
    delivery = {"services": [fee(32, "-10"), fee(32, "-2.50"), fee(1, "-1")]}
    assert accrual("-13.50", posting=product(delivery=delivery)).parts == (
        Part(77, "32", D("-12.50")),
        Part(77, "1", D(-1)),
    )


def test_the_final_commission_counts_and_that_of_the_price_list_where_there_is_none() -> None:
    final = {"commission": money("-9"), "sale_commission": money("-10")}
    listed = {"commission": None, "sale_commission": money("-10")}
    assert accrual("-9", posting=product(commission=final)).parts == (Part(77, "commission", D(-9)),)
    assert accrual("-10", posting=product(commission=listed)).parts == (Part(77, "commission", D(-10)),)


def test_what_comes_back_is_a_negative_sale() -> None:
    block = {"sale_amount": money("-100"), "commission": money("10")}
    assert [part.amount for part in accrual("-90", posting=product(commission=block)).parts] == [D(-100), D(10)]


def test_fees_of_a_product_of_the_shop_and_of_a_container() -> None:
    items = {"fees": [{"sku": 5, "fees": [fee(46, "-1.50")]}]}
    assert accrual("-1.50", item_fees=items).parts == (Part(5, "46", D("-1.50")),)
    assert accrual("-990", non_item_fee=fee(52, "-990")).parts == (Part(None, "52", D(-990)),)
    assert accrual("-4", container_fees={"fees": [fee(16, "-4")]}).parts == (Part(None, "16", D(-4)),)


def test_what_nothing_explains_is_a_part_too() -> None:
    assert accrual("-30").parts == (Part(None, "", D(-30)),)
    assert accrual("-30", non_item_fee={"type_id": 0, "accrued": money("-20")}).parts == (Part(None, "", D(-30)),)


def test_an_amount_that_is_not_told_is_not_zero() -> None:
    block = {"sale_amount": money(""), "commission": money("-9")}
    assert accrual("-9", posting=product(commission=block)).parts == (Part(77, "commission", D(-9)),)


def test_it_knows_every_currency_in_it() -> None:
    assert accrual("-9", non_item_fee={"type_id": 1, "accrued": money("-9", "KZT")}).currencies == {"RUB", "KZT"}
