"""What the read store cannot do."""

from __future__ import annotations

from apps.common.errors import UserError


class NotBuilt(UserError):
    """A shop has no version of its store yet: its first build is still to come."""


class StoreBusy(Exception):
    """Another process builds a version of the same shop."""


class Damaged(Exception):
    """A file of the store is not what was written, or not what PostgreSQL holds; the text says what was found."""
