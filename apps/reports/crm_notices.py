"""What a CRM's shop names and nobody has said anything of yet, in words."""

from __future__ import annotations

from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.notifications.models import OutboxMessage
from apps.reports.rendering import Rendered, from_template
from apps.sales.models import Manager, Source
from apps.sales.unseen import What
from apps.shops.models import Shop

WORDS: dict[What, str | Promise] = {
    What.SOURCE: _("a source of orders of which nobody has said what it counts as"),
    What.MANAGER: _("a manager of whom nobody has said what they sell"),
    What.STATUS_GROUP: _("a group of statuses that Vitrina does not know; its orders count as on their way"),
    What.EXPENSE_TYPE: _("a type of expenses that is in no directory of the CRM"),
}
UNCLASSIFIED = frozenset({What.SOURCE, What.MANAGER})


def crm_unseen(message: OutboxMessage, now: datetime) -> Rendered:
    """As things stand now: the name may have come with a later sync."""
    shop = Shop.objects.of(message.seller).get(pk=message.params["shop"])
    what, external_id = What(message.params["what"]), message.params["id"]
    context = {
        "shop": shop,
        "thing": WORDS[what],
        "external_id": external_id,
        "name": _name(shop, what, external_id),
        "is_unclassified": what in UNCLASSIFIED,
    }
    return from_template("crm_unseen", context)


def _name(shop: Shop, what: What, external_id: int) -> str:
    if what is What.SOURCE:
        row: Source | Manager | None = Source.objects.filter(shop=shop, external_id=external_id).first()
    elif what is What.MANAGER:
        row = Manager.objects.filter(shop=shop, external_id=external_id).first()
    else:
        row = None
    return row.name if row else ""
