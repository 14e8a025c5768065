"""Where orders come from, who took them in and what they are spent on: the rows of a CRM's directories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Exists, OuterRef

from apps.common.bulk import upsert
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow_daily
from apps.marketplaces.keycrm import schemas
from apps.marketplaces.keycrm.client import KeyCrm
from apps.sales.models import ExpenseType, Manager, ManagerPeriod, Source
from apps.shops.models import Shop

LONGEST_NAME = 200
KEY = ("shop_id", "external_id")
DICTIONARY = "dictionaries."  # such a name is a key of KeyCRM's own words: the alias says what it is


class KnownSource(NamedTuple):
    """A source as it is stored."""

    id: int
    currency: str
    role: str


class KnownManager(NamedTuple):
    """A manager as it is stored; `is_said`: a person has said what they sell."""

    id: int
    is_said: bool


def marketplace_source(shop: Shop) -> Source:
    """The one source of a marketplace's shop: its orders all come from there."""
    source, _ = Source.objects.get_or_create(
        shop=shop,
        external_id=Source.MARKETPLACE_FROM + shop.pk,
        defaults={"name": shop.get_kind_display(), "currency": shop.currency, "role": Source.Role.SALES},
    )
    return source


def sync_sources(work: Work[KeyCrm]) -> bool:
    """Names and currencies; what a source counts as is a person's word, which stays."""

    def store(rows: Sequence[schemas.Source]) -> Stored:
        add_sources(work.shop, {row.source_id for row in rows})
        named = (
            (work.shop.pk, row.source_id, _name(row.name), row.currency_code or work.shop.currency) for row in rows
        )
        return Stored(upsert(Source, named, key=KEY, columns=("name", "currency")).written)

    return follow_daily(
        work, Reading("sources", lambda cursor: map(Batch.of, work.client.sources(cursor=cursor)), store)
    )


def sync_managers(work: Work[KeyCrm]) -> bool:
    def store(rows: Sequence[schemas.User]) -> Stored:
        named = ((work.shop.pk, row.user_id, _name(row.full_name)) for row in rows)
        return Stored(upsert(Manager, named, key=KEY, columns=("name",)).written)

    return follow_daily(
        work, Reading("managers", lambda cursor: map(Batch.of, work.client.users(cursor=cursor)), store)
    )


def sync_expense_types(work: Work[KeyCrm]) -> bool:
    def store(rows: Sequence[schemas.ExpenseType]) -> Stored:
        named = ((work.shop.pk, row.type_id, _name(_words(row)), _name(row.alias)) for row in rows)
        return Stored(upsert(ExpenseType, named, key=KEY, columns=("name", "alias")).written)

    def fetch(cursor: str) -> map[Batch[schemas.ExpenseType]]:
        return map(Batch.of, work.client.expense_types(cursor=cursor))

    return follow_daily(work, Reading("expense_types", fetch, store))


def known_sources(shop: Shop) -> dict[int, KnownSource]:
    """By their ids in the CRM, as in the next two."""
    rows = Source.objects.filter(shop=shop).order_by()
    return {key: KnownSource(*row) for key, *row in rows.values_list("external_id", *KnownSource._fields)}


def known_managers(shop: Shop) -> dict[int, KnownManager]:
    is_said = Exists(ManagerPeriod.objects.filter(manager=OuterRef("pk")))
    rows = Manager.objects.filter(shop=shop).order_by()
    return {key: KnownManager(*row) for key, *row in rows.values_list("external_id", "id", is_said)}


def known_expense_types(shop: Shop) -> dict[int, int]:
    return dict(ExpenseType.objects.filter(shop=shop).order_by().values_list("external_id", "id"))


def add_sources(shop: Shop, external_ids: set[int]) -> set[int]:
    """Rows for sources that have none yet, named by their numbers until their names are read; returns which."""
    return _add(Source, shop, external_ids, currency=shop.currency, role=Source.Role.UNKNOWN)


def add_managers(shop: Shop, external_ids: set[int]) -> set[int]:
    return _add(Manager, shop, external_ids)


def add_expense_types(shop: Shop, external_ids: set[int]) -> set[int]:
    return _add(ExpenseType, shop, external_ids, alias="")


def _add(
    model: type[Source] | type[Manager] | type[ExpenseType], shop: Shop, external_ids: set[int], **fields: str
) -> set[int]:
    known = set(model.objects.filter(shop=shop, external_id__in=external_ids).values_list("external_id", flat=True))
    new = external_ids - known
    rows = ((shop.pk, external_id, f"№ {external_id}", *fields.values()) for external_id in sorted(new))
    upsert(model, rows, key=KEY, columns=("name", *fields))
    return new


def _name(text: str) -> str:
    return fit(text, LONGEST_NAME)


def _words(row: schemas.ExpenseType) -> str:
    """What a person calls the type."""
    if row.name.startswith(DICTIONARY) and row.alias:
        return row.alias.replace("_", " ").capitalize()
    return row.name
