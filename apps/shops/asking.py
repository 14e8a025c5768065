"""Who asks, as a web page knows it, and what they may know of and do. Looked up once per request."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.common.errors import Denied
from apps.shops.models import Member, Person, Seller
from apps.shops.roles import Action, may

Row = TypeVar("Row", bound=Model)


def person_of(request: HttpRequest) -> Person | None:
    if not hasattr(request, "_person"):
        member = member_of_request(request)
        request._person = member.person if member else _of_no_team(request)  # type: ignore[attr-defined]
    person: Person | None = request._person  # type: ignore[attr-defined]
    return person


def _of_no_team(request: HttpRequest) -> Person | None:
    user = request.user.pk
    return Person.objects.select_related("user").filter(user=user).first() if user else None


def member_of_request(request: HttpRequest) -> Member | None:
    """Who is asking, at the seller they work with now."""
    if not hasattr(request, "_member"):
        user = request.user.pk
        found = Member.objects.at_work().filter(person__user=user).first() if user else None
        request._member = found  # type: ignore[attr-defined]
    member: Member | None = request._member  # type: ignore[attr-defined]
    return member


def seller_of_request(request: HttpRequest) -> Seller | None:
    member = member_of_request(request)
    return member.seller if member else None


def require_member(request: HttpRequest) -> Member:
    """The member who decides. A superuser who belongs to no seller decides nothing. Raises `Denied`."""
    member = member_of_request(request)
    if member is None:
        raise Denied(_("You are not a member of a seller's team, so there is nothing for you to decide."))
    return member


def is_superuser(request: HttpRequest) -> bool:
    """Whoever keeps the installation: sees every seller."""
    return bool(request.user.is_active and request.user.is_superuser)


def permitted(request: HttpRequest, action: Action | None) -> bool:
    """Whether the one who asks may do `action`; None is what nobody may."""
    if action is None:
        return False
    return is_superuser(request) or may(member_of_request(request), action)


def visible(request: HttpRequest, queryset: QuerySet[Row]) -> QuerySet[Row]:
    """Of any model's rows, those that the one who asks may know of."""
    if is_superuser(request):
        return queryset
    seller = seller_of_request(request)
    path = getattr(queryset.model, "seller_path", None)
    if seller is None or path is None:
        return queryset.none()
    return queryset.filter(**{path: seller.pk})
