"""Which commands can go a step further now."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.common.clock import real_now
from apps.decisions.models import Command
from apps.shops.models import Credential


def workable() -> QuerySet[Command]:
    """Live commands that are due, in nobody's hands, and whose account's key the marketplace takes.

    While it does not, they rest as they are, without a call and without a turn; when it does, the sweep finds them.
    """
    now = real_now()
    refused = Credential.objects.filter(shop=OuterRef("shop"), client_id=OuterRef("account"), is_refused=True)
    free = Command.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), state__in=Command.LIVE, due_at__lte=now)
    return free.exclude(Exists(refused))
