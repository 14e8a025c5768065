"""Asking the marketplace about a key: when it is entered, once a day, and again and again while it is refused."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from apps.common.clock import real_now
from apps.common.encrypted import Secret
from apps.marketplaces.errors import WrongCredentials
from apps.marketplaces.ozon_seller.client import OzonKeyWatch
from apps.marketplaces.ozon_seller.schemas import KeyRoles
from apps.shops import keys
from apps.shops.clients import client_with, crm_client_with
from apps.shops.models import Credential

log = logging.getLogger(__name__)

ASKED_ABOUT = (Credential.Api.OZON_SELLER, Credential.Api.KEYCRM)


def ask(client_id: str, secret: Secret, *, watch: OzonKeyWatch | None = None) -> KeyRoles:
    """What OZON says of a key, in KEY_ASK_SECONDS or so; call it outside of transactions.

    ValueError: it cannot be a key. WrongCredentials: OZON does not take it. Other `ApiError`s: nobody can tell now.
    """
    seconds = settings.KEY_ASK_SECONDS
    return client_with(client_id, secret, patience_seconds=seconds, deadline_seconds=seconds, watch=watch).roles()


def due() -> QuerySet[Credential]:
    """Keys to be asked about now: refused ones, and those that could not be checked when they were entered."""
    unsettled = Q(is_refused=True) | Q(checked_at=None) | Q(next_secret__isnull=False)
    its_time = Q(ask_at=None) | Q(ask_at__lte=real_now())
    return Credential.objects.filter(unsettled, its_time, api__in=ASKED_ABOUT, shop__is_active=True)


def probe(key_id: int) -> None:
    """Ask about a key that is due, once however many workers are sent to it. Raises as `check`."""
    next_time = real_now() + timedelta(seconds=settings.KEY_PROBE_SECONDS)
    if due().filter(pk=key_id).update(ask_at=next_time):
        check(Credential.objects.get(pk=key_id))


def check(key: Credential) -> None:
    """Ask about the key at work, and about the next one, and act on what is said.

    Raises an `ApiError` where the marketplace could not be asked: nothing is known then, and nothing changes.
    """
    if key.next_secret is not None:
        _check_next(key)
        key.refresh_from_db()
    try:
        if key.api == Credential.Api.KEYCRM:
            _use(key)
        else:
            ask(key.client_id, key.secret, watch=keys.Watch.of(key))
    except ValueError as error:
        keys.refuse(key_id=key.pk, version=key.version, problem=str(error))
    except WrongCredentials as error:
        log.warning("key %s is refused: %s", key.pk, error)  # the client's watch has written it down


def _use(key: Credential) -> None:
    """KeyCRM tells nothing of a key: it is taken when it opens something."""
    seconds = settings.KEY_ASK_SECONDS
    client = crm_client_with(key.secret, patience_seconds=seconds, deadline_seconds=seconds, watch=keys.Watch.of(key))
    next(client.sources())
    keys.describe(key_id=key.pk, version=key.version, roles=None)


def _check_next(key: Credential) -> None:
    client_id, secret = key.next_client_id, key.next_secret
    try:
        roles = ask(client_id, secret)
    except (ValueError, WrongCredentials) as error:
        keys.refuse_next(key_id=key.pk, client_id=client_id, secret=secret, problem=str(error))
    else:
        keys.take_over(key_id=key.pk, client_id=client_id, secret=secret, roles=roles)
