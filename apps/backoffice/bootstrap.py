"""The first seller, shops, keys and owner, from the variables of the environment.

Run at every release and harmless when run again: what exists is left as the admin has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from apps.common.db import take_lock
from apps.jobs.schedule import seed
from apps.pricing.models import PricingSettings
from apps.shops.audit import record
from apps.shops.models import AuditEntry, Credential, Language, Member, Person, Seller, Shop
from apps.shops.roles import Role


@dataclass(frozen=True)
class Key:
    """One key of the environment and the shop it opens."""

    kind: Shop.Kind
    api: Credential.Api
    client_id: str
    secret: str


def bootstrap() -> list[str]:
    """Create what is missing. Returns a line for each thing created, without any secret."""
    with transaction.atomic():
        take_lock("bootstrap")
        created = list(_create())
        seed()
        return created


def _create() -> Iterator[str]:
    keys = [key for key in _keys() if key.secret]
    if not keys and not settings.ADMIN_USERNAME:
        return
    seller = Seller.objects.order_by("pk").first()
    if seller is None:
        seller = Seller.objects.create(name="Vitrina")
        record("seller.created", seller=seller, subject=seller)
        yield f"seller {seller}"
    for key in keys:
        yield from _create_key(seller, key)
    for shop in seller.shops.filter(kind=Shop.Kind.OZON):
        PricingSettings.objects.get_or_create(shop=shop)
    yield from _create_people(seller)


def _keys() -> tuple[Key, ...]:
    return (
        Key(Shop.Kind.OZON, Credential.Api.OZON_SELLER, settings.OZON_CLIENT_ID, settings.OZON_API_KEY),
        Key(
            Shop.Kind.OZON,
            Credential.Api.OZON_PERFORMANCE,
            settings.OZON_PERFORMANCE_CLIENT_ID,
            settings.OZON_PERFORMANCE_API_KEY,
        ),
        Key(Shop.Kind.KEYCRM, Credential.Api.KEYCRM, "", settings.KEYCRM_API_KEY),
    )


def _create_key(seller: Seller, key: Key) -> Iterator[str]:
    shop = seller.shops.filter(kind=key.kind).order_by("pk").first()
    if shop is None:
        currency = "UAH" if key.kind == Shop.Kind.KEYCRM else "RUB"
        shop = Shop.objects.create(
            seller=seller, kind=key.kind, name=key.kind.label, currency=currency, timezone=settings.TIME_ZONE
        )
        record("shop.created", shop=shop, subject=shop)
        yield f"shop {shop}"
    # A key that was made here once and is gone was removed by a person.
    was_made = AuditEntry.objects.filter(action="credential.created", shop=shop, data__bootstrap=key.api).exists()
    if was_made or Credential.objects.filter(shop=shop, api=key.api).exists():
        return
    credential = Credential.objects.create(shop=shop, api=key.api, client_id=key.client_id, secret=key.secret)
    record("credential.created", shop=shop, subject=credential, bootstrap=key.api)
    yield f"key {credential}"


def _create_people(seller: Seller) -> Iterator[str]:
    telegram_ids = list(dict.fromkeys(settings.ADMIN_USER_IDS or _private_chat()))
    if settings.ADMIN_USERNAME:
        yield from _create_owner(seller, settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD, telegram_ids[:1])
        telegram_ids = telegram_ids[1:]
    for telegram_id in telegram_ids:
        yield from _create_owner(seller, f"telegram-{telegram_id}", None, [telegram_id])


def _private_chat() -> list[int]:
    """The admin's chat, when it is one with a person: groups have ids below zero."""
    chat = settings.TELEGRAM_ADMIN_CHAT_ID
    return [chat] if chat and chat > 0 else []


def _create_owner(seller: Seller, username: str, password: str | None, telegram_ids: list[int]) -> Iterator[str]:
    """An owner; with a password also the installation's superuser. A Telegram id that somebody has stays theirs."""
    free = [one for one in telegram_ids if not Person.objects.filter(telegram_id=one).exists()]
    user = User.objects.filter(username=username).first()
    if user is None:
        if password is None and not free:
            return
        is_admin = password is not None
        user = User.objects.create_user(username, password=password, is_staff=is_admin, is_superuser=is_admin)
        yield f"login {username}"
    person, is_new = Person.objects.get_or_create(
        user=user,
        defaults={
            "telegram_id": free[0] if free else None,
            "language": Language(settings.LANGUAGE_CODE),
            "active_seller": seller,
        },
    )
    if is_new:
        member = Member.objects.create(person=person, seller=seller, role=Role.OWNER)
        record("member.created", seller=seller, subject=member, role=member.role)
        yield f"owner {person}"
