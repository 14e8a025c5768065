"""What the seller wants of one product: a person's word, checked, and told in the audit trail as before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from django.db import transaction
from django.db.models import QuerySet

from apps.catalog.costs import is_possible
from apps.catalog.models import Product, ProductSettings
from apps.catalog.sheet_words import NAMES, Field, Problem, Trouble
from apps.common.bulk import upsert
from apps.common.clock import real_now
from apps.common.db import take_lock
from apps.common.errors import UserError
from apps.shops.audit import Deed, record_each
from apps.shops.models import Person, Shop

Value: TypeAlias = Decimal | bool | None
"""Money, a share as a fraction, a count, or yes and no; None where nothing is said."""
Values: TypeAlias = Mapping[Field, Value]

FIELDS = (
    Field.MIN_PRICE,
    Field.MAX_PRICE,
    Field.MIN_MARGIN,
    Field.IS_REPRICED,
    Field.LEAD_DAYS,
    Field.PACK_SIZE,
    Field.MIN_ORDER,
)
MONEY = frozenset({Field.MIN_PRICE, Field.MAX_PRICE})
MOST_OF = {Field.LEAD_DAYS: 365, Field.PACK_SIZE: 100_000, Field.MIN_ORDER: 100_000}
LEAST_MARGIN, MOST_MARGIN, MARGIN_STEP = Decimal("0.01"), Decimal("0.90"), Decimal("0.0001")
"""Below 1 % there is only 0: what is written as 0.15 may be a share as well as a percent, and is neither."""
NOTHING: Values = dict.fromkeys(FIELDS)


@dataclass(frozen=True)
class NewSettings:
    """What is to change of a product: of the fields named here the new values, None to say nothing any more."""

    product: Product
    values: Values


def settings_of(rows: QuerySet[ProductSettings]) -> dict[int, Values]:
    """What is set, by product; of a product that is not there it is `NOTHING`."""
    return {row.pk: values_of(row) for row in rows}


def values_of(row: ProductSettings) -> Values:
    return {field: _value(getattr(row, field)) for field in FIELDS}


def _value(stored: Decimal | int | bool | None) -> Value:
    return stored if stored is None or isinstance(stored, bool | Decimal) else Decimal(stored)


def problems_of(values: Values) -> Iterator[Problem]:
    """What cannot be set like this, and what can."""
    for field, value in values.items():
        if value is not None and not is_accepted(field, value):
            yield unaccepted(field, written(as_said(field, value)))
    low, high = values.get(Field.MIN_PRICE), values.get(Field.MAX_PRICE)
    if low is not None and high is not None and high < low:
        yield Problem(Field.MAX_PRICE, Trouble.NO_ROOM, written(high), written(low))


def is_accepted(field: Field, value: Decimal | bool) -> bool:
    if field == Field.IS_REPRICED:
        return isinstance(value, bool)
    number = Decimal(value)
    if field in MONEY:
        return is_possible(number)
    if field == Field.MIN_MARGIN:
        is_within = number.is_finite() and (number == 0 or LEAST_MARGIN <= number <= MOST_MARGIN)
        return is_within and number == number.quantize(MARGIN_STEP)
    return number == number.to_integral_value() and 1 <= number <= MOST_OF[field]


def unaccepted(field: Field, given: str) -> Problem:
    """The words for a value that the field does not take."""
    if field in MOST_OF:
        code = Trouble.BAD_DAYS if field == Field.LEAD_DAYS else Trouble.BAD_COUNT
        return Problem(field, code, given, str(MOST_OF[field]))
    if field == Field.IS_REPRICED:
        return Problem(field, Trouble.BAD_SWITCH, given)
    return Problem(field, Trouble.BAD_PERCENT if field == Field.MIN_MARGIN else Trouble.BAD_AMOUNT, given)


def as_said(field: Field, value: Decimal | bool) -> Decimal | bool:
    """The value as people say it and as a cell holds it: a share in percent, without noughts at its end."""
    return _plain(Decimal(value) * 100) if field == Field.MIN_MARGIN else value


def _plain(number: Decimal) -> Decimal:
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def written(value: Decimal | bool) -> str:
    return str(value) if isinstance(value, bool) else f"{value:f}"


@transaction.atomic
def set_settings(*, product: Product, values: Values, by: Person | None) -> None:
    """Have `values` hold for the product, and leave the fields that it does not name. Raises `UserError`."""
    lock_settings(product.shop)
    enter_settings(product.shop, [NewSettings(product, values)], by=by)


def lock_settings(shop: Shop) -> None:
    """Until the end of the transaction nobody else sets anything of this shop's products: what was read stays true."""
    take_lock("product settings", shop.pk)


def enter_settings(shop: Shop, new: Sequence[NewSettings], *, by: Person | None) -> None:
    """Write what differs, each product with its row in the audit trail. Under the lock, in the caller's transaction."""
    stored = settings_of(ProductSettings.objects.filter(product__in=[one.product for one in new]))
    known = {one.product.pk: stored.get(one.product.pk, NOTHING) for one in new}
    changes = [(one.product, _differing(known[one.product.pk], one.values)) for one in new]
    changes = [(product, changed) for product, changed in changes if changed]
    whole = {product.pk: {**known[product.pk], **changed} for product, changed in changes}
    for product, _ in changes:
        _check(product, whole[product.pk])
    author, at = by.pk if by else None, real_now()
    rows = ((pk, *(values[field] for field in FIELDS), author, at) for pk, values in whole.items() if _says(values))
    upsert(ProductSettings, rows, key=("product_id",), columns=(*FIELDS, "changed_by_id", "changed_at"))
    ProductSettings.objects.filter(product__in=[pk for pk, values in whole.items() if not _says(values)]).delete()
    deeds = (Deed(product, _told(known[product.pk], changed)) for product, changed in changes)
    record_each("product_settings.set", deeds, actor=by, shop=shop)


def _differing(now: Values, wanted: Values) -> Values:
    return {field: value for field, value in wanted.items() if value != now[field]}


def _says(values: Values) -> bool:
    return any(value is not None for value in values.values())


def _check(product: Product, values: Values) -> None:
    for problem in problems_of(values):
        raise UserError(f"{product.offer_id}, {NAMES[problem.field]}: {problem}")


def _told(now: Values, changed: Values) -> dict[str, list[str | None]]:
    """Each field as [before, after]."""
    return {str(field): [_said(now[field]), _said(value)] for field, value in changed.items()}


def _said(value: Value) -> str | None:
    return None if value is None else written(value)
