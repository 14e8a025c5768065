"""A shop's API clients, built from its keys and the settings."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _
from redis import Redis

from apps.common.encrypted import Secret, UnreadableSecret
from apps.common.errors import UserError
from apps.marketplaces.errors import WrongCredentials
from apps.marketplaces.http import KeyWatch
from apps.marketplaces.keycrm.client import API as KEYCRM_API
from apps.marketplaces.keycrm.client import KeyCrm
from apps.marketplaces.ozon_seller.client import API, OzonKeyWatch, OzonSeller
from apps.shops.keys import Watch
from apps.shops.models import Credential, Shop

PATIENCE_SECONDS = 90.0


class MissingKey(UserError):
    """The shop has no usable key for an API."""


class KeyRefused(WrongCredentials):
    """Nothing was asked: the marketplace has refused the key before, and nobody has found it taken again since."""

    def __str__(self) -> str:
        return self.message


class WriteInTransaction(RuntimeError):
    """A change was about to leave before the row that announces it was committed."""


def ozon_seller(shop: Shop, *, patience_seconds: float = PATIENCE_SECONDS) -> OzonSeller:
    """The OZON Seller API with this shop's key; a read is tried for `patience_seconds`.

    Raises `MissingKey`, and `KeyRefused` while the key's circuit is open.
    """
    key = credential_of(shop, Credential.Api.OZON_SELLER)
    if key.is_refused:
        raise KeyRefused(API, "", key.problem)
    try:
        return client_with(key.client_id, key.secret, patience_seconds=patience_seconds, watch=Watch.of(key))
    except ValueError as error:
        raise _unusable(key, error) from error


def keycrm(shop: Shop, *, patience_seconds: float = PATIENCE_SECONDS) -> KeyCrm:
    """KeyCRM with this shop's key, to read. Raises as `ozon_seller`."""
    key = credential_of(shop, Credential.Api.KEYCRM)
    if key.is_refused:
        raise KeyRefused(KEYCRM_API, "", key.problem)
    try:
        return crm_client_with(key.secret, patience_seconds=patience_seconds, watch=Watch.of(key))
    except ValueError as error:
        raise _unusable(key, error) from error


def crm_client_with(
    secret: Secret,
    *,
    patience_seconds: float,
    deadline_seconds: float | None = None,
    watch: KeyWatch | None = None,
) -> KeyCrm:
    """A client with any key. ValueError: it cannot be one."""
    return KeyCrm(
        api_key=secret.reveal(),
        redis=_redis(settings.REDIS_URL),
        base_url=settings.KEYCRM_API_URL,
        watch=watch,
        deadline_seconds=deadline_seconds or settings.HTTP_DEADLINE_SECONDS,
        patience_seconds=patience_seconds,
        calls_a_minute=settings.KEYCRM_CALLS_A_MINUTE,
    )


def client_with(
    client_id: str,
    secret: Secret,
    *,
    patience_seconds: float,
    deadline_seconds: float | None = None,
    watch: OzonKeyWatch | None = None,
) -> OzonSeller:
    """A client with any key. ValueError: it cannot be one."""
    return OzonSeller(
        client_id=client_id,
        api_key=secret.reveal(),
        redis=_redis(settings.REDIS_URL),
        base_url=settings.OZON_API_URL,
        before_write=refuse_in_transaction,
        watch=watch,
        deadline_seconds=deadline_seconds or settings.HTTP_DEADLINE_SECONDS,
        patience_seconds=patience_seconds,
    )


def credential_of(shop: Shop, api: Credential.Api) -> Credential:
    """The shop's key for `api`. Raises `MissingKey`, in words that name both; `UnreadableSecret` names the key."""
    key: Credential | None = Credential.objects.filter(shop=shop, api=api).first()
    if key is None or not _is_given(key):
        raise MissingKey(
            _("The shop “%(shop)s” has no key for %(api)s: add it to the shop.") % {"shop": shop, "api": api.label}
        )
    return key


def _unusable(key: Credential, problem: ValueError) -> MissingKey:
    return MissingKey(_("The key “%(key)s” cannot be used: %(problem)s.") % {"key": key, "problem": problem})


def _is_given(key: Credential) -> bool:
    try:
        return bool(key.secret)
    except UnreadableSecret as error:
        raise UnreadableSecret(f"the key “{key}” (number {key.pk}) cannot be read: {error}") from error


def refuse_in_transaction() -> None:
    """What is sent cannot be rolled back: intent is committed first."""
    if connection.in_atomic_block:
        raise WriteInTransaction("nothing is sent to a marketplace while a transaction is open")


@cache
def _redis(url: str) -> Redis:
    """One pool of connections per process; a forked child opens its own."""
    return Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
