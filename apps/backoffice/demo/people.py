"""The demo's people: the owner, and somebody who may only look."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from apps.backoffice.demo.world import World
from apps.shops.models import Member, Person, Seller
from apps.shops.roles import Role

OWNER_ID, VIEWER_ID = 1001, 1002


@dataclass(frozen=True)
class Part:
    telegram_id: int
    name: str
    role: Role


def parts() -> tuple[Part, ...]:
    return (Part(OWNER_ID, _("Owner"), Role.OWNER), Part(VIEWER_ID, _("Viewer"), Role.VIEWER))


@transaction.atomic
def introduce(world: World, seller: Seller) -> None:
    """Put the people into the chat page and into the seller's team, with their names; again does no harm."""
    for part in parts():
        world.put_person(part.telegram_id, part.name, settings.LANGUAGE_CODE)
        person = Person.objects.filter(telegram_id=part.telegram_id).first()
        if person is None:
            user = User.objects.create_user(f"demo-{part.role}")
            person = Person.objects.create(user=user, telegram_id=part.telegram_id, active_seller=seller)
            Member.objects.create(person=person, seller=seller, role=part.role)
        User.objects.filter(pk=person.user_id).update(first_name=part.name)
