"""Everything belongs to a seller: a query starts from a shop or a seller, everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.errors import NotFound

if TYPE_CHECKING:
    from apps.shops.models import Seller


Row = TypeVar("Row", bound=models.Model)


class SellerQuerySet(models.QuerySet[Row]):
    """Rows of one seller: the model names the way from itself to its seller in `seller_path`."""

    def of(self, seller: Seller) -> Self:
        path: str = self.model.seller_path  # type: ignore[attr-defined]  # every model with these rows has it
        return self.filter(**{path: seller.pk})

    def find(self, seller: Seller, **lookup: object) -> Row:
        """The one row of this seller, or `NotFound`, whether it is missing or another seller's."""
        row = self.of(seller).filter(**lookup).first()
        if row is None:
            raise NotFound(_("There is no such thing in this seller's shops."))
        return row


def seller_id_of(row: models.Model) -> int | None:
    """Whose row it is; None for what belongs to the installation."""
    path = getattr(type(row), "seller_path", None)
    return type(row)._base_manager.filter(pk=row.pk).values_list(path, flat=True).first() if path else None
