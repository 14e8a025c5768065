"""Costs from a file: first what it would change, then, with a person's yes, the change. Nothing in between is lost.

What is entered is what was read and shown. A cost that somebody has changed since is left out and said, a large change
is entered only when it was ticked, and a second press finds the work done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter

from apps.catalog import cost_file
from apps.catalog.cost_file import Columns, Field, Problem, Trouble, text_of
from apps.catalog.costs import KnownCosts, NewCost, enter_costs, lock_costs
from apps.catalog.models import CostImport, Product
from apps.common.clock import real_now
from apps.common.errors import NotFound, Refused
from apps.common.sheet_reader import SheetError, SheetRow
from apps.common.text import fit
from apps.shops.audit import record
from apps.shops.models import Member, Person, Shop
from apps.shops.roles import Action, require

VALID_FOR = timedelta(hours=2)
KEPT_FOR = timedelta(days=30)


class Fate(StrEnum):
    """What becomes of a row: the first six as it was read, the last two of what was not entered though it could be."""

    NEW = "new"
    CHANGED = "changed"
    HELD = "held"
    UNCHANGED = "unchanged"
    BLANK = "blank"
    WRONG = "wrong"
    MOVED = "moved"
    ENTERED = "entered"


@dataclass(frozen=True)
class Line:
    """A row of the file, by its number there. `cells` are kept of a row that is wrong, to be given back.

    `previous` is the cost in force on `starts_on` when the file was read; None where nobody had said.
    """

    number: int
    fate: Fate
    product_id: int | None = None
    label: str = ""
    amount: Decimal | None = None
    previous: Decimal | None = None
    starts_on: date | None = None
    problems: tuple[Problem, ...] = ()
    cells: tuple[str | int | float | None, ...] = ()

    @property
    def change(self) -> Decimal | None:
        """The relative change: 0.2 is 20 % more."""
        return self.amount / self.previous - 1 if self.amount and self.previous else None


LINES = TypeAdapter(tuple[Line, ...])


@dataclass(frozen=True)
class Outcome:
    entered: int
    moved: int
    held_back: int


def lines_of(found: CostImport) -> tuple[Line, ...]:
    return LINES.validate_python(found.lines)


def has_expired(found: CostImport) -> bool:
    return real_now() >= found.expires_at


# --- Reading ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def prepare_import(
    *, shop: Shop, rows: Sequence[SheetRow], file_name: str, by: Person | None, today: date
) -> CostImport:
    """Store what the rows of a file would change; without a day of its own a cost holds from `today` on.

    Raises `SheetError` when the columns of the file are not known.
    """
    now = real_now()
    columns = cost_file.find_columns(rows)
    body = [row for row in rows if row.number > columns.header_row]
    if not body:
        raise SheetError(_("The file has titles of columns, and no row beneath them."))
    CostImport.objects.filter(shop=shop, expires_at__lt=now - KEPT_FOR).delete()
    reader = _Reader(shop, columns, today=today)
    lines = tuple(_with_fates(reader.lines(body), KnownCosts.of(shop), held_rate=settings.HELD_COST_CHANGE_RATE))
    return CostImport.objects.create(
        shop=shop,
        file_name=fit(file_name, 200),
        header=[fit(title, 200) for title in columns.titles],
        lines=LINES.dump_python(lines, mode="json"),
        uploaded_by=by,
        created_at=now,
        expires_at=now + VALID_FOR,
    )


class _Reader:
    """Rows of a file as lines: each is complete, blank or wrong."""

    def __init__(self, shop: Shop, columns: Columns, *, today: date) -> None:
        self._shop = shop
        self._columns = columns
        self._today = today
        self._row_of: dict[tuple[int, date], int] = {}
        self._by_offer: dict[str, list[Product]] = {}
        self._by_sku: dict[str, list[Product]] = {}
        for product in shop.products.only("shop", "offer_id", "sku", "name"):
            self._by_offer.setdefault(product.offer_id.strip(), []).append(product)
            if product.sku:
                self._by_sku.setdefault(str(product.sku), []).append(product)

    def lines(self, rows: Iterable[SheetRow]) -> Iterator[Line]:
        return (self._line(row) for row in rows)

    def _line(self, row: SheetRow) -> Line:
        product, problem = self._product(row)
        problems = [problem] if problem else []
        label = str(product) if product else self._text(row, Field.OFFER_ID) or self._text(row, Field.SKU)
        line = Line(row.number, Fate.BLANK, product_id=product.pk if product else None, label=label)
        if product and not self._text(row, Field.AMOUNT):
            return line
        amount = cost_file.read_amount(self._columns.cell(row, Field.AMOUNT))
        starts_on = cost_file.read_day(self._columns.cell(row, Field.STARTS_ON), today=self._today)
        problems += self._problems(row, amount, starts_on)
        if product and starts_on and not problems:
            first = self._row_of.setdefault((product.pk, starts_on), row.number)
            if first != row.number:
                problems.append(Problem(Field.OFFER_ID, Trouble.REPEATED, str(first)))
        if problems:
            cells = tuple(cell.isoformat() if isinstance(cell, date) else cell for cell in row.cells)
            return replace(line, fate=Fate.WRONG, problems=tuple(problems), cells=cells)
        return replace(line, fate=Fate.NEW, amount=amount, starts_on=starts_on)

    def _problems(self, row: SheetRow, amount: Decimal | None, starts_on: date | None) -> Iterator[Problem]:
        if amount is None:
            yield Problem(Field.AMOUNT, Trouble.BAD_AMOUNT, self._text(row, Field.AMOUNT))
        expected = self._shop.currency
        if cost_file.read_currency(self._columns.cell(row, Field.CURRENCY), expected=expected) != expected:
            yield Problem(Field.CURRENCY, Trouble.OTHER_CURRENCY, self._text(row, Field.CURRENCY), expected)
        if starts_on is None:
            yield Problem(Field.STARTS_ON, Trouble.BAD_DAY, self._text(row, Field.STARTS_ON))

    def _product(self, row: SheetRow) -> tuple[Product | None, Problem | None]:
        """The one product that the offer id and the SKU, or the one of them that is given, name."""
        offer_id, sku = self._text(row, Field.OFFER_ID), self._text(row, Field.SKU)
        if not offer_id and not sku:
            return None, Problem(Field.OFFER_ID, Trouble.NO_PRODUCT_NAMED)
        offered, numbered = self._by_offer.get(offer_id, []), self._by_sku.get(sku, [])
        if offer_id and not offered:
            return None, Problem(Field.OFFER_ID, Trouble.UNKNOWN_OFFER, offer_id)
        if sku and not numbered:
            return None, Problem(Field.SKU, Trouble.UNKNOWN_SKU, sku)
        meant = [one for one in offered if one in numbered] if offered and numbered else offered or numbered
        if not meant:
            return None, Problem(Field.SKU, Trouble.OTHER_PRODUCT, sku)
        if len(meant) > 1:
            return None, Problem(Field.OFFER_ID, Trouble.AMBIGUOUS_OFFER, offer_id or sku)
        return meant[0], None

    def _text(self, row: SheetRow, field: Field) -> str:
        return text_of(self._columns.cell(row, field))


def _with_fates(lines: Iterable[Line], known: KnownCosts, *, held_rate: Decimal) -> Iterator[Line]:
    read = list(lines)
    rows_of = Counter(line.product_id for line in read if line.starts_on)
    for line in read:
        if line.product_id and line.starts_on:
            previous = known.on(line.product_id, line.starts_on)
            is_alone = rows_of[line.product_id] == 1 or known.starts(line.product_id, line.starts_on)
            line = replace(line, previous=previous)  # noqa: PLW2901
            yield replace(line, fate=_fate(line, is_alone=is_alone, held_rate=held_rate))
        else:
            yield line


def _fate(line: Line, *, is_alone: bool, held_rate: Decimal) -> Fate:
    """An amount that is in force changes nothing, unless another row of the file would end it before that day."""
    if line.change is None:
        return Fate.NEW
    if line.change == 0 and is_alone:
        return Fate.UNCHANGED
    return Fate.HELD if abs(line.change) > held_rate else Fate.CHANGED


# --- Entering ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def enter_import(*, import_id: int, ticked: Collection[int], by: Member) -> Outcome:
    """Enter what the file changes, and of the large changes those whose row numbers are `ticked`.

    Raises `NotFound`, `Denied`, or `Refused` when it was entered already or has expired.
    """
    require(by, Action.EDIT_CATALOG)
    found = CostImport.objects.of(by.seller).select_for_update(of=("self",)).filter(pk=import_id).first()
    if found is None:
        raise NotFound(_("There is no such thing in this seller's shops."))
    _check_waits(found)
    lock_costs(found.shop)
    lines = _settled(found, ticked)
    products = Product.objects.in_bulk([line.product_id for line in lines if line.fate == Fate.ENTERED])
    new = [
        NewCost(products[line.product_id], line.amount, line.starts_on, line.previous)
        for line in lines
        if line.fate == Fate.ENTERED and line.product_id and line.amount and line.starts_on
    ]
    enter_costs(found.shop, new, by=by.person)
    fates = Counter(line.fate for line in lines)
    outcome = Outcome(entered=len(new), moved=fates[Fate.MOVED], held_back=fates[Fate.HELD])
    _close(found, lines, outcome, by=by.person)
    return outcome


def _check_waits(found: CostImport) -> None:
    if found.state != CostImport.State.WAITING:
        raise Refused(_("The costs of this file were entered already."))
    if has_expired(found):
        raise Refused(_("This comparison is too old: upload the file again."))


def _settled(found: CostImport, ticked: Collection[int]) -> tuple[Line, ...]:
    """The lines with what becomes of each now."""
    known = KnownCosts.of(found.shop)
    there = set(found.shop.products.values_list("pk", flat=True))
    chosen = set(ticked)

    def settle(line: Line) -> Line:
        if not line.product_id or not line.starts_on:
            return line
        if line.product_id not in there or known.on(line.product_id, line.starts_on) != line.previous:
            return replace(line, fate=Fate.MOVED)
        is_wanted = line.fate in (Fate.NEW, Fate.CHANGED) or (line.fate == Fate.HELD and line.number in chosen)
        return replace(line, fate=Fate.ENTERED) if is_wanted else line

    return tuple(settle(line) for line in lines_of(found))


def _close(found: CostImport, lines: tuple[Line, ...], outcome: Outcome, *, by: Person) -> None:
    found.lines = LINES.dump_python(lines, mode="json")
    found.state, found.entered_by, found.entered_at = CostImport.State.ENTERED, by, real_now()
    found.entered_count = outcome.entered
    found.save(update_fields=["lines", "state", "entered_by", "entered_at", "entered_count"])
    record(
        "cost.imported",
        actor=by,
        shop=found.shop,
        subject=found,
        file=found.file_name,
        entered=outcome.entered,
        moved=outcome.moved,
        held_back=outcome.held_back,
    )
