"""A sheet of costs: what a unit of each product costs, and from which day on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from apps.catalog.costs import KnownCosts, NewCost, enter_costs, lock_costs
from apps.catalog.models import CostImport
from apps.catalog.product_settings import Values
from apps.catalog.sheet_cells import Columns, read_amount, read_day
from apps.catalog.sheet_import import Entry, Said, Sheet
from apps.catalog.sheet_words import Field, Problem, Trouble
from apps.common.sheet_reader import SheetRow
from apps.shops.models import Person, Shop


class CostSheet(Sheet):
    """A row has a day, from which its cost holds; two rows of a product with two days are a history."""

    model = CostImport
    fields = (Field.OFFER_ID, Field.SKU, Field.AMOUNT, Field.CURRENCY, Field.STARTS_ON)
    values = (Field.AMOUNT,)
    audit_name = "cost"

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self._known = KnownCosts.of(shop)

    @staticmethod
    def lock(shop: Shop) -> None:
        lock_costs(shop)

    def read(self, columns: Columns, row: SheetRow, *, today: date) -> Said:
        amount = read_amount(columns.cell(row, Field.AMOUNT))
        starts_on = read_day(columns.cell(row, Field.STARTS_ON), today=today)
        problems = []
        if amount is None:
            problems.append(Problem(Field.AMOUNT, Trouble.BAD_AMOUNT, columns.text(row, Field.AMOUNT)))
        if starts_on is None:
            problems.append(Problem(Field.STARTS_ON, Trouble.BAD_DAY, columns.text(row, Field.STARTS_ON)))
        return Said({Field.AMOUNT: amount}, starts_on, tuple(problems))

    def before(self, product_id: int, starts_on: date | None) -> Values:
        return {Field.AMOUNT: self._known.on(product_id, starts_on) if starts_on else None}

    def is_said(self, product_id: int, starts_on: date | None) -> bool:
        return starts_on is not None and self._known.starts(product_id, starts_on)

    def enter(self, entries: Sequence[Entry], *, by: Person) -> None:
        new = [
            NewCost(entry.product, change.after, entry.starts_on, _money(change.before))
            for entry in entries
            for change in entry.changes
            if entry.starts_on and isinstance(change.after, Decimal)
        ]
        enter_costs(self.shop, new, by=by)

    def rows(self, *, today: date) -> Iterator[list[object]]:
        """The day is left empty: what is changed here holds from the day on which it is uploaded."""
        for product in self.shop.products.filter(is_archived=False).order_by("offer_id", "pk"):
            cost = self._known.on(product.pk, today)
            yield [product.offer_id, product.sku, cost, self.shop.currency, None]


def _money(value: Decimal | bool | None) -> Decimal | None:
    return value if isinstance(value, Decimal) else None
