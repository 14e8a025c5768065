"""The cast: Anna has a shop, Boris has another and never sees Anna's."""

from __future__ import annotations

from django.contrib.auth.models import User

from apps.shops.models import Credential, Member, Person, Seller, Shop
from apps.shops.roles import Role


def person(name: str, *, telegram_id: int | None = None, language: str = "en") -> Person:
    user = User.objects.create_user(name.lower(), first_name=name)
    return Person.objects.create(user=user, telegram_id=telegram_id, language=language)


def member(of: Seller, name: str, role: Role = Role.OWNER, *, telegram_id: int | None = None) -> Member:
    return Member.objects.create(person=person(name, telegram_id=telegram_id), seller=of, role=role)


def shop(of: Seller, name: str = "Shelf", *, timezone: str = "Europe/Moscow", client_id: str = "") -> Shop:
    made = Shop.objects.create(seller=of, name=name, timezone=timezone)
    if client_id:
        Credential.objects.create(
            shop=made, api=Credential.Api.OZON_SELLER, client_id=client_id, secret=f"key-of-{client_id}"
        )
    return made


def anna() -> Member:
    """The owner of a seller with one shop, linked to Telegram."""
    seller = Seller.objects.create(name="Anna's goods")
    shop(seller, client_id="101")
    return member(seller, "Anna", telegram_id=1001)


def boris() -> Member:
    seller = Seller.objects.create(name="Boris & sons")
    shop(seller, client_id="202")
    return member(seller, "Boris", telegram_id=2002)
