"""A shop's API clients, built from its keys and the settings."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _
from redis import Redis

from apps.common.clock import real_now
from apps.common.errors import UserError
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.shops.models import Credential, Shop

PATIENCE_SECONDS = 90.0


class MissingKey(UserError):
    """The shop has no usable key for an API."""


class WriteInTransaction(RuntimeError):
    """A change was about to leave before the row that announces it was committed."""


def ozon_seller(shop: Shop, *, patience_seconds: float = PATIENCE_SECONDS) -> OzonSeller:
    """The OZON Seller API with this shop's key; a read is tried for `patience_seconds`. Raises `MissingKey`."""
    key = credential_of(shop, Credential.Api.OZON_SELLER)
    try:
        return OzonSeller(
            client_id=key.client_id,
            api_key=key.secret.reveal(),
            redis=_redis(settings.REDIS_URL),
            base_url=settings.OZON_API_URL,
            before_write=refuse_in_transaction,
            deadline_seconds=settings.HTTP_DEADLINE_SECONDS,
            patience_seconds=patience_seconds,
        )
    except ValueError as error:
        raise MissingKey(
            _("The key “%(key)s” cannot be used: %(problem)s.") % {"key": key, "problem": error}
        ) from error


def credential_of(shop: Shop, api: Credential.Api) -> Credential:
    """The shop's key for `api`. Raises `MissingKey`, in words that name both."""
    key: Credential | None = Credential.objects.filter(shop=shop, api=api).first()
    if key is None or not key.secret:
        raise MissingKey(
            _("The shop “%(shop)s” has no key for %(api)s: add it to the shop.") % {"shop": shop, "api": api.label}
        )
    return key


def refuse_in_transaction() -> None:
    """What is sent cannot be rolled back: intent is committed first."""
    if connection.in_atomic_block:
        raise WriteInTransaction("nothing is sent to a marketplace while a transaction is open")


def note_success(shop: Shop, api: Credential.Api) -> None:
    """The key has just worked."""
    Credential.objects.filter(shop=shop, api=api).update(checked_at=real_now(), problem="")


def note_failure(shop: Shop, api: Credential.Api, problem: str) -> None:
    """The marketplace does not accept the key; `problem` is its own message, without the key."""
    Credential.objects.filter(shop=shop, api=api).update(problem=problem)


@cache
def _redis(url: str) -> Redis:
    """One pool of connections per process; a forked child opens its own."""
    return Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
