"""Buyers of a CRM: kept encrypted, found by the hash of a phone or an e-mail, erased for good.

The hashes are keyed with the installation's secret, so that a table of all phones tells nothing without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from apps.common.bulk import upsert
from apps.common.encrypted import fernet
from apps.common.text import fit
from apps.marketplaces.keycrm import schemas
from apps.sales.models import Buyer
from apps.shops.audit import record
from apps.shops.models import Person, Shop

LONGEST = 300
KEY = ("shop_id", "external_id")
COLUMNS = ("name", "phone", "email", "phone_hash", "email_hash")
COUNTRY, NATIONAL_DIGITS = "380", 9


class Known(NamedTuple):
    """A buyer as it is stored."""

    id: int
    phone_hash: str
    email_hash: str
    erased_at: datetime | None


def store(shop: Shop, buyers: Iterable[schemas.Buyer]) -> dict[int, int]:
    """Keep what is new or differs; returns our ids by the CRM's. Whoever was erased stays so. Needs a transaction."""
    told = {buyer.buyer_id: buyer for buyer in buyers}
    known = _known(shop, told)
    changed = [buyer for key, buyer in told.items() if key not in known or _differs(buyer, known[key])]
    rows = (_row(shop, buyer) for buyer in changed)
    written = upsert(Buyer, rows, key=KEY, columns=COLUMNS, returning=("external_id", "id")).rows
    ids = {key: buyer.id for key, buyer in known.items()} | dict(written)
    if len(ids) < len(told):  # another job of the shop was faster with some
        ids = {key: buyer.id for key, buyer in _known(shop, told).items()}
    return ids


@transaction.atomic
def erase(*, buyer: Buyer, by: Person | None, now: datetime) -> None:
    """Forget who the person is. Their orders stay, for the sake of the figures, as those of a nameless buyer."""
    empty = {"name": None, "phone": None, "email": None, "phone_hash": "", "email_hash": ""}
    if Buyer.objects.filter(pk=buyer.pk, erased_at=None).update(**empty, erased_at=now):
        record("buyer.erased", actor=by, shop=buyer.shop, subject=buyer)


def search(buyers: QuerySet[Buyer], asked: str) -> QuerySet[Buyer]:
    """Those whose phone or e-mail, whole, or whose number in the CRM this is."""
    found = Q(external_id=int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else Q(pk=None)
    if phone := phone_hash(asked):
        found |= Q(phone_hash=phone)
    if email := email_hash(asked):
        found |= Q(email_hash=email)
    return buyers.filter(found)


def phone_hash(phone: str) -> str:
    """ "" for what is no phone. A Ukrainian number is the same with and without its country."""
    digits = re.sub(r"\D", "", phone)
    if "@" in phone or len(digits) < NATIONAL_DIGITS:
        return ""
    is_national = len(digits) == NATIONAL_DIGITS + 1 and digits.startswith("0")
    return _hash("phone", COUNTRY + digits[1:] if is_national else digits)


def email_hash(email: str) -> str:
    return _hash("email", email.strip().casefold()) if "@" in email else ""


def _hash(kind: str, value: str) -> str:
    return salted_hmac(f"vitrina.buyer.{kind}", value, algorithm="sha256").hexdigest()


def _known(shop: Shop, external_ids: Iterable[int]) -> dict[int, Known]:
    rows = Buyer.objects.filter(shop=shop, external_id__in=list(external_ids))
    return {row[0]: Known(*row[1:]) for row in rows.values_list("external_id", *Known._fields)}


def _differs(buyer: schemas.Buyer, known: Known) -> bool:
    """What is encrypted never looks the same twice, so the hashes are compared; a null erases nothing."""
    if known.erased_at is not None:
        return False
    phone, email = phone_hash(_first(buyer.phone)), email_hash(_first(buyer.email))
    return bool(phone and phone != known.phone_hash) or bool(email and email != known.email_hash)


def _row(shop: Shop, buyer: schemas.Buyer) -> tuple[object, ...]:
    phone, email = _first(buyer.phone), _first(buyer.email)
    sealed = (_sealed(buyer.full_name), _sealed(phone), _sealed(email))
    return (shop.pk, buyer.buyer_id, *sealed, phone_hash(phone), email_hash(email))


def _first(values: tuple[str, ...]) -> str:
    return fit(values[0], LONGEST) if values else ""


def _sealed(text: str) -> str | None:
    return fernet().encrypt(fit(text, LONGEST).encode()).decode() if text else None
