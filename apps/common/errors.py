"""Errors that a person can do something about.

`UserError` carries one sentence in the reader's language: every door shows `str(error)` as it is. Anything else that
is raised is a defect or an outage and goes to the log with its traceback.
"""

from __future__ import annotations

from django.utils.functional import Promise


class UserError(Exception):
    """Something the person asked for cannot be done; the message says why and what is possible."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class NotFound(UserError):
    """The thing does not exist, or belongs to another seller: the two look the same from outside."""


class Denied(UserError):
    """The person's role does not allow the action."""


class Refused(UserError):
    """A rule forbids the action now (a guardrail, an expired card, a stale figure)."""
