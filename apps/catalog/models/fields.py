"""Fields of money and of rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def money_field(name: StrOrPromise, **options: object) -> models.DecimalField:
    return models.DecimalField(name, max_digits=14, decimal_places=2, **options)  # type: ignore[arg-type]


def rate_field(name: StrOrPromise) -> models.DecimalField:
    """A fraction (0.22) the marketplace may not have told."""
    return models.DecimalField(name, max_digits=6, decimal_places=4, null=True, blank=True)
