"""What is known of a key, in words, in the active language: how it stands, what it may do, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.marketplaces.ozon_seller import categories, lists, price_import
from apps.marketplaces.ozon_seller.client import SELLER_INFO
from apps.shops.models import Credential

# What Vitrina does with a key, and the methods that each deed takes.
DEEDS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (gettext_lazy("read the account"), (SELLER_INFO,)),
    (gettext_lazy("read products"), (lists.PRODUCTS.path, lists.PRODUCT_INFO.path, lists.ATTRIBUTES.path)),
    (gettext_lazy("read categories"), (categories.PATH,)),
    (gettext_lazy("read prices"), (lists.PRICES.path,)),
    (gettext_lazy("change prices"), (price_import.PATH,)),
    (gettext_lazy("read stock"), (lists.STOCKS.path, lists.FBO_STOCKS.path, lists.WAREHOUSES.path)),
    (gettext_lazy("read orders"), (lists.FBO_POSTINGS.path, lists.FBS_POSTINGS.path)),
)

WARNED_DAYS = (0, 1, 7, 30)  # before its end a key's owners are warned; 0: it has expired


@dataclass(frozen=True)
class Standing:
    """How a key stands: `tone` is what people should feel about it, `label` a word or two, `words` the whole of it."""

    tone: Literal["success", "warning", "danger", "info"]
    label: str
    words: str = ""


def standing(key: Credential, now: datetime) -> Standing:
    """The one thing about the key that matters most. `now` is business time."""
    if key.is_refused:
        return Standing("danger", _("refused"), key.problem)
    if warning := expiry(key, now):
        return Standing("danger" if warned_days(key, now) in (0, 1) else "warning", warning)
    if key.problem:
        words = _("The new key was refused, the one before it is at work: %(problem)s") % {"problem": key.problem}
        return Standing("warning", _("new key refused"), words)
    return _as_checked(key)


def _as_checked(key: Credential) -> Standing:
    """What the last check has left to say."""
    if not key.is_checkable:
        return Standing("info", _("in use"), _("This API cannot be asked about its keys."))
    if key.checked_at is None:
        return Standing("warning", _("not checked yet"))
    if lacking := lacks(key):
        return Standing("warning", _("lacks rights"), _("It may not: %(deeds)s.") % {"deeds": ", ".join(lacking)})
    return Standing("success", _("in order"))


def may(key: Credential) -> list[str]:
    """The deeds that the key allows; empty where its methods are not known."""
    return [str(deed) for deed, methods in DEEDS if set(methods) <= set(key.methods)]


def lacks(key: Credential) -> list[str]:
    """The deeds that the key does not allow; empty where its methods are not known."""
    return [str(deed) for deed, methods in DEEDS if key.methods and not set(methods) <= set(key.methods)]


def expiry(key: Credential, now: datetime) -> str:
    """A sentence from thirty days before the key's end on, and after it; "" before."""
    if key.expires_at is None or warned_days(key, now) is None:
        return ""
    if key.expires_at <= now:
        return _("expired")
    days = -(-(key.expires_at - now) // timedelta(days=1))
    return ngettext("expires within %(days)s day", "expires within %(days)s days", days) % {"days": days}


def warned_days(key: Credential, now: datetime) -> int | None:
    """The last of the warnings that is due: so many days before the key's end; None when it is far away, or unknown."""
    if key.expires_at is None:
        return None
    left = key.expires_at - now
    return next((days for days in WARNED_DAYS if left <= timedelta(days=days)), None)
