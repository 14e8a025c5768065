"""A sheet from a person: first what it would change, then, with their yes, the change. Nothing in between is lost.

What is entered is what was read and shown. What somebody has changed since is left out and said, a large change is
entered only when it was ticked, and a second press finds the work done. What a sheet is about, its kind says (`Sheet`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter

from apps.catalog.models import CostImport, Product, SettingsImport, SheetImport
from apps.catalog.product_settings import Value, Values
from apps.catalog.sheet_cells import Columns, find_columns, read_currency
from apps.catalog.sheet_words import Field, Problem, Trouble
from apps.common.clock import real_now
from apps.common.errors import NotFound, Refused
from apps.common.sheet_reader import SheetError, SheetRow
from apps.common.text import fit
from apps.shops.audit import record
from apps.shops.models import Member, Person, Shop
from apps.shops.roles import Action, require

VALID_FOR = timedelta(hours=2)
KEPT_FOR = timedelta(days=30)

Import = CostImport | SettingsImport


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
class Change:
    """A figure that a row names: what held when the file was read, and what is to hold. None: nothing is said."""

    field: Field
    before: Value
    after: Value

    @property
    def rate(self) -> Decimal | None:
        """The relative change: 0.2 is 20 % more. None where there is no such thing."""
        if not isinstance(self.before, Decimal) or not isinstance(self.after, Decimal) or not self.before:
            return None
        return self.after / self.before - 1

    def is_beyond(self, rate: Decimal) -> bool:
        if not isinstance(self.before, Decimal) or not isinstance(self.after, Decimal):
            return False
        return abs(self.after - self.before) > rate * abs(self.before)


@dataclass(frozen=True)
class Line:
    """A row of the file, by its number there. `cells` are kept of a row that is wrong, to be given back."""

    number: int
    fate: Fate
    product_id: int | None = None
    label: str = ""
    changes: tuple[Change, ...] = ()
    starts_on: date | None = None
    problems: tuple[Problem, ...] = ()
    cells: tuple[str | int | float | None, ...] = ()

    @property
    def told(self) -> tuple[Change, ...]:
        """The changes to speak of: those that change something, or all where none does."""
        return tuple(change for change in self.changes if change.before != change.after) or self.changes


LINES = TypeAdapter(tuple[Line, ...])


@dataclass(frozen=True)
class Said:
    """What a row says of its product: new values, from which day on where that is said, and what is wrong with it."""

    values: Values
    starts_on: date | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A row that is to be entered."""

    product: Product
    changes: tuple[Change, ...]
    starts_on: date | None


@dataclass(frozen=True)
class Outcome:
    entered: int
    moved: int
    held_back: int


class Sheet(ABC):
    """A kind of sheet, held against what a shop says now.

    `fields` are its columns in the order of the template; of `values` it needs one at least. `audit_name` is the first
    part of what the audit trail calls it.
    """

    model: ClassVar[type[Import]]
    fields: ClassVar[tuple[Field, ...]]
    values: ClassVar[tuple[Field, ...]]
    audit_name: ClassVar[str]

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    @staticmethod
    @abstractmethod
    def lock(shop: Shop) -> None:
        """Until the end of the transaction nobody else changes what this kind is about."""

    @abstractmethod
    def read(self, columns: Columns, row: SheetRow, *, today: date) -> Said:
        """What the row says beside its product, which is filled in."""

    @abstractmethod
    def before(self, product_id: int, starts_on: date | None) -> Values:
        """What holds now, on that day."""

    def wrong_with(self, product_id: int, values: Values) -> Iterator[Problem]:
        """What speaks against `values` beside what holds already."""
        return iter(())

    def is_said(self, product_id: int, starts_on: date | None) -> bool:
        """Whether what holds on that day was said of this very day."""
        return True

    @abstractmethod
    def enter(self, entries: Sequence[Entry], *, by: Person) -> None:
        """Write them, under the lock."""

    @abstractmethod
    def rows(self, *, today: date) -> Iterator[list[object]]:
        """What holds of each product that is not archived, in the columns of `fields`."""


def lines_of(found: SheetImport) -> tuple[Line, ...]:
    return LINES.validate_python(found.lines)


def has_expired(found: SheetImport) -> bool:
    return real_now() >= found.expires_at


# --- Reading ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def prepare_import(
    kind: type[Sheet], *, shop: Shop, rows: Sequence[SheetRow], file_name: str, by: Person | None, today: date
) -> Import:
    """Store what the rows of a file would change; what has a day, and says none, holds from `today` on.

    Raises `SheetError` when the columns of the file are not known.
    """
    now = real_now()
    columns = find_columns(rows, fields=kind.fields, needed=kind.values)
    body = [row for row in rows if row.number > columns.header_row]
    if not body:
        raise SheetError(_("The file has titles of columns, and no row beneath them."))
    kind.model.objects.filter(shop=shop, expires_at__lt=now - KEPT_FOR).delete()
    sheet = kind(shop)
    read = tuple(_Reader(sheet, columns, today=today).lines(body))
    lines = tuple(_with_fates(sheet, read, held_rate=settings.HELD_CHANGE_RATE))
    return kind.model.objects.create(
        shop=shop,
        file_name=fit(file_name, 200),
        header=[fit(title, 200) for title in columns.titles],
        lines=LINES.dump_python(lines, mode="json"),
        uploaded_by=by,
        created_at=now,
        expires_at=now + VALID_FOR,
    )


class _Reader:
    """Rows of a file as lines: each says something, is blank or is wrong."""

    def __init__(self, sheet: Sheet, columns: Columns, *, today: date) -> None:
        self._sheet = sheet
        self._columns = columns
        self._today = today
        self._row_of: dict[tuple[int, date | None], int] = {}
        self._by_offer: dict[str, list[Product]] = {}
        self._by_sku: dict[str, list[Product]] = {}
        for product in sheet.shop.products.only("shop", "offer_id", "sku", "name"):
            self._by_offer.setdefault(product.offer_id.strip(), []).append(product)
            if product.sku:
                self._by_sku.setdefault(str(product.sku), []).append(product)

    def lines(self, rows: Iterable[SheetRow]) -> Iterator[Line]:
        return (self._line(row) for row in rows)

    def _line(self, row: SheetRow) -> Line:
        product, problem = self._product(row)
        label = str(product) if product else self._text(row, Field.OFFER_ID) or self._text(row, Field.SKU)
        line = Line(row.number, Fate.BLANK, product_id=product.pk if product else None, label=label)
        if product and not any(self._text(row, field) for field in self._sheet.values):
            return line
        said = self._sheet.read(self._columns, row, today=self._today)
        problems = [*([problem] if problem else ()), *said.problems, *self._money(row)]
        if product and not problems:
            problems = [*self._repeated(product, said, row), *self._sheet.wrong_with(product.pk, said.values)]
        if product is None or problems:
            return replace(line, fate=Fate.WRONG, problems=self._in_order(problems), cells=_cells(row))
        before = self._sheet.before(product.pk, said.starts_on)
        changes = tuple(Change(field, before[field], value) for field, value in said.values.items())
        return replace(line, fate=Fate.NEW, changes=changes, starts_on=said.starts_on)

    def _in_order(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        return tuple(sorted(problems, key=lambda problem: self._sheet.fields.index(problem.field)))

    def _money(self, row: SheetRow) -> Iterator[Problem]:
        expected = self._sheet.shop.currency
        if read_currency(self._columns.cell(row, Field.CURRENCY), expected=expected) != expected:
            yield Problem(Field.CURRENCY, Trouble.OTHER_CURRENCY, self._text(row, Field.CURRENCY), expected)

    def _repeated(self, product: Product, said: Said, row: SheetRow) -> Iterator[Problem]:
        first = self._row_of.setdefault((product.pk, said.starts_on), row.number)
        if first != row.number:
            code = Trouble.REPEATED if said.starts_on else Trouble.REPEATED_PRODUCT
            yield Problem(Field.OFFER_ID, code, str(first))

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
        return self._columns.text(row, field)


def _cells(row: SheetRow) -> tuple[str | int | float | None, ...]:
    return tuple(cell.isoformat() if isinstance(cell, date) else cell for cell in row.cells)


def _with_fates(sheet: Sheet, lines: Sequence[Line], *, held_rate: Decimal) -> Iterator[Line]:
    rows_of = Counter(line.product_id for line in lines if line.changes)
    for line in lines:
        if line.product_id and line.changes:
            is_alone = rows_of[line.product_id] == 1 or sheet.is_said(line.product_id, line.starts_on)
            yield replace(line, fate=_fate(line, is_alone=is_alone, held_rate=held_rate))
        else:
            yield line


def _fate(line: Line, *, is_alone: bool, held_rate: Decimal) -> Fate:
    """What holds already changes nothing, unless another row of the file would end it before that day."""
    if is_alone and all(change.before == change.after for change in line.changes):
        return Fate.UNCHANGED
    if any(change.is_beyond(held_rate) for change in line.changes):
        return Fate.HELD
    return Fate.NEW if all(change.before is None for change in line.told) else Fate.CHANGED


# --- Entering ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def enter_import(kind: type[Sheet], *, import_id: int, ticked: Collection[int], by: Member) -> Outcome:
    """Enter what the file changes, and of the large changes those whose row numbers are `ticked`.

    Raises `NotFound`, `Denied`, or `Refused` when it was entered already or has expired.
    """
    require(by, Action.EDIT_CATALOG)
    found = kind.model.objects.of(by.seller).select_for_update(of=("self",)).filter(pk=import_id).first()
    if found is None:
        raise NotFound(_("There is no such thing in this seller's shops."))
    _check_waits(found)
    kind.lock(found.shop)
    sheet = kind(found.shop)
    lines = _settled(sheet, lines_of(found), set(ticked))
    wanted = [line for line in lines if line.fate == Fate.ENTERED]
    products = Product.objects.in_bulk([line.product_id for line in wanted if line.product_id])
    entries = [Entry(products[line.product_id], line.changes, line.starts_on) for line in wanted if line.product_id]
    sheet.enter(entries, by=by.person)
    fates = Counter(line.fate for line in lines)
    outcome = Outcome(entered=len(entries), moved=fates[Fate.MOVED], held_back=fates[Fate.HELD])
    _close(kind, found, lines, outcome, by=by.person)
    return outcome


def _check_waits(found: Import) -> None:
    if found.state != found.State.WAITING:
        raise Refused(_("What this file says was entered already."))
    if has_expired(found):
        raise Refused(_("This comparison is too old: upload the file again."))


def _settled(sheet: Sheet, lines: Iterable[Line], ticked: set[int]) -> tuple[Line, ...]:
    """The lines with what becomes of each now."""
    there = set(sheet.shop.products.values_list("pk", flat=True))

    def settle(line: Line) -> Line:
        if not line.product_id or not line.changes:
            return line
        if line.product_id not in there or _has_moved(sheet, line.product_id, line):
            return replace(line, fate=Fate.MOVED)
        is_wanted = line.fate in (Fate.NEW, Fate.CHANGED) or (line.fate == Fate.HELD and line.number in ticked)
        return replace(line, fate=Fate.ENTERED) if is_wanted else line

    return tuple(settle(line) for line in lines)


def _has_moved(sheet: Sheet, product_id: int, line: Line) -> bool:
    """Whether something else holds than when the file was read, or what has been said since leaves no room for it."""
    now = sheet.before(product_id, line.starts_on)
    if any(now[change.field] != change.before for change in line.changes):
        return True
    return any(sheet.wrong_with(product_id, {change.field: change.after for change in line.changes}))


def _close(kind: type[Sheet], found: Import, lines: tuple[Line, ...], outcome: Outcome, *, by: Person) -> None:
    found.lines = LINES.dump_python(lines, mode="json")
    found.state, found.entered_by, found.entered_at = found.State.ENTERED, by, real_now()
    found.entered_count = outcome.entered
    found.save(update_fields=["lines", "state", "entered_by", "entered_at", "entered_count"])
    record(
        f"{kind.audit_name}.imported",
        actor=by,
        shop=found.shop,
        subject=found,
        file=found.file_name,
        entered=outcome.entered,
        moved=outcome.moved,
        held_back=outcome.held_back,
    )
