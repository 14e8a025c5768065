"""What the refusals of the OZON Seller API mean: its HTTP statuses and messages count, its numeric codes hardly do."""

from __future__ import annotations

from http import HTTPStatus

from apps.marketplaces.errors import ApiError, MissingRole, Permanent, SwitchedOff, Temporary, WrongCredentials
from apps.marketplaces.http import Refusal, by_status

OBSOLETE_CODE = "9"
ABOUT_A_ROLE = "missing a required role"
ABOUT_THE_KEY = ("api-key", "api key", "client-id")


def kind_of(refusal: Refusal) -> type[ApiError]:
    """The error to raise. 403 is about the key only when the message says so: "Company is blocked" is not."""
    message = refusal.message.lower()
    if "circle is open" in message:  # the method's breaker: refused before anything was done, whatever the status
        return Temporary
    if refusal.status == HTTPStatus.BAD_REQUEST and (
        str(refusal.code) == OBSOLETE_CODE or "obsolete method" in message
    ):
        return SwitchedOff
    kind = by_status(refusal)
    if kind is Permanent and ABOUT_A_ROLE in message:
        return MissingRole
    if kind is Permanent and any(word in message for word in ABOUT_THE_KEY):
        return WrongCredentials
    return kind
