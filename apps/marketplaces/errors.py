"""What can go wrong with a call to a marketplace, named by what to do about it.

`str(error)` names the API, the method's path, the HTTP status and the API's own message. It never holds a key, a header
or a body. The arguments are positional and plain, so that an error survives pickling between processes.
"""

from __future__ import annotations


class ApiError(Exception):
    """A call that did not give what was asked. `status` is None when no answer came."""

    def __init__(
        self,
        api: str,
        path: str,
        message: str,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(api, path, message, status, retry_after)
        self.api = api
        self.path = path
        self.message = message
        self.status = status
        self.retry_after = retry_after

    def __str__(self) -> str:
        status = f"HTTP {self.status}" if self.status is not None else "no answer"
        return f"{self.api} {self.path}: {status}: {self.message}"


class Temporary(ApiError):
    """Nothing was changed; try later, `retry_after` seconds from now when the API says how long."""


class Permanent(ApiError):
    """The API understood and refuses; the same call will be refused again."""


class WrongCredentials(Permanent):
    """The key is missing, wrong, expired or restricted: every call with it is refused, a person must give another."""


class MissingRole(Permanent):
    """The key is taken, but not for this method: whoever made it left the method out."""


class SwitchedOff(Permanent):
    """The method no longer exists at the marketplace: the client must move to its successor."""


class Unclear(ApiError):
    """A write that may or may not have been applied: only a read-back tells. Never send it again blindly."""


class Malformed(ApiError):
    """A read that was answered with something that cannot be parsed."""


class RepeatedCursor(ApiError):
    """Paging that goes in a circle, or does not end: what was read so far is not the whole list."""
