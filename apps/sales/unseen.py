"""What a shop's orders name and nobody has said anything of yet: told to the owners once, by its number."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from apps.notifications.outbox import people_who_may, tell
from apps.shops.models import Shop
from apps.shops.roles import Action


class What(StrEnum):
    """The kinds of things; `apps.reports` has the words."""

    SOURCE = "source"
    MANAGER = "manager"
    STATUS_GROUP = "status_group"
    EXPENSE_TYPE = "expense_type"


def tell_unseen(shop: Shop, what: What, external_ids: Iterable[int]) -> None:
    """Belongs into the transaction that stores the orders. However often it is said, it is told once."""
    found = sorted(external_ids)
    people = people_who_may(shop.seller, Action.MANAGE) if found else []
    for external_id in found if people else []:
        tell(
            name="crm_unseen",
            key=f"crm_unseen:{shop.pk}:{what}:{external_id}",
            seller=shop.seller,
            people=people,
            params={"shop": shop.pk, "what": what, "id": external_id},
        )
