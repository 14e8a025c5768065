"""The question before many proposals are approved at once: each of them, and the sums, as they stand now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.common import formats
from apps.decisions.models import Proposal

CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Sums:
    """What is known of the proposals of one currency; `unknown` counts those whose worst case is not."""

    effect: str
    worst_case: str
    unknown: int


def question(
    request: HttpRequest, proposals: Sequence[Proposal], *, columns: Sequence[Sequence[str]]
) -> TemplateResponse:
    """The page that asks. `columns` are the cells of each proposal; what is answered yes to is bound by its hash."""
    context = {
        **admin.site.each_context(request),
        "title": _("Approve %(count)s changes together?") % {"count": len(proposals)},
        "rows": list(zip(proposals, columns, strict=True)),
        "sums": [sums(proposals, currency) for currency in sorted({one.currency for one in proposals})],
        "checkbox": ACTION_CHECKBOX_NAME,
        "confirmed": CONFIRMED,
    }
    return TemplateResponse(request, "admin/approve_many.html", context)


def sums(proposals: Sequence[Proposal], currency: str) -> Sums:
    ours = [one for one in proposals if one.currency == currency]
    effect = sum((one.effect for one in ours if one.effect is not None), Decimal(0))
    worst = sum((one.worst_case for one in ours if one.worst_case is not None), Decimal(0))
    unknown = sum(one.worst_case is None for one in ours)
    return Sums(formats.gain(effect, currency), formats.gain(worst, currency), unknown)


def shown_hash(request: HttpRequest, proposal: Proposal) -> str:
    """What the page that asked has shown of it."""
    return request.POST.get(f"hash_{proposal.pk}", "")
