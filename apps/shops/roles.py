"""What a role may do: one table, asked everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.errors import Denied

if TYPE_CHECKING:
    from apps.shops.models import Member


class Role(models.TextChoices):
    OWNER = "owner", _("owner")
    APPROVER = "approver", _("approver")
    ANALYST = "analyst", _("analyst")
    VIEWER = "viewer", _("viewer")


class Action(models.TextChoices):
    VIEW = "view", _("see reports, stock and experiments")
    SEE_PROFIT = "see_profit", _("see expenses and profit")
    PROPOSE = "propose", _("propose changes")
    APPROVE = "approve", _("approve or reject changes")
    RUN_JOBS = "run_jobs", _("run jobs")
    EDIT_CATALOG = "edit_catalog", _("edit costs and pricing rules")
    STOP = "stop", _("use the kill switch")
    MANAGE = "manage", _("manage shops, keys and people")


ALLOWED: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.APPROVER: frozenset(
        {Action.VIEW, Action.SEE_PROFIT, Action.PROPOSE, Action.APPROVE, Action.RUN_JOBS, Action.EDIT_CATALOG}
    ),
    Role.ANALYST: frozenset({Action.VIEW, Action.SEE_PROFIT, Action.PROPOSE, Action.EDIT_CATALOG}),
    Role.VIEWER: frozenset({Action.VIEW}),
}


def may(member: Member | None, action: Action) -> bool:
    return member is not None and action in ALLOWED[Role(member.role)]


def require(member: Member | None, action: Action) -> None:
    """Raise `Denied`, in words that name the action and the role, when `member` may not do it."""
    if member is None:
        raise Denied(_("You are not a member of this seller's team."))
    if not may(member, action):
        raise Denied(
            _("Your role is “%(role)s”: it does not allow you to %(action)s.")
            % {"role": Role(member.role).label, "action": action.label}
        )
