"""The first seller, shops, keys and owner, from the variables of the environment.

Run at every release and harmless when run again: what exists is left as the admin has it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from apps.common.db import take_lock
from apps.jobs.schedule import seed
from apps.pricing.models import PricingSettings
from apps.sales.presets import KOREANSTORY
from apps.shops.audit import record
from apps.shops.models import AuditEntry, Credential, Language, Member, Person, Seller, Shop
from apps.shops.roles import Role


@dataclass(frozen=True)
class Key:
    """One key of the environment and the shop it opens; without a kind it serves every shop there is."""

    kind: Shop.Kind | None
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


def unused() -> list[str]:
    """A sentence for each variable that is given and yet does nothing."""
    chat, ids = settings.TELEGRAM_ADMIN_CHAT_ID, settings.ADMIN_USER_IDS
    sentences = []
    if chat and ids and chat not in ids:
        sentences.append("TELEGRAM_ADMIN_CHAT_ID is not used: ADMIN_USER_IDS names the people who are written to.")
    if chat and chat < 0 and not ids:
        sentences.append("TELEGRAM_ADMIN_CHAT_ID is not used: it is a group, and only people are written to.")
    if settings.ANTHROPIC_API_KEY and not Shop.objects.exists():
        sentences.append("ANTHROPIC_API_KEY is not kept yet: it is read again when there is a shop.")
    linked = set(Person.objects.filter(telegram_id__in=ids).values_list("telegram_id", flat=True))
    sentences += [
        f"{telegram_id} of ADMIN_USER_IDS is nobody here: a code from the admin links a person to it."
        for telegram_id in dict.fromkeys(ids)
        if telegram_id not in linked
    ]
    return sentences


def _create() -> Iterator[str]:
    keys = [key for key in _keys() if key.secret]
    if not (settings.ADMIN_USERNAME or _telegram_ids() or any(key.kind for key in keys)):
        return
    seller = Seller.objects.order_by("pk").first()
    if seller is None:
        seller = Seller.objects.create(name="Vitrina")
        record("seller.created", seller=seller, subject=seller)
        yield f"seller {seller}"
    for key in keys:
        shops = list(seller.shops.all()) if key.kind is None else [(yield from _shop_of(seller, key.kind))]
        for shop in shops:
            yield from _create_key(shop, key)
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
        Key(None, Credential.Api.ANTHROPIC, "", settings.ANTHROPIC_API_KEY),  # last, when the others have their shops
    )


def _shop_of(seller: Seller, kind: Shop.Kind) -> Generator[str, None, Shop]:
    """The seller's first shop of this kind."""
    shop = seller.shops.filter(kind=kind).order_by("pk").first()
    if shop is None:
        is_crm = kind == Shop.Kind.KEYCRM
        shop = Shop.objects.create(
            seller=seller,
            kind=kind,
            name=kind.label,
            currency=KOREANSTORY.currency if is_crm else "RUB",
            timezone=KOREANSTORY.timezone if is_crm else settings.TIME_ZONE,
        )
        record("shop.created", shop=shop, subject=shop)
        yield f"shop {shop}"
    return shop


def _create_key(shop: Shop, key: Key) -> Iterator[str]:
    # A key that was made here once and is gone was removed by a person.
    was_made = AuditEntry.objects.filter(action="credential.created", shop=shop, data__bootstrap=key.api).exists()
    if was_made or Credential.objects.filter(shop=shop, api=key.api).exists():
        return
    credential = Credential.objects.create(shop=shop, api=key.api, client_id=key.client_id, secret=key.secret)
    record("credential.created", shop=shop, subject=credential, bootstrap=key.api)
    yield f"key {credential}"


def _create_people(seller: Seller) -> Iterator[str]:
    telegram_ids = _telegram_ids()
    if settings.ADMIN_USERNAME:
        yield from _create_owner(seller, settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD, telegram_ids[:1])
        telegram_ids = telegram_ids[1:]
    for telegram_id in telegram_ids:
        yield from _create_owner(seller, f"telegram-{telegram_id}", None, [telegram_id])


def _telegram_ids() -> list[int]:
    """Each once. The admin's chat stands for its person when nobody else is named; groups have ids below zero."""
    chat = settings.TELEGRAM_ADMIN_CHAT_ID
    return list(dict.fromkeys(settings.ADMIN_USER_IDS or ([chat] if chat and chat > 0 else [])))


def _create_owner(seller: Seller, username: str, password: str | None, telegram_ids: list[int]) -> Iterator[str]:
    """An owner; with a password also the installation's superuser. A Telegram id that somebody has stays theirs."""
    # Who was made here once and is gone was removed by a person.
    if AuditEntry.objects.filter(action="member.created", seller=seller, data__bootstrap=username).exists():
        return
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
        record("member.created", seller=seller, subject=member, role=member.role, bootstrap=username)
        yield f"owner {person}"
