"""Who calls the API: a person with the page's session, or a program with a person's token. Nobody else gets past."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _
from ninja.errors import HttpError
from ninja.security import APIKeyCookie, HttpBearer

from apps.common.clock import real_now
from apps.common.errors import Denied
from apps.dashboard.limits import take_turn
from apps.dashboard.models import ApiToken
from apps.dashboard.tokens import find_token
from apps.shops.asking import member_of_request
from apps.shops.models import Member, Person, Seller, Shop
from apps.shops.roles import Action, require

MAY_BY_TOKEN: dict[str, frozenset[Action]] = {
    ApiToken.Scope.READ: frozenset({Action.VIEW, Action.SEE_PROFIT}),
    ApiToken.Scope.PROPOSE: frozenset({Action.VIEW, Action.SEE_PROFIT, Action.PROPOSE}),
}
"""What a token may at most, whatever the role of its person: nothing that decides, and nothing that manages."""


@dataclass(frozen=True)
class Caller:
    """`shops` are all of the seller's, by number."""

    member: Member
    shops: tuple[Shop, ...]
    token: ApiToken | None = None

    @property
    def seller(self) -> Seller:
        return self.member.seller

    @property
    def person(self) -> Person:
        return self.member.person

    def require(self, action: Action) -> None:
        """Raise `Denied` when the person's role, or the token's scope, does not allow `action`."""
        require(self.member, action)
        if self.token and action not in MAY_BY_TOKEN[self.token.scope]:
            raise Denied(_("A token may not do this: it takes a person at the page."))


class Token(HttpBearer):
    """`Authorization: Bearer vt_...`. Whoever shows a token is known by it alone: a wrong one ends the call."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        shown = find_token(token, now=real_now())
        if shown is None:
            raise HttpError(401, _("This token is wrong, revoked or expired."))
        translation.activate(shown.token.member.person.language)
        return let_in(Caller(shown.token.member, shown.shops, shown.token))


class Session(APIKeyCookie):
    """The session of the page, with Django's guard against forged requests on everything that writes."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        if self.param_name not in request.COOKIES:
            return None  # a stranger, or a program with its token: told so, whatever they send
        try:
            return super()._get_key(request)
        except HttpError as error:
            raise Denied(_("This page is out of date. Reload it and try again.")) from error

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        if not request.user.is_authenticated:
            return None
        member = member_of_request(request)
        if member is None:
            raise Denied(_("You are not a member of a seller's team."))
        return let_in(Caller(member, tuple(Shop.objects.of(member.seller).order_by("pk"))))


def let_in(caller: Caller) -> Caller:
    take_turn(caller.person.pk, now=real_now())
    caller.require(Action.VIEW)
    return caller


def caller_of(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]  # every operation but /health has one
    return caller
