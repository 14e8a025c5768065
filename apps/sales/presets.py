"""What a new shop in a CRM starts with: the rules of a shop that ran for years, each a setting that its people change.

The numbers are those of that shop's sources, managers and statuses. Rows that are made here have no names yet; the
first sync brings them.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from django.db import transaction

from apps.sales.models import Manager, ManagerPeriod, SalesType, Source
from apps.sales.sources import add_managers, add_sources
from apps.shops.audit import record
from apps.shops.models import CrmRules, Person, Shop

Role = Source.Role


@dataclass(frozen=True)
class Preset:
    """`managers` sell what they sell on all days; `lost_statuses` count where the group of a status is not told."""

    name: str
    timezone: str
    currency: str
    brand_field: str
    lost_statuses: tuple[int, ...]
    sources: MappingProxyType[int, Role]
    managers: MappingProxyType[int, SalesType]


RETAIL_MANAGERS = (4, 8, 11, 16, 17, 19, 22)

KOREANSTORY = Preset(
    name="KoreanStory",
    timezone="Europe/Kyiv",
    currency="UAH",
    brand_field="CT_1001",
    lost_statuses=(15, 18, 19, 21, 22, 23),
    sources=MappingProxyType(
        {
            1: Role.SALES,  # Instagram
            2: Role.SALES,  # Telegram
            3: Role.HISTORY,  # Opencart, left in 2024
            4: Role.SALES,  # Shopify
            5: Role.EXHIBITION,  # a fair
        }
    ),
    managers=MappingProxyType({15: SalesType.B2B, **dict.fromkeys(RETAIL_MANAGERS, SalesType.RETAIL)}),
)


@transaction.atomic
def apply_preset(*, shop: Shop, preset: Preset = KOREANSTORY, by: Person | None = None) -> CrmRules:
    """Give a shop the preset's rules. What somebody has already said of a source or a manager stays."""
    rules, is_new = CrmRules.objects.get_or_create(
        shop=shop, defaults={"brand_field": preset.brand_field, "lost_statuses": list(preset.lost_statuses)}
    )
    add_sources(shop, set(preset.sources))
    for external_id, role in preset.sources.items():
        Source.objects.filter(shop=shop, external_id=external_id, role=Role.UNKNOWN).update(role=role)
    add_managers(shop, set(preset.managers))
    unsaid = Manager.objects.filter(shop=shop, external_id__in=preset.managers, periods=None)
    ManagerPeriod.objects.bulk_create(
        ManagerPeriod(manager=manager, sales_type=preset.managers[manager.external_id]) for manager in unsaid
    )
    if is_new:
        record("crm_rules.preset", actor=by, shop=shop, subject=rules, preset=preset.name)
    return rules
