"""Buyers of a CRM: found by what they would say of themselves, and forgotten when they ask for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db.models import TextField
from django.db.models.functions import Cast

from apps.marketplaces.keycrm.schemas import Buyer as CrmBuyer
from apps.sales import buyers
from apps.sales.buyers import email_hash, phone_hash
from apps.sales.models import Buyer
from apps.shops.models import AuditEntry, Shop
from tests import cast

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop.objects.create(seller=cast.anna().seller, kind=Shop.Kind.KEYCRM, name="Salon", currency="UAH")


def told(number: int = 7, phone: str | None = "+380 00 000-00-07", email: str | None = "b7@example.com") -> CrmBuyer:
    return CrmBuyer.model_validate({"id": number, "full_name": f"Buyer {number}", "phone": phone, "email": email})


def as_it_lies() -> str:
    return str(Buyer.objects.annotate(sealed=Cast("phone", TextField())).values_list("sealed", flat=True).get())


@pytest.mark.parametrize("same", ["380000000007", "+38 (000) 000 00 07", "0000000007"])
def test_a_phone_is_the_same_however_it_is_written(same: str) -> None:
    assert phone_hash(same) == phone_hash("+380000000007") != ""


@pytest.mark.parametrize("other", ["", "12345", "b7@example.com"])
def test_what_is_no_phone_has_no_hash(other: str) -> None:
    assert phone_hash(other) == ""


def test_an_address_is_compared_without_regard_to_case() -> None:
    assert email_hash(" B7@Example.com ") == email_hash("b7@example.com") != email_hash("b8@example.com")


@pytest.mark.parametrize("asked", ["+380000000007", "B7@example.com", "7"])
def test_a_buyer_is_found_by_phone_address_or_number(shop: Shop, asked: str) -> None:
    buyers.store(shop, [told(7), told(8, "+380000000008", "b8@example.com")])
    assert [buyer.external_id for buyer in buyers.search(Buyer.objects.all(), asked)] == [7]


def test_a_part_of_a_phone_finds_nobody(shop: Shop) -> None:
    buyers.store(shop, [told(7)])
    assert not buyers.search(Buyer.objects.all(), "00000000")


def test_what_has_not_changed_is_not_written_again(shop: Shop) -> None:
    buyers.store(shop, [told(7)])
    before = as_it_lies()
    ids = buyers.store(shop, [told(7)])
    assert as_it_lies() == before, "an encrypted text never comes out the same twice"
    assert ids == {7: Buyer.objects.get().pk}


def test_a_new_phone_replaces_the_old_one_and_a_null_replaces_nothing(shop: Shop) -> None:
    buyers.store(shop, [told(7)])
    buyers.store(shop, [told(7, "+380000000009")])
    buyers.store(shop, [told(7, None, None)])
    assert [buyer.external_id for buyer in buyers.search(Buyer.objects.all(), "+380000000009")] == [7]


def test_an_erased_buyer_stays_erased_whatever_the_crm_tells(shop: Shop) -> None:
    buyers.store(shop, [told(7)])
    buyers.erase(buyer=Buyer.objects.get(), by=None, now=NOW)
    buyers.erase(buyer=Buyer.objects.get(), by=None, now=NOW)
    ids = buyers.store(shop, [told(7, "+380000000009")])
    buyer = Buyer.objects.get()
    assert ids == {7: buyer.pk}, "their orders still have a buyer"
    assert (buyer.name, buyer.phone, buyer.email, buyer.phone_hash, buyer.email_hash) == (None, None, None, "", "")
    assert AuditEntry.objects.filter(action="buyer.erased").count() == 1


def test_the_command_erases_by_phone(shop: Shop) -> None:
    buyers.store(shop, [told(7), told(8, "+380000000008", None)])
    call_command("erase_buyer", "+380000000007", shop=shop.pk)
    assert list(Buyer.objects.filter(erased_at=None).values_list("external_id", flat=True)) == [8]
    with pytest.raises(CommandError, match="no such buyer"):
        call_command("erase_buyer", "+380000000007", shop=shop.pk)
