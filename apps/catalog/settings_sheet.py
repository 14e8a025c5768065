"""A sheet of product settings: an empty cell leaves a setting as it is, a dash clears it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from apps.catalog.models import ProductSettings, SettingsImport
from apps.catalog.product_settings import (
    FIELDS,
    NOTHING,
    NewSettings,
    Value,
    Values,
    as_said,
    enter_settings,
    is_accepted,
    lock_settings,
    problems_of,
    settings_of,
    unaccepted,
)
from apps.catalog.sheet_cells import Columns, is_dash, read_amount, read_percent, read_switch, read_whole
from apps.catalog.sheet_import import Entry, Said, Sheet
from apps.catalog.sheet_words import Field, Problem
from apps.common.sheet_reader import Cell, SheetRow
from apps.shops.models import Person, Shop

READERS: dict[Field, Callable[[Cell], Decimal | bool | None]] = {
    Field.MIN_PRICE: read_amount,
    Field.MAX_PRICE: read_amount,
    Field.MIN_MARGIN: read_percent,
    Field.IS_REPRICED: read_switch,
    Field.LEAD_DAYS: read_whole,
    Field.PACK_SIZE: read_whole,
    Field.MIN_ORDER: read_whole,
}


class SettingsSheet(Sheet):
    model = SettingsImport
    fields = (
        *(Field.OFFER_ID, Field.SKU, Field.MIN_PRICE, Field.MAX_PRICE, Field.CURRENCY),
        *(Field.MIN_MARGIN, Field.IS_REPRICED, Field.LEAD_DAYS, Field.PACK_SIZE, Field.MIN_ORDER),
    )
    values = FIELDS
    audit_name = "product_settings"

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self._known = settings_of(ProductSettings.objects.filter(product__shop=shop))

    @staticmethod
    def lock(shop: Shop) -> None:
        lock_settings(shop)

    def read(self, columns: Columns, row: SheetRow, *, today: date) -> Said:
        values: dict[Field, Value] = {}
        problems: list[Problem] = []
        for field in FIELDS:
            cell, text = columns.cell(row, field), columns.text(row, field)
            value = READERS[field](cell)
            if is_dash(cell):
                values[field] = None
            elif value is not None and is_accepted(field, value):
                values[field] = value
            elif text:
                problems.append(unaccepted(field, text))
        return Said(values, None, tuple(problems))

    def before(self, product_id: int, starts_on: date | None) -> Values:
        return self._known.get(product_id, NOTHING)

    def wrong_with(self, product_id: int, values: Values) -> Iterator[Problem]:
        return problems_of({**self.before(product_id, None), **values})

    def enter(self, entries: Sequence[Entry], *, by: Person) -> None:
        new = [
            NewSettings(entry.product, {change.field: change.after for change in entry.changes}) for entry in entries
        ]
        enter_settings(self.shop, new, by=by)

    def rows(self, *, today: date) -> Iterator[list[object]]:
        for product in self.shop.products.filter(is_archived=False).order_by("offer_id", "pk"):
            said = self.before(product.pk, None)
            known = {Field.OFFER_ID: product.offer_id, Field.SKU: product.sku, Field.CURRENCY: self.shop.currency}
            values = {field: None if value is None else as_said(field, value) for field, value in said.items()}
            yield [known[field] if field in known else values[field] for field in self.fields]
